"""Durable steps: a function that does nothing, its start and its end made durable."""

from __future__ import annotations

import time
from itertools import count

import holdfast

from ..bench import Bench
from ..figure import Figure, speed
from ..goal import at_least
from ..row import Row
from ..sides import dbos

_PEER = "DBOS steps"
_GOALS = {_PEER: at_least(4)}


def _measure(bench: Bench) -> list[Figure]:
    steps = bench.size(50, 30)
    numbers = count()
    with bench.room() as room, holdfast.open(room / "ours.db") as engine:

        def ours() -> float:
            with engine.run(f"run-{next(numbers)}") as run:
                begun = time.perf_counter()
                for number in range(steps):
                    run.step(f"step-{number}", _nothing)
                return time.perf_counter() - begun

        rounds = bench.compare({"ours": ours, _PEER: dbos.stepping(room, steps)}, times=2)
        dbos.shut_down()
    return [speed(_PEER, _GOALS[_PEER], rounds, ours="ours", theirs=_PEER)]


def _nothing() -> None:
    pass


STEPS = Row("steps", "run.step of an empty function, as fast as", _GOALS, _measure)
