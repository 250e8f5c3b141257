"""How long it takes to carry on a workflow that was killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..run import Run
from .finding import Finding, Goal
from .history import fresh_copy, write_history
from .live_writers import live_writers
from .options import MB, Options
from .samples import Samples
from .states import HANDLER, WORKFLOW, open_for

WHOLE, RECOVER, OPEN = "whole recovery", "recover", "open the store"

_GOAL_SIZE, _GOAL_SECONDS = 10 * MB, 5.0


def steps_of(options: Options) -> int:
    """Return how often `measure` tells that it is getting on."""
    return max(1, options.depth - 1) + options.rounds


def measure(folder: Path, options: Options, advance: Callable[[], None]) -> Finding:
    """Recover copies of one interrupted workflow, each with a fresh engine.

    A recovery is all five phases and the outcome; its handler reads the state, and does no more.
    """
    history = folder / "history.db"
    write_history(history, options, advance)
    _one_recovery(history, options)  # what is imported late is there from now on
    opened, recovered = Samples(), Samples()
    for _ in range(options.rounds):
        opening, recovering = _one_recovery(history, options)
        opened.seconds.append(opening)
        recovered.seconds.append(recovering)
        advance()
    whole = Samples([sum(both) for both in zip(opened.seconds, recovered.seconds, strict=True)])
    goal = Goal(
        "p90 of a whole recovery under 5 s with a state of 10 MB",
        _GOAL_SECONDS,
        whole.percentile(90),
        applies=options.state_size >= _GOAL_SIZE,
    )
    series = {WHOLE: whole, RECOVER: recovered, OPEN: opened}
    return Finding("recovery", options, series, goal=goal)


def _one_recovery(history: Path, options: Options) -> tuple[float, float]:
    """Return the seconds of opening a copy, and of recovering its workflow."""
    steps: list[object] = []

    def carry_on(run: Run) -> None:
        steps.append(run.state["step"])

    with fresh_copy(history) as path, live_writers(path, options.writers):
        begun = time.perf_counter()
        with open_for(str(path), options.state_size) as engine:
            opened = time.perf_counter()
            engine.handler(HANDLER)(carry_on)
            result = engine.recover(WORKFLOW)
            ended = time.perf_counter()
    if not result.success:
        raise RuntimeError(f"the recovery that was measured failed: {result.error}")
    expected = max(1, options.depth - 2)
    if steps != [expected]:
        raise RuntimeError(f"the recovery that was measured saw step {steps}, not {expected}")
    return opened - begun, ended - opened
