"""One process that saves as fast as it can for a while, once it is told to begin.

It prints `ready`, waits for a line on standard input, and then prints what it did as JSON. When it
is given no time it stops at the next line.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from itertools import cycle
from pathlib import Path

import holdfast

from ..workload import changing, made_before


def main(path: Path, workflow: str, seconds: float) -> None:
    """Save 2 KB again and again, for *seconds* or, when that is 0, until told to stop."""
    states = cycle(made_before(changing(2_000), 200))
    stop = threading.Event()
    with holdfast.open(path) as engine:
        engine.checkpoint(workflow, state=next(states))  # what is imported late is there now
        print("ready", flush=True)
        sys.stdin.readline()
        if not seconds:
            threading.Thread(target=_stop_when_told, args=(stop,), daemon=True).start()
        waits: list[float] = []
        begun = now = time.perf_counter()
        while not waits or not (stop.is_set() or (seconds and now - begun >= seconds)):
            state = next(states)
            before = time.perf_counter()
            engine.checkpoint(workflow, state=state)
            now = time.perf_counter()
            waits.append(now - before)
    print(json.dumps({"saves": len(waits), "longest": max(waits), "seconds": now - begun}))


def _stop_when_told(stop: threading.Event) -> None:
    sys.stdin.readline()
    stop.set()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
