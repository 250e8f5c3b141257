"""A process really killed right before a step: it leaves what the model of the disk says."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from .checking import Checker, open_state
from .conftest import RunProgram
from .history import Crash, History
from .power_cut import read_state
from .scenarios import names_for

# The shortest scenario has more steps.
LEAST_STEPS = 100


@pytest.mark.parametrize(
    ("scenarios", "kills"),
    [
        pytest.param(["scopes", "side_by_side"], 3, id="sample"),
        pytest.param([], 40, marks=pytest.mark.deep, id="all"),
    ],
)
def test_store_when_its_process_is_killed_right_before_a_step_then_all_acknowledged_is_there_whole(
    room: Path, kind: str, run_program: RunProgram, scenarios: list[str], kills: int
) -> None:
    for scenario in scenarios or names_for(kind):
        draw = Random(f"{kind} {scenario}")
        steps = sorted(draw.sample(range(2, LEAST_STEPS + 2), kills))

        killed = int(run_program("killing", kind, room, scenario, *steps))

        assert killed == kills
        for step in steps:
            _check(room, kind, f"{scenario}-{step}")


def _check(room: Path, kind: str, name: str) -> None:
    history = History(room / name, room / f"{name}.record")
    left = read_state(room / name)
    assert history.end().digest() == left.digest(), "the model of the disk is wrong"
    *_, (number, _, _, committed, begun) = history.moments()
    place = room / f"{name}.state"
    place.mkdir()
    if begun == committed:  # nothing was on its way, so that it is known what there must be
        crash = Crash(left, number, committed, begun, is_power_cut=False)
        Checker(history, kind, place).check([crash])
        return
    saved = {each.mark.split(" ")[1] for each in history.steps if each.mark.startswith("saved ")}
    with open_state(left, kind, place, number) as engine:
        report = engine.verify()
        assert report.intact, report
        assert saved <= {each.name for each in engine.list(limit=1000)}
        assert engine.checkpoint("quite new").id.sequence == 1
