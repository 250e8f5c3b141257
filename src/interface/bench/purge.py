"""How quickly old checkpoints go, and how long a writer waits meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from ...domain.errors import InvalidRequest
from ..engine import Engine
from .finding import Finding
from .history import fresh_copy, write_history
from .live_writers import live_writers
from .options import Options
from .samples import Samples, joined
from .states import WORKFLOW, open_for

NOT_THERE = "this version of holdfast cannot purge yet, so there is nothing to measure"


def is_there() -> bool:
    """Whether this version can purge."""
    return hasattr(Engine, "purge")


def steps_of(options: Options) -> int:
    """Return how often `measure` tells that it is getting on."""
    return max(1, options.depth - 1) + options.rounds


def measure(folder: Path, options: Options, advance: Callable[[], None]) -> Finding:
    """Purge copies of one workflow down to its newest *keep* checkpoints."""
    if not is_there():
        raise InvalidRequest(NOT_THERE)
    history = folder / "history.db"
    write_history(history, options, advance)
    purges, waits, rates, sizes = Samples(), [], [], []
    for _ in range(options.rounds):
        with fresh_copy(history) as path:
            before = path.stat().st_size
            seconds, gone, waited = _one_purge(path, options)
            purges.seconds.append(seconds)
            rates.append(gone / seconds)
            waits.append(waited)
            sizes.append(path.stat().st_size / before)
        advance()
    series = {"purge": purges}
    meanwhile = joined(waits)
    if meanwhile.seconds:
        series["a writer's save meanwhile"] = meanwhile
    figures = {
        "checkpoints gone per second": median(rates),
        "size of the file afterwards, as a part of before": median(sizes),
    }
    return Finding("purge", options, series, figures)


def _one_purge(path: Path, options: Options) -> tuple[float, int, Samples]:
    """Return the seconds of a purge, how many checkpoints went, and what writers waited."""
    with (
        open_for(str(path), options.state_size) as engine,
        live_writers(path, options.writers) as writers,
    ):
        purge: Any = getattr(engine, "purge")  # noqa: B009 - of a later version
        before = len(engine.list(WORKFLOW, limit=None))
        begun = time.perf_counter()
        purge(workflow=WORKFLOW, keep=options.keep)
        seconds = time.perf_counter() - begun
        writers.stop()
        gone = before - len(engine.list(WORKFLOW, limit=None))
    return seconds, gone, writers.waits
