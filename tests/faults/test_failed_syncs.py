"""A sync fails, and then the power goes: what was to be synced may be lost however well later syncs
go, and yet be readable until then. Nothing may have been built upon it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from .checking import open_state
from .conftest import RunProgram
from .history import Crash, History


@pytest.mark.parametrize(
    ("shares", "draws", "least"),
    [
        pytest.param({"sqlite": 0.05, "json": 0.02}, 1, 100, id="sample"),
        pytest.param({"sqlite": 1.0, "json": 1.0}, 2, 1000, marks=pytest.mark.deep, id="all"),
    ],
)
def test_store_when_a_sync_fails_and_the_power_goes_then_what_was_said_to_be_saved_is_there(
    room: Path, kind: str, run_program: RunProgram, shares: dict[str, float], draws: int, least: int
) -> None:
    run_program("failing_syncs", kind, room)
    (room / "state").mkdir()
    checked = 0

    for record in sorted(room.glob("*.record")):
        history = History(room / record.stem, record)
        seen: set[str] = set()
        for crash in _crashes(history, Random(record.stem), shares[kind], draws):
            digest = crash.state.digest()
            if digest not in seen:
                seen.add(digest)
                checked += 1
                try:
                    _check(crash, history, kind, room / "state")
                except Exception as error:
                    error.add_note(f"{record.stem}: after {history.steps[crash.step - 1]!r}")
                    raise

    print(f"{kind}: {checked} states after a failed sync")
    assert checked >= least


def _crashes(history: History, draw: Random, share: float, draws: int) -> Iterator[Crash]:
    has_failed = False
    steps = history.steps
    for crash in history.power_cuts(draw, draws):
        has_failed = has_failed or steps[crash.step - 1].what == "sync failed"
        if has_failed and draw.random() < share:
            yield crash


def _check(crash: Crash, history: History, kind: str, room: Path) -> None:
    said: dict[str, str] = {}
    for step in history.steps[: crash.step]:
        if step.mark:
            outcome, name = step.mark.split(" ")
            said[name] = outcome
    with open_state(crash.state, kind, room, crash.step) as engine:
        report = engine.verify()
        assert report.intact, report
        found = engine.context("log").workflow_state
        for name, outcome in said.items():
            assert outcome != "saved" or name in found, f"{name} was said to be saved, and is lost"
            assert outcome != "refused" or name not in found, f"{name} was said not to be saved"
        assert len(engine.list("log")) == len(found)
        engine.checkpoint("log", name="on")
