"""What a program's own tests are given, with pytest and without it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import holdfast
import pytest
from holdfast.testing import ManualClock, fresh_engine, fresh_store

# As a program's tests have them, where they are not a plugin of the whole suite.
from holdfast.testing.fixtures import (
    holdfast_clock,
    holdfast_engine,
    holdfast_registry,
    holdfast_store,
)

__all__ = ["holdfast_clock", "holdfast_engine", "holdfast_registry", "holdfast_store"]


@pytest.fixture(params=["memory", "sqlite", "json"])
def holdfast_store_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def test_engine_when_the_clock_is_turned_then_what_was_left_alone_is_stale(
    holdfast_engine: holdfast.Engine, holdfast_clock: ManualClock
) -> None:
    holdfast_engine.checkpoint("nightly", resume_handler="rebuild")
    assert holdfast_engine.stale() == []

    holdfast_clock.advance(timedelta(minutes=31))

    assert [each.workflow_id for each in holdfast_engine.stale()] == ["nightly"]


def test_engine_when_the_tests_have_handlers_then_it_runs_them(
    holdfast_registry: holdfast.Registry, holdfast_engine: holdfast.Engine
) -> None:
    @holdfast_registry.workflow("hello")
    def hello(run: holdfast.Run) -> str:
        return f"hello {run.input}"

    assert holdfast_engine.start("hello", workflow_id="h", input="you") == "hello you"


@pytest.mark.parametrize("store", ["sqlite", "json"])
def test_fresh_store_when_the_block_ends_then_it_is_gone(store: str) -> None:
    with fresh_store(store) as target:
        place = Path(target.removeprefix("json:"))
        assert not place.exists()
        holdfast.open(target).close()
        assert place.exists()

    assert not place.parent.exists()


def test_fresh_engine_when_the_block_ends_then_it_is_closed() -> None:
    with fresh_engine("json") as engine:
        engine.checkpoint("nightly")

    with pytest.raises(holdfast.StoreClosed):
        engine.checkpoint("nightly")


@pytest.mark.parametrize("make", [fresh_store, fresh_engine])
def test_fresh_when_there_is_no_such_store_then_it_says_which_there_are(
    make: Callable[[str], AbstractContextManager[object]],
) -> None:
    meant = pytest.raises(holdfast.InvalidRequest, match="did you mean 'sqlite'")
    with meant, make("sqlit"):
        pass
