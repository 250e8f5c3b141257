"""Two processes do what they like with one store, and all that they see is what a model says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import holdfast
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import JsonMachine, Machine

# What histories must have come to, so that the machine is known to reach what matters.
_PLACES = (
    "crashed with a lease",
    "recovered",
    "opening taken over",
    "refused: Fenced",
    "refused: LeaseHeld",
    "fenced by force",
    "lease ended by an outsider",
    "purge cut a chain",
    "started again from an older parent",
    "forked",
    "deleted",
    "asked to stop",
    "cancelled at once",
    "killed: retries used up",
    "killed instead of recovered",
    "killed workflow opened anew",
    "step not run again",
    "answered",
    "wait over: answered",
    "ended: waiting",
    "ended: completed",
    "ended: failed",
    "ended: given_up",
    "ended: cancelled",
)
_RARE = ("ended for being silent", "wait over: overdue")


def run(
    machine: type[Machine], room: Path, *, seeds: Iterable[int], histories: int, steps: int
) -> None:
    """Run the machine, always with the same histories, and say what they came to.

    Some from each seed: those of one seed are much alike.
    """
    machine.room = room
    machine.empty = room / "empty.db"
    machine.reached.clear()
    holdfast.open(machine.empty).close()
    profile = settings(
        print_blob=True,
        database=None,
        deadline=None,
        max_examples=histories,
        stateful_step_count=steps,
        phases=(Phase.generate,),  # shrinking takes minutes: turn it on by hand
        suppress_health_check=list(HealthCheck),
    )
    for each in seeds:

        @seed(each)
        class Seeded(machine):  # type: ignore[valid-type, misc]
            """The machine under a seed of its own: a seed stays with its class."""

        run_state_machine_as_test(Seeded, settings=profile)
    print(dict(machine.reached.most_common()))


def test_two_processes_on_sqlite_when_they_do_what_they_like_then_the_model_says_the_same(
    quick_room: Path,
) -> None:
    run(Machine, quick_room, seeds=range(12), histories=6, steps=50)

    missed = [each for each in _PLACES if not Machine.reached[each]]
    assert not missed, f"no history came there: {missed}"
    assert Machine.reached["steps"] >= 1000


def test_two_processes_on_json_files_when_they_do_what_they_like_then_the_model_says_the_same(
    quick_room: Path,
) -> None:
    run(JsonMachine, quick_room, seeds=range(2), histories=4, steps=50)

    assert JsonMachine.reached["steps"] >= 150


@pytest.mark.deep
@pytest.mark.parametrize(
    ("machine", "seeds"), [(Machine, 100), (JsonMachine, 20)], ids=["sqlite", "json"]
)
def test_two_processes_when_they_go_on_for_long_then_the_model_says_the_same(
    quick_room: Path, machine: type[Machine], seeds: int
) -> None:
    run(machine, quick_room, seeds=range(100, 100 + seeds), histories=15, steps=80)

    missed = [each for each in _PLACES + _RARE if not machine.reached[each]]
    assert not missed, f"no history came there: {missed}"
