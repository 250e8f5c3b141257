"""The asynchronous face: the same promises, awaited; and what only asyncio can do."""

# ruff: noqa: PT012 - what is interrupted is a block, and what it did before matters

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import holdfast
import pytest

AT_ONCE = holdfast.Settings(back_off_base=0.0)


class Crash(KeyboardInterrupt):
    """What ends the program in the middle of its work."""


async def never(*_: Any) -> None:
    raise AssertionError("what is finished must not run again")


def perform(
    target: str | Path, work: Callable[[holdfast.AsyncEngine], Awaitable[None]], **options: Any
) -> None:
    """Run *work* in a loop of its own, on an engine of its own."""

    async def main() -> None:
        async with holdfast.open_async(target, settings=AT_ONCE, **options) as engine:
            await work(engine)

    asyncio.run(main())


async def openings_of(engine: holdfast.AsyncEngine, workflow: str = "w") -> dict[str, str]:
    found = await engine.list(workflow, limit=None)
    return {str(each.id): each.status.value for each in reversed(found) if each.type.opens}


async def crash_in(engine: holdfast.AsyncEngine, **steps: Any) -> None:
    """Run steps that return what is given, and be interrupted after the last."""

    async def block() -> None:
        async with engine.run("w") as run:
            for name, value in steps.items():
                await run.step(name, lambda value=value: value)
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await block()


