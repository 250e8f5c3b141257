"""Rebuilding a context: how long it takes, and whether the length of the chain matters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import holdfast

from ..bench import Bench
from ..figure import Figure, cost, plain
from ..goal import at_most
from ..interleave import Side
from ..row import Row
from ..sides.histories import patched
from ..stopwatch import seconds_for_each

_BY_DEPTH = {"depth 100": at_most(0.3, "ms"), "depth 1000": at_most(0.5, "ms")}
_NEAR = 80  # checkpoints from the head: some are further from a keyframe than others
_DEEP = {"depth 10,000 against 100": at_most(1.5)}


def _in_milliseconds(bench: Bench) -> list[Figure]:
    calls = bench.size(80, 40)
    with (
        bench.room() as room,
        rebuilding(room / "100.db", 100, calls) as hundred,
        rebuilding(room / "1000.db", 1000, calls) as thousand,
    ):
        rounds = bench.compare({"depth 100": hundred, "depth 1000": thousand})
    figures = []
    for text, goal in _BY_DEPTH.items():
        each = [seconds / calls * 1e3 for seconds in rounds.seconds[text]]
        value = rounds.of(text) / calls * 1e3
        figures.append(plain(text, goal, value, spread=(min(each), max(each))))
    return figures


def _deep(bench: Bench) -> list[Figure]:
    calls = bench.size(80, 40)
    with (
        bench.room() as room,
        rebuilding(room / "100.db", 100, calls) as shallow,
        rebuilding(room / "10000.db", 10_000, calls) as deep,
    ):
        rounds = bench.compare({"100": shallow, "10,000": deep})
    (text, goal), *_ = _DEEP.items()
    return [cost(text, goal, rounds, ours="10,000", theirs="100")]


@contextmanager
def rebuilding(path: Path, depth: int, calls: int) -> Iterator[Side]:
    """Give what rebuilds contexts near the head of a chain, *calls* of them.

    By an engine that did not write them, at another checkpoint each time: what a writer remembers
    of its own last save is no help.
    """
    patched(path, depth)
    with holdfast.open(path) as engine:
        ids = [f"run@{depth - number * _NEAR // calls}" for number in range(calls)]

        def rebuild(id_: str) -> None:
            state = engine.context(id_).workflow_state
            assert len(state) == 11, "a step and ten slots"

        yield lambda: seconds_for_each(ids, rebuild)


REBUILD = Row("rebuild", "rebuild the context, patches of 2 KB", _BY_DEPTH, _in_milliseconds)
REBUILD_DEEP = Row("rebuild-deep", "rebuild the context, time taken at", _DEEP, _deep)
