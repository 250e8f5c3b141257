"""Saving small states, one after the other, in one thread."""

from __future__ import annotations

from functools import partial

import holdfast

from ..bench import Bench
from ..figure import Figure, speed
from ..goal import Goal, at_least
from ..row import Row
from ..sides import saving
from ..sides.raw import RawStore
from ..workload import changing, rewritten

_RAW, _PUT, _STEP = "raw sqlite3", "LangGraph put", "LangGraph put_writes + put"


def _measure(bench: Bench, size: int, goals: dict[str, Goal]) -> list[Figure]:
    return [
        *_one_message_changed(bench, size, goals),
        *_rewritten(bench, size),
    ]


def _one_message_changed(bench: Bench, size: int, goals: dict[str, Goal]) -> list[Figure]:
    saves = bench.size(80, 30)
    states = partial(changing, size)
    with bench.room() as room, holdfast.open(room / "ours.db") as engine:
        sides = {
            "ours": saving.with_holdfast(engine, states, saves),
            _RAW: saving.with_raw_sqlite(RawStore(room / "raw.db"), states, saves),
            _PUT: saving.with_put(room / "put.db", states, saves),
            _STEP: saving.with_put_writes(room / "writes.db", states, saves),
            "file": saving.with_careful_file(room / "file", states, saves),
        }
        rounds = bench.compare(sides, times=4)
    judged = [speed(each, goal, rounds, ours="ours", theirs=each) for each, goal in goals.items()]
    text = "a careful JSON file (keeps no history)"
    return [*judged, speed(text, None, rounds, ours="ours", theirs="file")]


def _rewritten(bench: Bench, size: int) -> list[Figure]:
    """For information: the hardest case, nothing in common with the state before."""
    saves = bench.size(40, 15)
    states = partial(rewritten, size)
    with bench.room() as room, holdfast.open(room / "ours.db") as engine:
        rounds = bench.compare(
            {
                "ours": saving.with_holdfast(engine, states, saves),
                "raw": saving.with_raw_sqlite(RawStore(room / "raw.db"), states, saves),
            },
            times=4,
        )
    text = "raw sqlite3, every state wholly new"
    return [speed(text, None, rounds, ours="ours", theirs="raw")]


_GOALS_2_KB = {_RAW: at_least(0.8), _PUT: at_least(1.1), _STEP: at_least(1.9)}
_GOALS_20_KB = {_RAW: at_least(0.9), _PUT: at_least(1.05)}

SAVE_2_KB = Row(
    "save-2kb",
    "save 2 KB, one thread, as fast as",
    _GOALS_2_KB,
    partial(_measure, size=2_000, goals=_GOALS_2_KB),
)
SAVE_20_KB = Row(
    "save-20kb",
    "save 20 KB, as fast as",
    _GOALS_20_KB,
    partial(_measure, size=20_000, goals=_GOALS_20_KB),
)