class TestEngine:
    def test_engine_when_asynchronous_then_it_has_the_methods_of_the_synchronous(self) -> None:
        names = {name for name in dir(holdfast.Engine) if not name.startswith("_")}

        assert names <= set(dir(holdfast.AsyncEngine)) | {"handler", "workflow"}

    def test_engine_when_awaited_then_it_writes_and_looks(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            engine.handler("h")(never)
            written = await engine.checkpoint("w", resume_handler="h", state={"n": 1})
            await engine.checkpoint("w", type="stage_start", stage_id="s")
            await engine.fail("w/s@3", "no luck")
            await engine.heartbeat("w")
            assert (await engine.get(written.id)).state == {"n": 1}
            assert str((await engine.latest("w")).id) == "w/s@4"
            assert len(await engine.list("w", type="stage_start")) == 1
            assert [each.workflow_id for each in await engine.workflows()] == ["w"]
            assert (await engine.context("w")).workflow_state == {"n": 1}
            assert (await engine.outline("w")).inside[0].status == "failed"
            assert await engine.stale() == []
            assert await engine.attempts("w") == []
            assert len(await engine.events()) == 5
            plan = await engine.recover("w", explain=True)
            assert plan.handler == "h"
            await engine.complete("w@1", abandon=True)
            assert await openings_of(engine) == {"w@1": "completed", "w/s@3": "killed"}

        perform(target, work)

    def test_stage_when_used_outside_its_block_then_refused(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run:
                stage = run.stage("s")
                with pytest.raises(holdfast.InvalidRequest, match=r"`async with run\.stage"):
                    await stage.step("a", never)
                async with stage:
                    agent = stage.agent("a")
                    with pytest.raises(holdfast.InvalidRequest, match=r"`async with stage\.agent"):
                        await agent.checkpoint(state={})
                with pytest.raises(holdfast.InvalidRequest, match="used after it was left"):
                    await stage.map(never, ["a"])
                with pytest.raises(holdfast.InvalidId, match="step name None"):
                    await run.step(None, never)  # type: ignore[arg-type]
            assert await openings_of(engine) == {"w@1": "completed", "w/s@2": "completed"}

        perform(target, work)

    def test_engine_when_a_call_is_refused_then_the_same_errors(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            with pytest.raises(holdfast.InvalidId):
                await engine.checkpoint("")
            with pytest.raises(holdfast.StateNotSerializable, match=r"state\.a: tuple"):
                await engine.checkpoint("w", state={"a": (1,)})
            with pytest.raises(holdfast.NotFound):
                await engine.latest("w")
            assert await engine.events() == []

        perform(target, work)

    def test_open_async_when_awaited_then_an_engine_to_be_closed(self, target: str) -> None:
        async def main() -> None:
            engine = await holdfast.open_async(target)
            await engine.checkpoint("w")
            await engine.close()
            with pytest.raises(holdfast.StoreClosed, match="closed"):
                await engine.checkpoint("w")

        asyncio.run(main())

    def test_engine_when_the_store_is_locked_then_the_loop_goes_on(self, store: Path) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            with closing(connect(store, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                waiting = asyncio.ensure_future(engine.checkpoint("w"))
                # Reads need no lock, so this ends while the write cannot.
                assert await engine.events() == []
                assert not waiting.done()
                other.execute("ROLLBACK")
            assert str((await waiting).id) == "w@1"

        perform(store, work)

    def test_engine_when_many_tasks_write_at_once_then_one_chain(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            await asyncio.gather(*(engine.checkpoint("w", patch={str(n): n}) for n in range(40)))
            context = await engine.context("w")
            assert context.workflow_state == {str(n): n for n in range(40)}
            assert [each.sequence for each in context.chain] == list(range(40, 0, -1))

        perform(target, work)


class TestSteps:
    def test_step_when_finished_then_not_run_again_in_any_order_and_side_by_side(
        self, target: str
    ) -> None:
        async def upper(name: str) -> str:
            await asyncio.sleep(0)
            return name.upper()

        async def work(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run:
                first = await asyncio.gather(*(run.step(n, upper, n) for n in "abc"))
            async with engine.run("w") as run:
                again = await asyncio.gather(*(run.step(n, never, n) for n in "cba"))
            assert (first, again) == (["A", "B", "C"], ["C", "B", "A"])

        perform(target, work)

    def test_step_when_interrupted_then_finished_ones_are_kept_and_the_open_one_in_doubt(
        self, target: str
    ) -> None:
        started = asyncio.Event()

        async def hang() -> None:
            started.set()
            await asyncio.Event().wait()

        async def block(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w", handler="h") as run:
                await run.step("done", lambda: [1])
                await run.step("pay", hang)

        async def work(engine: holdfast.AsyncEngine) -> None:
            task = asyncio.create_task(block(engine))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

            assert await openings_of(engine) == {
                "w@1": "active",
                "w/done@2": "completed",
                "w/pay@4": "active",
            }
            (attempt,) = await engine.attempts("w")
            assert attempt.outcome is holdfast.Outcome.GIVEN_UP
            (found,) = await engine.stale()
            assert "given up" in found.because.value
            async with engine.run("w") as run:
                assert run.in_doubt == ("pay",)
                assert await run.step("done", never) == [1]
                assert await run.step("pay", lambda: "paid") == "paid"
            assert (await engine.get("w@1")).retry_count == 0

        perform(target, work)

    def test_step_when_function_is_plain_then_run_in_a_thread_and_the_loop_goes_on(
        self, target: str
    ) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            loop_thread = threading.get_ident()
            let_go = threading.Event()

            def plain() -> bool:
                assert let_go.wait(10)
                return threading.get_ident() == loop_thread

            async def release() -> None:
                let_go.set()

            async with engine.run("w") as run:
                on_loop, _ = await asyncio.gather(run.step("s", plain), release())
            assert on_loop is False

        perform(target, work)

    def test_step_when_a_plain_function_gives_a_coroutine_then_awaited(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            async def answer(n: int) -> int:
                return n

            async with engine.run("w") as run:
                assert await run.step("s", lambda n: answer(n + 1), 41) == 42

        perform(target, work)

    def test_step_when_asked_wrongly_then_the_same_errors(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            await crash_in(engine, s=1)
            async with engine.run("w") as run:
                with pytest.raises(holdfast.InputChanged):
                    await run.step("s", never, 2)
                with pytest.raises(holdfast.DuplicateName):
                    await run.step("s", never)
                with pytest.raises(holdfast.StateNotSerializable, match=r"args\[0\]: set"):
                    await run.step("t", never, {1})
                with pytest.raises(holdfast.StateNotSerializable, match="output of w/u: set"):
                    await run.step("u", lambda: {1})
                rerun = run.using(changed_input="rerun")
                assert await rerun.step("v", lambda n: n, 3) == 3

        perform(target, work)

    def test_using_when_a_coroutine_exceeds_its_time_then_cancelled(self, target: str) -> None:
        cancelled: list[bool] = []

        async def hang() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        async def work(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run:
                with pytest.raises(holdfast.TimedOut, match=r"w/s timed out after 0\.02 s"):
                    await run.using(timeout=0.02).step("s", hang)
            kept = (await engine.get("w/s@2")).error
            assert kept is not None
            assert "timed out" in kept.message

        perform(target, work)
        assert cancelled == [True]

    def test_using_when_a_plain_function_exceeds_its_time_then_timed_out_and_it_no_longer_counts(
        self, target: str
    ) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            let_go = threading.Event()
            async with engine.run("w") as run:
                with pytest.raises(holdfast.TimedOut):
                    await run.using(timeout=0.02).step("s", lambda: let_go.wait(10))
                let_go.set()
            assert "s" not in (await engine.context("w")).outputs

        perform(target, work)

    def test_using_when_function_raises_a_timeout_of_its_own_then_that_one(
        self, target: str
    ) -> None:
        async def late() -> None:
            raise TimeoutError("a socket's")

        async def work(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run:
                with pytest.raises(TimeoutError, match="a socket's") as caught:
                    await run.using(timeout=10).step("s", late)
                assert not isinstance(caught.value, holdfast.TimedOut)

        perform(target, work)

    def test_using_when_retries_are_left_then_tried_again(self, target: str) -> None:
        tries: list[int] = []

        async def flaky() -> str:
            tries.append(1)
            if len(tries) < 3:
                raise OSError("not yet")
            return "well"

        async def work(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run:
                assert await run.using(retries=2).step("s", flaky) == "well"

        perform(target, work)
        assert len(tries) == 3

    def test_using_when_cancelled_then_not_tried_again(self, target: str) -> None:
        tries: list[int] = []

        async def gone() -> None:
            tries.append(1)
            raise asyncio.CancelledError

        async def block(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run:
                await run.using(retries=5).step("s", gone)

        async def work(engine: holdfast.AsyncEngine) -> None:
            with pytest.raises(asyncio.CancelledError):
                await block(engine)

        perform(target, work)
        assert tries == [1]


class TestStages:
    def test_stage_when_used_then_agents_states_and_a_barrier(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w", state={"n": 1}) as run:
                async with run.stage("s", kind="parallel") as stage:
                    await stage.checkpoint(state={"k": 1})
                    async with stage.agent("a", input=7) as agent:
                        await agent.checkpoint(patch={"m": 2})
                        assert (agent.input, agent.state, stage.state) == (7, {"m": 2}, {"k": 1})
                        agent.output = "out"
                    assert await stage.step("b", never_mind, 1) == 1
                await run.barrier("all in")
                await run.checkpoint(patch={"o": 3})
                await run.heartbeat()
                assert run.state == {"n": 1, "o": 3}
            outputs = (await engine.context("w")).outputs
            assert dict(outputs) == {"s/a": "out", "s/b": 1, "s": None}
            barriers = await engine.list("w", type="sync_barrier")
            assert [each.name for each in barriers] == ["all in", "s"]

        async def never_mind(value: int) -> int:
            return value

        perform(target, work)

    def test_map_when_run_then_side_by_side_in_order_and_no_more_than_workers(
        self, target: str
    ) -> None:
        running, most = 0, 0

        async def count(n: int) -> int:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await together.wait()
            running -= 1
            return n * n

        together = asyncio.Barrier(3)

        async def work(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run, run.stage("s", kind="parallel") as stage:
                assert await stage.map(count, range(6), workers=3) == [0, 1, 4, 9, 16, 25]

        perform(target, work)
        assert most == 3

    def test_map_when_some_fail_then_the_others_finish_and_only_the_failed_run_again(
        self, target: str
    ) -> None:
        async def half(n: int) -> int:
            if n % 2:
                raise ValueError(f"odd {n}")
            return n

        async def block(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run, run.stage("s") as stage:
                await stage.map(half, range(4), workers=2)

        async def work(engine: holdfast.AsyncEngine) -> None:
            with pytest.raises(ExceptionGroup, match="2 of 4") as caught:
                await block(engine)
            assert [str(each) for each in caught.value.exceptions] == ["odd 1", "odd 3"]
            ran: list[int] = []

            async def again(n: int) -> int:
                ran.append(n)
                return n

            async with engine.run("w") as run, run.stage("s") as stage:
                assert await stage.map(again, range(4)) == [0, 1, 2, 3]
            assert ran == [1, 3]

        perform(target, work)

    def test_map_when_functions_are_plain_then_run_in_threads_side_by_side(
        self, target: str
    ) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            together = threading.Barrier(4)
            async with engine.run("w") as run, run.stage("s") as stage:
                found = await stage.map(lambda _: together.wait(10) >= 0, range(4), workers=4)
            assert found == [True] * 4

        perform(target, work)

    def test_map_when_cancelled_then_given_up_and_the_finished_are_kept(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            hanging = asyncio.Event()

            async def some(n: int) -> int:
                if n == 1:
                    hanging.set()
                    await asyncio.Event().wait()
                return n

            async def block() -> None:
                async with engine.run("w") as run, run.stage("s") as stage:
                    await stage.map(some, [0, 1, 2], key=str, workers=1)

            task = asyncio.create_task(block())
            await hanging.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await openings_of(engine) == {
                "w@1": "active",
                "w/s@2": "active",
                "w/s/0@3": "completed",
                "w/s/1@5": "active",
            }

        perform(target, work)

    def test_stage_when_an_exception_leaves_it_then_failed(self, target: str) -> None:
        async def block(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run, run.stage("s") as stage, stage.agent("a"):
                raise RuntimeError("no luck")

        async def work(engine: holdfast.AsyncEngine) -> None:
            with pytest.raises(RuntimeError, match="no luck"):
                await block(engine)
            failed = {"w@1": "failed", "w/s@2": "failed", "w/s/a@3": "failed"}
            assert await openings_of(engine) == failed

        perform(target, work)


class TestRuns:
    def test_run_when_awaited_then_a_run_to_be_entered(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            run = await engine.run("w", input=1)
            assert (run.epoch, run.input, run.context.workflow_id) == (1, 1, "w")
            with pytest.raises(holdfast.LeaseHeld):
                await engine.run("w")
            async with run:
                pass
            assert await openings_of(engine) == {"w@1": "completed"}

        perform(target, work)

    def test_run_when_finished_then_what_is_recorded_and_nothing_written(self, target: str) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w") as run:
                await run.step("s", lambda: 1)
            before = await engine.events()
            async with engine.run("w") as run:
                assert await run.step("s", never) == 1
            assert await engine.events() == before

        perform(target, work)

    def test_run_when_left_with_an_exception_then_recorded(self, target: str) -> None:
        async def block(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w"):
                raise ValueError("no luck")

        async def work(engine: holdfast.AsyncEngine) -> None:
            with pytest.raises(ValueError, match="no luck"):
                await block(engine)
            opening = await engine.get("w@1")
            assert (opening.status.value, opening.retry_count) == ("failed", 1)
            assert opening.error is not None
            assert "in block" in opening.error.traceback

        perform(target, work)

    def test_run_when_cancelled_while_it_opens_then_its_lease_is_not_left_behind(
        self, store: Path
    ) -> None:
        async def work(engine: holdfast.AsyncEngine) -> None:
            with closing(connect(store, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                task = asyncio.ensure_future(opened(engine))
                for _ in range(30):  # afterwards the opening has read, and waits for the lock
                    assert await engine.events() == []
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    other.execute("ROLLBACK")
                    await task

        async def opened(engine: holdfast.AsyncEngine) -> None:
            async with engine.run("w"):
                await asyncio.Event().wait()

        perform(store, work)

        with holdfast.open(store) as engine, engine.run("w"):
            pass


class TestStart:
    def test_start_when_finished_interrupted_or_other_input_then_as_for_the_synchronous(
        self, target: str
    ) -> None:
        app = holdfast.Registry()
        ran: list[str] = []

        @app.workflow("w")
        async def release(run: holdfast.AsyncRun) -> dict[str, Any]:
            await run.step("a", lambda: ran.append("a"))
            if run.attempt == 1:
                raise asyncio.CancelledError
            return {"attempt": run.attempt, "input": run.input}

        async def work(engine: holdfast.AsyncEngine) -> None:
            with pytest.raises(asyncio.CancelledError):
                await engine.start("w", workflow_id="x", input=1)
            assert await engine.start("w", workflow_id="x") == {"attempt": 2, "input": 1}
            assert await engine.start("w", workflow_id="x") == {"attempt": 2, "input": 1}
            with pytest.raises(holdfast.InputChanged):
                await engine.start("w", workflow_id="x", input=2)
            with pytest.raises(holdfast.HandlerNotFound):
                await engine.start("v", workflow_id="y")

        perform(target, work, registry=app)
        assert ran == ["a"]

    def test_start_when_running_then_lease_held(self, target: str) -> None:
        app = holdfast.Registry()
        started = asyncio.Event()
        let_go = asyncio.Event()

        @app.workflow("w")
        async def hold(run: holdfast.AsyncRun) -> str:
            started.set()
            await let_go.wait()
            return "first"

        async def work(engine: holdfast.AsyncEngine) -> None:
            task = asyncio.create_task(engine.start("w", workflow_id="x"))
            await started.wait()
            with pytest.raises(holdfast.LeaseHeld, match="epoch 1"):
                await engine.start("w", workflow_id="x")
            let_go.set()
            assert await task == "first"

        perform(target, work, registry=app)

    def test_start_when_the_task_is_cancelled_then_lease_is_given_up(self, target: str) -> None:
        app = holdfast.Registry()
        started = asyncio.Event()

        @app.workflow("w")
        async def hang(run: holdfast.AsyncRun) -> None:
            started.set()
            await asyncio.Event().wait()

        async def work(engine: holdfast.AsyncEngine) -> None:
            task = asyncio.create_task(engine.start("w", workflow_id="x"))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            (attempt,) = await engine.attempts("x")
            assert attempt.outcome is holdfast.Outcome.GIVEN_UP
            assert len(await engine.stale()) == 1

        perform(target, work, registry=app)

    def test_start_when_interrupted_from_the_keyboard_then_lease_is_given_up(
        self, disk_target: str
    ) -> None:
        app = holdfast.Registry()

        @app.workflow("w")
        async def crash(run: holdfast.AsyncRun) -> None:
            raise Crash

        async def work(engine: holdfast.AsyncEngine) -> None:
            await engine.start("w", workflow_id="x")

        with pytest.raises(KeyboardInterrupt):
            perform(disk_target, work, registry=app)

        with holdfast.open(disk_target) as engine:
            (attempt,) = engine.attempts("x")
            assert attempt.outcome is holdfast.Outcome.GIVEN_UP
            assert engine.get("x@1").retry_count == 0


class TestMixed:
    def test_start_when_the_workflow_is_plain_and_the_engine_asynchronous_then_a_plain_run(
        self, target: str
    ) -> None:
        app = holdfast.Registry()

        @app.workflow("w")
        def plain(run: holdfast.Run) -> list[Any]:
            with run.stage("s") as stage:
                found = stage.map(str.upper, ["a", "b"])
            return [type(run).__name__, *found]

        async def work(engine: holdfast.AsyncEngine) -> None:
            assert await engine.start("w", workflow_id="x") == ["Run", "A", "B"]

        perform(target, work, registry=app)

    def test_recover_when_the_handler_is_plain_and_the_engine_asynchronous_then_the_loop_goes_on(
        self, target: str
    ) -> None:
        app = holdfast.Registry()
        inside, let_go = threading.Event(), threading.Event()

        @app.handler("h")
        def plain(run: holdfast.Run) -> str:
            inside.set()
            assert let_go.wait(10)
            return "done"

        async def work(engine: holdfast.AsyncEngine) -> None:
            await engine.checkpoint("w", resume_handler="h")
            task = asyncio.create_task(engine.recover("w"))
            await asyncio.to_thread(inside.wait, 10)
            let_go.set()
            assert (await task).output == "done"

        perform(target, work, registry=app)

    @pytest.mark.parametrize("loop_runs", [False, True])
    def test_start_when_the_workflow_is_asynchronous_and_the_engine_is_not_then_an_async_run(
        self, engine: holdfast.Engine, loop_runs: bool
    ) -> None:
        @engine.workflow("w")
        async def release(run: holdfast.AsyncRun) -> list[Any]:
            async with run.stage("s") as stage:
                found = await stage.map(str.upper, ["a", "b"])
            return [type(run).__name__, *found]

        def start() -> Any:
            return engine.start("w", workflow_id="x")

        async def within_a_loop() -> Any:
            return start()

        given = asyncio.run(within_a_loop()) if loop_runs else start()

        assert given == ["AsyncRun", "A", "B"]

    def test_start_when_an_asynchronous_workflow_is_interrupted_then_lease_is_given_up(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("w")
        async def release(run: holdfast.AsyncRun) -> str:
            if run.attempt == 1:
                raise Crash
            return "done"

        with pytest.raises(KeyboardInterrupt):
            engine.start("w", workflow_id="x")

        assert engine.attempts("x")[0].outcome is holdfast.Outcome.GIVEN_UP
        assert engine.start("w", workflow_id="x") == "done"

    def test_registry_when_decorating_then_a_coroutine_function_stays_one(self) -> None:
        app = holdfast.Registry()
        app.handler("h")(never)

        assert inspect.iscoroutinefunction(never)
        assert app.names() == ("h",)
