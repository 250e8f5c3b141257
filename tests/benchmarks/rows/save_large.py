"""Saving large states: a small change to one, and one rewritten wholesale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import holdfast

from ..bench import Bench
from ..figure import Figure, speed
from ..goal import at_least
from ..interleave import Rounds
from ..row import Row
from ..sides import saving
from ..sides.raw import RawStore
from ..workload import State, changing, rewritten

_SIZES = {"200 KB": (200_000, 8, 4), "2 MB": (2_000_000, 3, 2), "10 MB": (10_000_000, 2, 1)}
_SMALL_CHANGE = {"200 KB": at_least(1.5), "2 MB": at_least(2.8), "10 MB": at_least(2)}
_WHOLESALE = {"raw sqlite3": at_least(0.8)}


def _small_change(bench: Bench) -> list[Figure]:
    figures = []
    for text, (size, full, quick) in _SIZES.items():
        rounds = _against_raw(bench, partial(changing, size), bench.size(full, quick))
        figures.append(speed(text, _SMALL_CHANGE[text], rounds, ours="ours", theirs="raw"))
    return figures


def _wholesale(bench: Bench) -> list[Figure]:
    rounds = _against_raw(bench, partial(rewritten, 200_000), bench.size(8, 4))
    (text, goal), *_ = _WHOLESALE.items()
    return [speed(text, goal, rounds, ours="ours", theirs="raw")]


def _against_raw(bench: Bench, states: Callable[[], Iterator[State]], saves: int) -> Rounds:
    with bench.room() as room, holdfast.open(room / "ours.db") as engine:
        return bench.compare(
            {
                "ours": saving.with_holdfast(engine, states, saves),
                "raw": saving.with_raw_sqlite(RawStore(room / "raw.db"), states, saves),
            },
            times=2,
        )


SMALL_CHANGE = Row(
    "small-change",
    "save with a small change to a large state, as fast as a raw full copy",
    _SMALL_CHANGE,
    _small_change,
)
WHOLESALE = Row(
    "wholesale", "a state of 200 KB rewritten wholesale, as fast as", _WHOLESALE, _wholesale
)
