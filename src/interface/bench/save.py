"""How long a save takes, and how many there are in a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from ..engine import Engine
from .finding import Finding
from .options import Options
from .samples import Samples, joined
from .states import Changing, open_for


def steps_of(options: Options) -> int:
    """Return how often `measure` tells that it is getting on."""
    return options.writers * (max(1, options.depth) + options.rounds)


def measure(folder: Path, options: Options, advance: Callable[[], None]) -> Finding:
    """Save a whole state of which a message changed, from threads that share an engine.

    Each writer has a workflow of its own, which is *depth* checkpoints deep at the start.
    """
    path = str(folder / "store.db")
    writers = {
        f"writer-{number}": Changing(options.state_size) for number in range(options.writers)
    }
    with open_for(path, options.state_size, "process") as engine:
        for workflow, changing in writers.items():
            _deepen(engine, workflow, changing, options.depth, advance)
    stop = threading.Event()
    with (
        open_for(path, options.state_size) as engine,
        ThreadPoolExecutor(options.writers) as pool,
    ):
        engine.checkpoint("first", state={})  # what happens once is not part of every save
        at_work = [
            pool.submit(_save, engine, workflow, changing, options.rounds, advance, stop)
            for workflow, changing in writers.items()
        ]
        try:
            parts = [each.result() for each in at_work]
        finally:
            stop.set()  # on Ctrl-C the pool waits for its threads
    # Of all writers together, without the time in which each makes its next state.
    rate = sum(len(part.seconds) / sum(part.seconds) for part in parts)
    return Finding("save", options, {"save": joined(parts)}, {"saves per second": rate})


def _deepen(
    engine: Engine, workflow: str, changing: Changing, depth: int, advance: Callable[[], None]
) -> None:
    engine.checkpoint(workflow, state=changing.next())
    advance()
    for patch in islice(changing.patches(), max(0, depth - 1)):
        engine.checkpoint(workflow, patch=patch)
        advance()


def _save(
    engine: Engine,
    workflow: str,
    changing: Changing,
    rounds: int,
    advance: Callable[[], None],
    stop: threading.Event,
) -> Samples:
    samples = Samples()
    for _ in range(rounds):
        if stop.is_set():
            break
        state = changing.next()
        begun = time.perf_counter()
        engine.checkpoint(workflow, state=state)
        samples.seconds.append(time.perf_counter() - begun)
        advance()
    return samples
