"""Workflows that are right, and workflows that are wrong as people get them wrong."""

from __future__ import annotations

import os
import random
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

import holdfast

app = holdfast.Registry()


def double(number: int) -> int:
    return number * 2


def token() -> str:
    return uuid.uuid4().hex


@app.workflow("right")
def right(run: holdfast.Run) -> dict[str, Any]:
    numbers = run.step("numbers", list, [1, 2, 3])
    run.checkpoint(patch={"seen": len(numbers)})
    with run.stage("double", kind="parallel") as stage:
        doubled = stage.map(double, numbers, workers=2)
    with run.stage("talk") as stage, stage.agent("writer", input="draft") as writer:
        if not writer.finished:
            writer.output = "written"
    return {"sum": run.step("sum", sum, doubled), "by": writer.output}


@app.workflow("right-async")
async def right_async(run: holdfast.AsyncRun) -> int:
    numbers = await run.step("numbers", list, [1, 2])
    async with run.stage("double", kind="parallel") as stage:
        doubled = await stage.map(double, numbers, workers=2)
    return sum(doubled)


@app.workflow("right-random")
def right_random(run: holdfast.Run) -> dict[str, Any]:
    """Random, and recorded."""
    drawn = run.step("draw", token)
    return {"token": drawn, "length": run.step("measure", len, drawn)}


@app.workflow("hashes")
def hashes(run: holdfast.Run) -> int:
    """The hash of a text is another one in each process; once recorded, it stays."""
    return int(run.step("hash", hash, "text"))


@app.workflow("asks")
def asks(run: holdfast.Run) -> str:
    draft = run.step("draft", str, "text")
    return f"{draft}: {run.wait('approval', ask=draft)}"


_found: list[int] = []


def find(number: int) -> None:
    _found.append(number)


@app.workflow("memory")
def memory(run: holdfast.Run) -> int:
    """Wrong: what a step left in memory is gone when it is not run again."""
    run.step("first", find, 1)
    run.step("second", find, 2)
    return sum(_found)


@app.workflow("random-input")
def random_input(run: holdfast.Run) -> str:
    """Wrong: a finished step is asked with another input after a kill."""
    return str(run.step("greet", str, random.random()))


@app.workflow("random-result")
def random_result(run: holdfast.Run) -> str:
    """Wrong: no two executions of it agree, and nothing recorded says which counts."""
    return f"{run.step('greet', str, 'hello')} {uuid.uuid4()}"


@app.workflow("random-names")
def random_names(run: holdfast.Run) -> None:
    """Wrong: a step that cannot be found again, whatever it was called."""
    run.step("first", double, 1)
    run.step(f"send-{uuid.uuid4().hex}", double, 2)
    run.step("last", double, 3)


@app.workflow("set-order")
def set_order(run: holdfast.Run) -> list[str]:
    """Wrong: the order of a set of text is another one in each process."""
    names = {"anna", "bert", "carl", "dora", "emil", "fritz"}
    run.step("nothing", double, 1)
    return [each.upper() for each in names]


@app.workflow("counts-twice")
def counts_twice(run: holdfast.Run) -> int:
    """Wrong: an effect that is in no step."""
    with Path(run.input).open("a") as ledger:
        ledger.write("charged\n")
    return int(run.step("double", double, 2))


@app.workflow("loses-its-result")
def loses_its_result(run: holdfast.Run) -> dict[str, Any] | None:
    """Wrong: after a recovery there is no result, of which a member varies anyway."""
    run.step("first", double, 1)
    run.step("second", double, 2)
    return {"at": uuid.uuid4().hex, "rows": 3} if run.epoch == 1 else None


@app.workflow("reruns")
def reruns(run: holdfast.Run) -> str:
    """Wrong: what was finished runs again, with a value of its own each time."""
    run.using(changed_input="rerun").step("greet", str, random.random())
    run.step("last", double, 1)
    return "done"


@app.workflow("fails")
def fails(run: holdfast.Run) -> None:
    raise RuntimeError("out of paper")


@app.workflow("hangs-when-carried-on")
def hangs(run: holdfast.Run) -> None:
    print("looking for the printer", file=sys.stderr)
    if run.attempt > 1:
        signal.pause()
    run.step("double", double, 1)


@app.workflow("dies-by-itself")
def dies(run: holdfast.Run) -> None:
    if run.attempt > 1:
        os._exit(3)
    run.step("double", double, 1)
