"""A whole recovery: load, validate, lease, rebuild, an empty handler, the outcome."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

import holdfast

from ..bench import Bench
from ..figure import Figure, cost
from ..goal import at_most
from ..row import Row
from ..sides.histories import patched
from ..sides.raw import RawStore
from ..stopwatch import seconds_for_each, seconds_of
from ..workload import state

_TEXT = "one raw durable commit of 2 KB"
_GOALS = {_TEXT: at_most(6)}


def _measure(bench: Bench) -> list[Figure]:
    depth = 10_000
    with bench.room() as room:
        history = room / "history.db"
        patched(history, 10, workflow="other", handler="carry-on")
        patched(history, depth, handler="carry-on")
        bench.told()
        numbers, store = count(), RawStore(room / "raw.db")
        saved = state(2_000)

        def commit() -> float:
            commits = 20
            wanted = range(commits)
            return seconds_for_each(wanted, lambda _: store.save("r", next(numbers), saved)) / 20

        rounds = bench.compare({"ours": lambda: _recover(history), "raw": commit}, times=3)
    return [cost(_TEXT, _GOALS[_TEXT], rounds, ours="ours", theirs="raw")]


def _recover(history: Path) -> float:
    """Return the seconds of one recovery, of a copy: a recovered workflow is completed."""
    path = history.with_name("recovered.db")
    shutil.copyfile(history, path)
    try:
        with holdfast.open(path) as engine:
            engine.handler("carry-on")(lambda _: None)
            # Another one first: what a process does once, imports above all, is not recovery.
            assert engine.recover("other").success
            return seconds_of(lambda: engine.recover("run"))
    finally:
        for each in path.parent.glob("recovered.db*"):
            each.unlink()


RECOVER = Row("recover", "recover, whole, at depth 10,000, time against", _GOALS, _measure)
