"""The hot paths, timed by pytest-benchmark for the developer and its history: `make bench`.

In `make test` each runs once, untimed and with a short history, so that it cannot rot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import holdfast
import pytest

from .sides.histories import patched
from .workload import changing


class Benchmark(Protocol):
    """What pytest-benchmark's fixture can do; it has no types of its own."""

    disabled: bool

    def __call__(self, function: Callable[..., Any], *args: object) -> Any: ...

    def pedantic(
        self, target: Callable[..., Any], *, setup: Callable[[], Any], rounds: int
    ) -> Any: ...


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[holdfast.Engine]:
    with holdfast.open(tmp_path / "store.db") as opened:
        yield opened


@pytest.mark.parametrize("size", [2_000, 20_000, 200_000], ids=["2KB", "20KB", "200KB"])
def test_save_when_one_message_changed_then_it_is_timed(
    benchmark: Benchmark, engine: holdfast.Engine, size: int
) -> None:
    states = changing(size)
    engine.checkpoint("run", state=next(states))

    saved = benchmark(lambda: engine.checkpoint("run", state=next(states)))

    assert engine.latest("run").id == saved.id


@pytest.mark.parametrize("size", [2_000, 200_000], ids=["2KB", "200KB"])
def test_latest_when_its_state_is_read_then_it_is_timed(
    benchmark: Benchmark, engine: holdfast.Engine, size: int
) -> None:
    states = changing(size)
    for _ in range(20):
        last = engine.checkpoint("run", state=next(states))

    found = benchmark(lambda: engine.latest("run").state)

    assert found == last.state


@pytest.mark.parametrize("depth", [10, 1_000, 10_000])
def test_context_when_rebuilt_then_it_is_timed(
    benchmark: Benchmark, tmp_path: Path, depth: int
) -> None:
    if benchmark.disabled and depth > 100:
        pytest.skip("a long history, made for timing alone: make bench")
    path = tmp_path / "store.db"
    patched(path, depth)
    with holdfast.open(path) as engine:
        found = benchmark(lambda: engine.context("run").workflow_state)

    assert found["step"] == depth - 1


def test_recover_when_the_handler_is_empty_then_it_is_timed(
    benchmark: Benchmark, engine: holdfast.Engine
) -> None:
    numbers = count()
    engine.handler("carry-on")(lambda run: run.state["step"])

    def interrupted() -> tuple[tuple[str], dict[str, object]]:
        workflow = f"run-{next(numbers)}"
        engine.checkpoint(workflow, state={"step": 0}, resume_handler="carry-on")
        for step in range(1, 10):
            engine.checkpoint(workflow, patch={"step": step})
        return (workflow,), {}

    result = benchmark.pedantic(engine.recover, setup=interrupted, rounds=20)

    assert result.success
    assert result.output == 9


def test_step_when_its_function_is_empty_then_it_is_timed(
    benchmark: Benchmark, engine: holdfast.Engine
) -> None:
    numbers = count()
    with engine.run("run") as run:
        found = benchmark(lambda: run.step(f"step-{next(numbers)}", int))

    assert found == 0
