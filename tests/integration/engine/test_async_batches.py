"""Tasks of a loop that write at once: one batch, and each its own outcome."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import holdfast
import pytest

TASKS = 32
# Nothing here takes that long, unless it hangs; in seconds.
LONG = 20.0


def test_checkpoint_when_many_tasks_write_at_once_then_each_gets_its_own_id(tmp_path: Path) -> None:
    async def main() -> list[holdfast.Checkpoint]:
        async with holdfast.open_async(tmp_path / "s.db") as engine:
            return await asyncio.gather(
                *(engine.checkpoint(f"w{n % 3}", state={"n": n}) for n in range(TASKS))
            )

    saved = asyncio.run(main())

    assert len({str(each.id) for each in saved}) == TASKS
    with holdfast.open(tmp_path / "s.db") as engine:
        for n, each in enumerate(saved):
            assert engine.get(each.id).state == {"n": n}


def test_checkpoint_when_some_are_refused_then_only_their_tasks_learn_of_it(tmp_path: Path) -> None:
    async def main() -> Any:
        async with holdfast.open_async(tmp_path / "s.db") as engine:
            return await asyncio.gather(
                *(
                    engine.checkpoint("wf", state={"n": n}, parent="wf@999" if n % 4 == 1 else None)
                    for n in range(TASKS)
                ),
                return_exceptions=True,
            )

    outcomes: list[Any] = asyncio.run(main())

    for n, outcome in enumerate(outcomes):
        if n % 4 == 1:
            assert isinstance(outcome, holdfast.NotFound)
        else:
            assert outcome.id.workflow_id == "wf"
    assert len({id(each) for each in outcomes}) == TASKS


def test_checkpoint_when_tasks_are_cancelled_while_they_wait_then_the_others_are_served(
    tmp_path: Path,
) -> None:
    async def main() -> tuple[list[Any], int]:
        async with holdfast.open_async(tmp_path / "s.db") as engine:
            tasks = [
                asyncio.create_task(engine.checkpoint("wf", state={"n": n})) for n in range(TASKS)
            ]
            await asyncio.sleep(0)
            for task in tasks[::3]:
                task.cancel()
            async with asyncio.timeout(LONG):
                outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            return outcomes, len(await engine.list())

    outcomes, kept = asyncio.run(main())

    served = [each for each in outcomes if not isinstance(each, BaseException)]
    assert [type(each) for each in outcomes[::3]] == [asyncio.CancelledError] * len(outcomes[::3])
    assert len(served) == TASKS - len(outcomes[::3])
    assert len(served) <= kept <= TASKS


def test_checkpoint_when_its_task_is_cancelled_twice_then_it_is_let_go_after_the_write(
    tmp_path: Path,
) -> None:
    async def main() -> tuple[object, int]:
        async with holdfast.open_async(tmp_path / "s.db") as engine:
            await engine.checkpoint("wf", name="first")
            with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                task = asyncio.create_task(engine.checkpoint("wf", name="second"))
                for _ in range(3):
                    await asyncio.sleep(0.02)
                    task.cancel()
                    await asyncio.sleep(0)
                    assert not task.done()
                other.execute("ROLLBACK")
            async with asyncio.timeout(LONG):
                (outcome,) = await asyncio.gather(task, return_exceptions=True)
            return outcome, len(await engine.list())

    outcome, kept = asyncio.run(main())

    assert type(outcome) is asyncio.CancelledError
    assert kept == 2


def test_checkpoint_when_the_engine_is_closed_meanwhile_then_each_is_written_or_told(
    tmp_path: Path,
) -> None:
    async def main() -> list[Any]:
        async with holdfast.open_async(tmp_path / "s.db") as engine:
            await engine.checkpoint("wf", name="first")
            tasks = [
                asyncio.create_task(engine.checkpoint("wf", name=f"n{n}")) for n in range(TASKS)
            ]
            await asyncio.sleep(0)
        async with asyncio.timeout(LONG):
            return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(main())

    with holdfast.open(tmp_path / "s.db") as engine:
        kept = {each.name for each in engine.list()} - {"first"}
    assert kept == {each.name for each in outcomes if not isinstance(each, BaseException)}
    errors = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, holdfast.StoreClosed) for each in errors), errors


@pytest.mark.filterwarnings("error")
def test_checkpoint_when_several_loops_come_one_after_the_other_then_each_is_served(
    tmp_path: Path,
) -> None:
    async def main(first: int) -> None:
        async with holdfast.open_async(tmp_path / "s.db") as engine:
            await asyncio.gather(*(engine.checkpoint("wf") for _ in range(first, first + 5)))

    for number in range(4):
        asyncio.run(main(5 * number))

    with holdfast.open(tmp_path / "s.db") as engine:
        assert sorted(each.id.sequence for each in engine.list()) == list(range(1, 21))
    assert not [each for each in threading.enumerate() if each.name.startswith("holdfast-store")]
