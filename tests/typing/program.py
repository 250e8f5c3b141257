"""A user's program, to be read by a type checker: only the public names, strictly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import assert_type

import holdfast

app = holdfast.Registry()


def double(number: int) -> int:
    return 2 * number


@app.workflow("review", retention_days=90)
def review(run: holdfast.Run) -> str:
    with run.stage("read", kind="parallel") as stage:
        stage.map(double, [1, 2], workers=2)
    run.using(timeout=60, retries=2).step("draft", double, 3)
    run.wait("approval", until=timedelta(days=7))
    return "done"


@app.workflow("review-async")
async def review_async(run: holdfast.AsyncRun) -> int:
    await run.step("draft", double, 3)
    return 7


@app.handler("h", timeout=10)
def handle(run: holdfast.Run) -> None:
    assert_type(run.epoch, int)
    assert_type(run.cancelled, bool)


def call(run: holdfast.Run) -> None:
    """A decorator returns the function unchanged, to a type checker as well."""
    assert_type(review(run), str)
    assert_type(handle(run=run), None)
    review()  # type: ignore[call-arg]
    review(run).nonsense()  # type: ignore[attr-defined]


same: Callable[[holdfast.Run], str] = review


def use() -> None:
    with holdfast.open("orchestra.db", registry=app) as engine:
        assert_type(engine, holdfast.Engine)
        assert_type(engine.checkpoint("w", state={"n": 1}), holdfast.Checkpoint)
        assert_type(engine.list("w"), list[holdfast.Checkpoint])
        assert_type(engine.context("w"), holdfast.ExecutionContext)
        assert_type(engine.recover("w"), holdfast.RecoveryResult)
        assert_type(engine.purge(keep=3), holdfast.PurgeReport)
        assert_type(engine.latest("w").id, holdfast.CheckpointId)
        with engine.run("w") as run:
            assert_type(run, holdfast.Run)
        # Each of these is a mistake; were it none to a type checker, that would be one.
        engine.checkpoint("w", sate={})  # type: ignore[call-arg]
        engine.checkpoint(5)  # type: ignore[arg-type]
        engine.list(limit="3")  # type: ignore[arg-type]
        engine.nonsense()  # type: ignore[attr-defined]


async def use_async() -> None:
    async with holdfast.open_async("crew.db", registry=app) as engine:
        assert_type(engine, holdfast.AsyncEngine)
        assert_type(await engine.checkpoint("w"), holdfast.Checkpoint)
        assert_type(await engine.events(), list[holdfast.DomainEvent])
