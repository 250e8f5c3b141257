"""Every state that a kill or a power cut can leave of a store, opened again and looked at.

Each scenario is recorded once; the states are made from the record. A kill leaves all that was
written by then, a power cut what was synced and any part of the rest (`power_cut`). In each state
the store must open, tell exactly what it told after some transaction, none that was acknowledged
missing and none in part, verify, and go on giving out sequences and epochs above all before.

By default a sample of them, drawn with a fixed seed; `make test-deep` takes every kill and many
times the power cuts.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from .checking import Checker, Counts
from .conftest import RunProgram
from .history import History
from .power_cut import read_state
from .scenarios import names_for


class Extent(NamedTuple):
    """How much is tried of one kind of store: shares, and how many power cuts a step are drawn."""

    kills: float
    draws: int
    whole: float  # of the power cuts that tear no write
    torn: float
    least: tuple[int, int]  # of distinct states, and of torn ones, that there must be


# The files of a JSON store are small, and most of them one sector: it takes more draws to tear one.
SAMPLES = {
    "sqlite": Extent(0.15, 1, 0.2, 0.1, (750, 350)),
    "json": Extent(0.15, 4, 0.04, 0.9, (700, 150)),
}
ALL = {
    "sqlite": Extent(1.0, 4, 1.0, 1.0, (8000, 6000)),
    "json": Extent(1.0, 10, 1.0, 1.0, (6000, 300)),
}


@pytest.mark.parametrize(
    "extents", [SAMPLES, pytest.param(ALL, marks=pytest.mark.deep)], ids=["sample", "all"]
)
def test_store_when_killed_or_without_power_at_any_step_then_what_was_acknowledged_is_there_whole(
    room: Path, kind: str, run_program: RunProgram, extents: dict[str, Extent]
) -> None:
    extent = extents[kind]
    counts = _check_all(room, kind, run_program, extent)

    print(f"{kind}: {counts.distinct} states, {counts.torn} of them torn")
    assert counts.distinct >= extent.least[0]
    assert counts.torn >= extent.least[1]


PROCESS = Extent(0.04, 1, 0.1, 0.03, (230, 100))
PROCESS_ALL = Extent(0.2, 2, 1.0, 0.5, (2000, 1000))


@pytest.mark.parametrize(
    "extent", [PROCESS, pytest.param(PROCESS_ALL, marks=pytest.mark.deep)], ids=["sample", "all"]
)
def test_store_when_it_survives_processes_alone_then_a_power_cut_takes_a_tail_and_nothing_else(
    room: Path, run_on_sqlite: RunProgram, extent: Extent
) -> None:
    # JSON files are always synced.
    counts = _check_all(room, "sqlite", run_on_sqlite, extent, durability="process")

    assert counts.distinct >= extent.least[0]
    assert counts.torn >= extent.least[1]


def test_model_of_the_disk_when_a_scenario_is_over_then_it_holds_what_is_really_there(
    room: Path, kind: str, run_program: RunProgram
) -> None:
    run_program("recording", kind, room, "power", "scopes")

    history = History(room / "scopes", room / "scopes.record")

    assert history.end().digest() == read_state(room / "scopes").digest()
    assert len([each for each in history.steps if each.what == "sync"]) > 10


def _check_all(
    room: Path, kind: str, run_program: RunProgram, extent: Extent, durability: str = "power"
) -> Counts:
    counts = Counts()
    scenarios = names_for(kind)
    run_program("recording", kind, room, durability, *scenarios)
    for name in scenarios:
        history = History(room / name, room / f"{name}.record")
        place = room / f"{name}.states"
        place.mkdir()
        checker = Checker(history, kind, place, may_lose_a_tail=durability == "process")
        draw = Random(name)
        checker.check(each for each in history.kills() if draw.random() < extent.kills)
        for crash in history.power_cuts(draw, extent.draws):
            if draw.random() < (extent.torn if crash.state.is_torn else extent.whole):
                checker.check([crash])
        counts.add(checker.counts)
    return counts
