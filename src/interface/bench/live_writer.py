"""A process that saves until its standard input ends, then prints the seconds of each save."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time

from .options import KB
from .states import Changing, open_for

_SIZE = 2 * KB


def main(path: str, workflow: str) -> None:
    """Save a small state again and again, from when it says so."""
    # Ctrl-C reaches the whole group; whoever started this one ends it, by closing its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    changing = Changing(_SIZE)
    over = threading.Event()
    waits: list[float] = []
    with open_for(path, _SIZE) as engine:
        engine.checkpoint(workflow, state=changing.next())
        print("saving", flush=True)
        threading.Thread(target=_wait_for_the_end, args=(over,), daemon=True).start()
        while not over.is_set():
            state = changing.next()
            begun = time.perf_counter()
            engine.checkpoint(workflow, state=state)
            waits.append(time.perf_counter() - begun)
    print(json.dumps(waits))


def _wait_for_the_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
