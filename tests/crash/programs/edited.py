"""A workflow in several editions of its code; notes each step that it runs.

    python edited.py STORE LEDGER EDITION

Edition 1 hangs in its third step until it is killed; each other one carries it on.
"""

import sys
import threading
from pathlib import Path
from typing import Any

import holdfast

STORE, LEDGER, EDITION = sys.argv[1], sys.argv[2], sys.argv[3]
app = holdfast.Registry()


def ran(name: str, value: Any) -> Any:
    """Note that a step ran, and give its value."""
    with Path(LEDGER).open("a") as ledger:
        ledger.write(f"{name}\n")
    return value


def hang(name: str) -> None:
    """Say that it hangs, and do."""
    ran(name, None)
    print("hanging", flush=True)
    threading.Event().wait()


def first_edition(run: holdfast.Run) -> Any:
    one = run.step("one", lambda: ran("one", 1))
    two = run.step("two", lambda: ran("two", 2))
    run.step("three", lambda: hang("three"))
    return [one, two]


def comment_and_local(run: holdfast.Run) -> Any:
    # A comment, and another name for a local.
    first = run.step("one", lambda: ran("one", 1))
    second = run.step("two", lambda: ran("two", 2))
    third = run.step("three", lambda: ran("three", 3))
    return [first, second, third]


def step_before(run: holdfast.Run) -> Any:
    zero = run.step("zero", lambda: ran("zero", 0))
    return [zero, *comment_and_local(run)]


def swapped(run: holdfast.Run) -> Any:
    two = run.step("two", lambda: ran("two", 2))
    one = run.step("one", lambda: ran("one", 1))
    return [one, two, run.step("three", lambda: ran("three", 3))]


def removed(run: holdfast.Run) -> Any:
    return [run.step("two", lambda: ran("two", 2)), run.step("four", lambda: ran("four", 4))]


EDITIONS = {
    "first": first_edition,
    "comment": comment_and_local,
    "before": step_before,
    "swapped": swapped,
    "removed": removed,
}
app.workflow("edited")(EDITIONS[EDITION])

with holdfast.open(STORE, registry=app) as engine:
    print(engine.start("edited", workflow_id="wf"))
