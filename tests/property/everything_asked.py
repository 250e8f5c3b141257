"""A store with something of everything, and every public call on it: for fuzzing what they read."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import holdfast

app = holdfast.Registry()
QUICK = holdfast.Settings(back_off_base=0.0, write_timeout=0.1)


@app.workflow("crew", max_retries=2)
def crew(run: holdfast.Run) -> Any:
    with run.stage("read", kind="parallel") as stage:
        parts = stage.map(str.upper, ["a", "b"])
    if run.input == "bad":
        raise ValueError("no luck")
    if run.input == "wait":
        run.wait("question", ask=parts, until=timedelta(days=2))
    return parts


def fill(target: str) -> None:
    """Put something of everything into a store."""
    with holdfast.open(target, registry=app, settings=QUICK, durability="process") as engine:
        for name in ("good", "bad", "wait"):
            with suppress(ValueError, holdfast.Waiting):
                engine.start("crew", workflow_id=name, input=name)
        for n in range(12):
            state = {"n": n, "text": "x" * 500, "long": n**40}
            engine.checkpoint("flight", state=state, resume_handler="crew", metadata={"k": n})
            engine.checkpoint("a/b", stage_id="ü", state={"n": n})
        engine.purge(workflow_id="a/b", keep=4)
        engine.retain(workflow_id="a/b", days=3)


def every_call(engine: holdfast.Engine, folder: Path) -> Iterator[Callable[[], Any]]:
    """Iterate over calls that read, and then over calls that write."""
    ids = ["good", "bad", "wait", "flight", "a%2Fb"]
    yield engine.workflows
    yield lambda: [(each.state, each.input, each.output) for each in engine.list()]
    yield lambda: engine.list(metadata={"k": 3}, status="completed")
    yield engine.events
    yield lambda: engine.stale(timedelta())
    yield engine.stats
    yield engine.verify
    yield lambda: engine.purge(dry_run=True, keep=3)
    yield lambda: engine.export_to(folder / "out.jsonl")
    for name in ids:
        yield partial(_look_at, engine, name)
    for name in ("flight@3", "a%2Fb/ü@11", "a%2Fb/ü@2"):
        yield partial(_all_of, engine, name)
        yield partial(engine.recover, name, explain=True)
    yield lambda: engine.diff("flight@2", "flight@8")
    yield lambda: engine.checkpoint("flight", state={"n": -1})
    yield lambda: engine.checkpoint("new", patch={"n": -1})
    yield lambda: engine.heartbeat("flight")
    yield lambda: engine.recover("bad")
    yield lambda: engine.recover("flight")
    yield lambda: engine.answer("wait", "question", 1)
    yield lambda: engine.fork("flight@5", "forked")
    yield lambda: engine.cancel("flight")
    yield lambda: engine.consolidate("flight")
    yield lambda: engine.purge(keep=3)
    yield lambda: engine.delete("good")


def use(target: str, folder: Path) -> int:
    """Make every call; errors of the tree are an answer. Return how many there were.

    Raises:
        AssertionError: something else was raised.
    """
    told = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", holdfast.DamagedWarning)
            with holdfast.open(target, registry=app, settings=QUICK) as engine:
                for call in every_call(engine, folder):
                    (folder / "out.jsonl").unlink(missing_ok=True)
                    try:
                        call()
                    except holdfast.HoldfastError:
                        told += 1
    except holdfast.HoldfastError:
        told += 1  # it was not even opened, or closed
    except Exception as error:
        raise AssertionError(f"{type(error).__name__} got out: {error}") from error
    return told


def _look_at(engine: holdfast.Engine, name: str) -> tuple[Any, ...]:
    context = engine.context(name)
    found = (engine.latest(name).state, engine.outline(name), engine.attempts(name))
    return (*found, context.to_dict(), context.chain)


def _all_of(engine: holdfast.Engine, name: str) -> tuple[Any, ...]:
    found = engine.get(name)
    return (found.state, found.input, found.output, found.workflow)
