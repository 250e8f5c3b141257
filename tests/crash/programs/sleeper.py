"""Takes a workflow, says so, and after a line on standard input tries to write in one way.

    python sleeper.py STORE WORKFLOW LEASE HOW

HOW is checkpoint, complete, fail, heartbeat, step, or hold (does nothing).
"""

import sys
from collections.abc import Callable

import holdfast

STORE, WORKFLOW, LEASE, HOW = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]


def wait() -> None:
    """Say that the lease is held, and wait for a line."""
    print("held", flush=True)
    sys.stdin.readline()


with holdfast.open(STORE) as engine:
    run = engine.run(WORKFLOW, handler="whoever", lease=LEASE)
    opening = str(engine.get(f"{WORKFLOW}@1").id)
    ways: dict[str, Callable[[], object]] = {
        "checkpoint": lambda: run.checkpoint(name="from the dead", state={"zombie": True}),
        "complete": lambda: engine.complete(opening, "from the dead"),
        "fail": lambda: engine.fail(opening, "from the dead"),
        "heartbeat": run.heartbeat,
        "step": lambda: run.step("slow", wait),
        "hold": lambda: None,
    }
    if HOW != "step":
        wait()
    try:
        ways[HOW]()
    except holdfast.HoldfastError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    else:
        print("written", flush=True)
