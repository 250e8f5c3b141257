"""Handlers for supervisors: each execution is counted in a file outside of the store."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import holdfast

app = holdfast.Registry()
FOLDER = Path(os.environ.get("FLEET_FOLDER", "."))


def count(run: Any) -> None:
    with (FOLDER / "executions").open("a") as file:
        file.write(f"{run.workflow_id} {os.getpid()}\n")


@app.handler("good")
def good(run: holdfast.Run) -> str:
    count(run)
    return "well"


@app.handler("pill")
def pill(run: holdfast.Run) -> None:
    count(run)
    run.checkpoint(patch={"tried": run.attempt})  # which is no progress
    raise ValueError("no luck")


@app.handler("step-by-step")
def step_by_step(run: holdfast.Run) -> None:
    """Get one step further in each attempt."""
    count(run)
    for number in range(8):
        if f"s{number}" not in run.context.outputs:
            run.step(f"s{number}", int)
            if number < 7:
                raise ValueError("one step further")


@app.handler("slow")
def slow(run: holdfast.Run) -> str:
    count(run)
    (FOLDER / "slow-began").touch()
    while not (FOLDER / "let-go").exists():
        time.sleep(0.01)
    return "in the end"


@app.handler("asks")
def asks(run: holdfast.Run) -> Any:
    count(run)
    return run.wait("question")


@app.handler("in-steps")
def in_steps(run: holdfast.Run) -> str:
    """Do eight steps, and say of each when it begins and ends."""
    for number in range(8):
        run.step(f"s{number}", _told, run.workflow_id, number)
    return "well"


def _told(workflow_id: str, number: int) -> int:
    with (FOLDER / "steps").open("a") as file:
        file.write(f"begun {workflow_id} {number}\n")
        file.flush()
        time.sleep(0.02)  # so that a kill finds many at work
        file.write(f"ended {workflow_id} {number}\n")
    return number
