"""DBOS on SQLite: workflows of steps, run and replayed, timed from within.

What starts a workflow there (a queue that is polled each second) is left out, in its favour.
"""

from __future__ import annotations

import logging
import time
from itertools import count, islice
from pathlib import Path
from typing import Any

from ..interleave import Absent, Side
from ..workload import patches
from .peers import lacking, module

_launched: dict[str, Any] = {}


def replaying(folder: Path, steps: int) -> Side | Absent:
    """Return what replays a workflow whose *steps* steps of 2 KB are all recorded."""
    if why := lacking("dbos"):
        return why
    program = _launch(folder)
    begun = program.DBOS.start_workflow(_launched["work"], "patches", steps)
    begun.get_result()
    original = begun.get_workflow_id()

    def replay() -> float:
        before = _launched["executed"]
        # From the step after the last: nothing is left to do but to read what is recorded.
        forked = program.DBOS.fork_workflow(original, steps + 1)
        seconds = forked.get_result()
        assert _launched["executed"] == before, "a step ran again"
        return float(seconds)

    return replay


def stepping(folder: Path, steps: int) -> Side | Absent:
    """Return what runs a workflow of *steps* empty steps."""
    if why := lacking("dbos"):
        return why
    program = _launch(folder)

    def run() -> float:
        return float(program.DBOS.start_workflow(_launched["work"], "empty", steps).get_result())

    return run


def shut_down() -> None:
    """Stop its threads, where it was started."""
    if _launched:
        _launched["module"].DBOS.destroy(workflow_completion_timeout_sec=0)
        _launched.clear()


def _launch(folder: Path) -> Any:
    """Start it on a new file, with the one workflow that the comparisons need."""
    shut_down()
    dbos = module("dbos")
    url = f"sqlite:///{folder / 'dbos.db'}"
    dbos.DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})
    logging.getLogger("dbos").setLevel(logging.ERROR)
    given = list(islice(patches(2_000), 10))
    numbers = count()

    @dbos.DBOS.step()  # type: ignore[untyped-decorator]
    def patch() -> Any:
        _launched["executed"] += 1
        return given[next(numbers) % len(given)]

    @dbos.DBOS.step()  # type: ignore[untyped-decorator]
    def empty() -> None:
        _launched["executed"] += 1

    @dbos.DBOS.workflow()  # type: ignore[untyped-decorator]
    def work(kind: str, steps: int) -> float:
        step = patch if kind == "patches" else empty
        begun = time.perf_counter()
        for _ in range(steps):
            step()
        return time.perf_counter() - begun

    dbos.DBOS.launch()
    _launched.update(module=dbos, work=work, executed=0)
    return dbos
