"""Purging, while another process writes."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import holdfast

from ..bench import Bench
from ..figure import Figure, missing, plain
from ..goal import at_least, at_most
from ..interleave import LEAST_ROUNDS
from ..row import Row
from ..sides.histories import patched
from ..sides.saver_process import savers
from ..stopwatch import seconds_of

_KEEP = 100
_SPEED, _WAIT, _FREE = "rows gone a second", "a live writer's longest wait", "free pages left"
_GOALS = {_SPEED: at_least(20_000, "rows/s"), _WAIT: at_most(50, "ms"), _FREE: at_most(0, "pages")}


def _measure(bench: Bench) -> list[Figure]:
    if not hasattr(holdfast.Engine, "purge"):
        return [missing(text, goal, "not built yet") for text, goal in _GOALS.items()]
    depth = bench.size(30_000, 5_000)
    found: list[tuple[float, float, float]] = []
    with bench.room() as room:
        patched(room / "history.db", depth)
        for number in range(LEAST_ROUNDS):
            path = room / f"purged-{number}.db"
            shutil.copyfile(room / "history.db", path)
            found.append(_purge(path, depth))
            path.unlink()
            bench.told()
    return [
        plain(text, goal, median(values), spread=(min(values), max(values)))
        for (text, goal), values in zip(_GOALS.items(), zip(*found, strict=True), strict=True)
    ]


def _purge(path: Path, depth: int) -> tuple[float, float, float]:
    """Return rows gone a second, the writer's longest wait in milliseconds, pages left free."""
    with holdfast.open(path) as engine, savers(path, 1, 0) as (writer,):
        purge: Any = engine.purge  # type: ignore[attr-defined,unused-ignore]
        writer.tell()
        # Of this workflow alone, so that it is known how many rows go; the writer has its own.
        seconds = seconds_of(lambda: purge(workflow="run", keep=_KEEP))
        writer.tell()
        wait = writer.result().longest
        gone = depth - len(engine.list("run", limit=None))
    assert gone >= depth - 2 * _KEEP, f"only {gone} of {depth} were purged"
    with closing(sqlite3.connect(path)) as connection:
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return gone / seconds, wait * 1e3, float(free)


PURGE = Row("purge", "purge down to 100 checkpoints, beside a live writer", _GOALS, _measure)
