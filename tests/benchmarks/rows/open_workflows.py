"""A store with 1,000 open workflows: is it slower for each of them?"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import holdfast
from holdfast.infrastructure.sqlite import statements

from ..bench import Bench
from ..figure import Figure, cost, holds
from ..goal import Goal, at_least, at_most
from ..row import Row
from ..stopwatch import seconds_for_each
from ..workload import changing

_OPEN = 1_000
_SAVE, _LATEST, _STALE = "save", "latest", "`stale` reads an index"
_GOALS: dict[str, Goal] = {_SAVE: at_most(1.2), _LATEST: at_most(1.2), _STALE: at_least(1, "")}


def _measure(bench: Bench) -> list[Figure]:
    calls = bench.size(200, 50)
    with bench.room() as room:
        one, many = room / "one.db", room / "many.db"
        _open_workflows(one, 1)
        _open_workflows(many, _OPEN)
        with holdfast.open(one) as few_engine, holdfast.open(many) as many_engine:
            # Read first: the saves that follow make the one workflow deeper, and the many hardly.
            reads = bench.compare(
                {"one": _reading(few_engine, 1, calls), "many": _reading(many_engine, _OPEN, calls)}
            )
            saves = bench.compare(
                {"one": _saving(few_engine, 1, calls), "many": _saving(many_engine, _OPEN, calls)}
            )
        plan = _plan_of_stale(many)
    return [
        cost(_SAVE, _GOALS[_SAVE], saves, ours="many", theirs="one"),
        cost(_LATEST, _GOALS[_LATEST], reads, ours="many", theirs="one"),
        holds(_STALE, true="USING INDEX" in plan or "COVERING INDEX" in plan, note=plan),
    ]


def _open_workflows(path: Path, workflows: int) -> None:
    """Open them, each as deep as the other store's: only their number differs."""
    states = changing(2_000)
    with holdfast.open(path, durability="process") as engine:
        for number in range(workflows):
            engine.checkpoint(f"run-{number}", state=next(states), resume_handler="carry-on")
        for number in range(2 * workflows):
            engine.checkpoint(f"run-{number % workflows}", state=next(states))


def _saving(engine: holdfast.Engine, workflows: int, calls: int) -> Callable[[], float]:
    states, numbers = changing(2_000), count()

    def save(_: int) -> None:
        # A stride that meets every workflow, and not in the order in which they were made.
        engine.checkpoint(f"run-{next(numbers) * 7 % workflows}", state=next(states))

    return lambda: seconds_for_each(range(calls), save)


def _reading(engine: holdfast.Engine, workflows: int, calls: int) -> Callable[[], float]:
    numbers = count()

    def read(_: int) -> None:
        assert engine.latest(f"run-{next(numbers) * 7 % workflows}").state

    return lambda: seconds_for_each(range(calls), read)


def _plan_of_stale(path: Path) -> str:
    """Return how SQLite finds the workflows in flight."""
    with closing(sqlite3.connect(path)) as connection:
        text = f"EXPLAIN QUERY PLAN {statements.WORKFLOWS_UNFINISHED}"
        return "; ".join(row[3] for row in connection.execute(text))


OPEN_WORKFLOWS = Row(
    "open-workflows", "1,000 open workflows in one store, time against one", _GOALS, _measure
)
