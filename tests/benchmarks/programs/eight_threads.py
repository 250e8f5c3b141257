"""Eight threads save through one engine, and through one raw connection behind a lock, in turn.

A program of its own, so that a library which makes each sync slower can be loaded before it.
"""

from __future__ import annotations

import ctypes
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import holdfast

from ..interleave import Absent, Side, interleaved
from ..sides.raw import RawStore
from ..sides.ungrouped import open_ungrouped
from ..workload import State, changing, made_before

THREADS = 8


def side(save: Callable[[int, State], None], saves: int) -> Side:
    """Return what lets eight threads save at once; the seconds until the last is done."""
    states = [changing(2_000) for _ in range(THREADS)]

    def run() -> float:
        ready = threading.Barrier(THREADS + 1)
        made = [made_before(each, saves) for each in states]

        def work(number: int) -> None:
            ready.wait()
            for state in made[number]:
                save(number, state)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        ready.wait()
        begun = time.perf_counter()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun

    return run


def through(engine: holdfast.Engine) -> Callable[[int, State], None]:
    """Save through an engine; each thread its own workflow."""

    def save(number: int, state: State) -> None:
        engine.checkpoint(f"run-{number}", state=state)

    return save


def behind_a_lock(store: RawStore) -> Callable[[int, State], None]:
    """Save as rows, one commit each; each thread its own workflow."""
    lock = threading.Lock()
    saved = [0] * THREADS

    def save(number: int, state: State) -> None:
        saved[number] += 1
        with lock:
            store.save(f"run-{number}", saved[number], state)

    return save


def syncs_made_slower() -> int | None:
    """Return how many syncs the preloaded library has seen; ``None`` when there is none."""
    try:
        return int(ctypes.c_long.in_dll(ctypes.CDLL(None), "slow_syncs").value)
    except ValueError:
        return None


def main(folder: Path, rounds: int, saves: int) -> None:
    """Measure, and print it as JSON."""
    alone = open_ungrouped(folder / "alone.db")
    with holdfast.open(folder / "ours.db") as engine:
        measured = interleaved(
            {
                "ours": side(through(engine), saves),
                "raw": side(behind_a_lock(RawStore(folder / "raw.db")), saves),
                "alone": alone if isinstance(alone, Absent) else side(through(alone), saves),
            },
            rounds,
        )
    print(
        json.dumps(
            {
                "seconds": measured.seconds,
                "absent": measured.absent,
                "slow_syncs": syncs_made_slower(),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
