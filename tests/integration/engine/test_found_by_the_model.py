"""What the state machine and the search of ``tests/model`` found, each defect by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.application.queries.find_due import FindDue, find_due
from holdfast.infrastructure.clock import ManualClock

from .conftest import StoppedClock

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]


def done(_: holdfast.Run) -> str:
    return "done"


def failing(_: holdfast.Run) -> None:
    raise ValueError("bad")


def statuses(engine: holdfast.Engine) -> dict[str, str]:
    return {str(each.id): each.status.value for each in engine.list()}


def outcomes(engine: holdfast.Engine) -> list[str | None]:
    return [each.outcome.value if each.outcome else None for each in engine.attempts("w")]


class TestQuestions:
    def test_wait_when_the_question_has_changed_then_the_answer_to_the_old_one_is_none(
        self, engine: holdfast.Engine
    ) -> None:
        drafts = ["first", "second"]

        @engine.workflow("review")
        def review(run: holdfast.Run) -> Any:
            return run.using(changed_input="rerun").wait("approval", ask=drafts[0])

        with pytest.raises(holdfast.Waiting):
            engine.start("review", workflow_id="w")
        engine.answer("w", "approval", "of the first")
        del drafts[0]

        assert engine.recover("w").outcome.value == "waiting"

        assert engine.stale() == []
        engine.answer("w", "approval", "of the second")
        assert engine.recover("w").output == "of the second"

    def test_recover_when_the_clock_was_set_back_after_the_answer_then_carried_on_at_once(
        self, open_any: OpenEngine
    ) -> None:
        clock = ManualClock()
        engine = open_any(clock=clock)
        engine.workflow("ask")(lambda run: run.wait("q"))
        with pytest.raises(holdfast.Waiting):
            engine.start("ask", workflow_id="w")
        engine.answer("w", "q", 1)

        clock.set_wall(clock.moment().wall - timedelta(days=2))

        assert [each.workflow_id for each in engine.stale()] == ["w"]
        assert engine.recover("w").output == 1


class TestLeavingARun:
    def test_leave_when_the_code_went_on_past_being_cancelled_then_killed_all_the_same(
        self, engine: holdfast.Engine
    ) -> None:
        run = engine.run("w", handler="h")
        engine.cancel("w")
        with pytest.raises(holdfast.Cancelled), run, suppress(holdfast.Cancelled):
            run.checkpoint(state={})

        assert statuses(engine) == {"w@1": "killed"}
        assert outcomes(engine) == ["cancelled"]

    def test_leave_when_the_code_went_on_without_an_answer_then_it_waits_all_the_same(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            pytest.raises(holdfast.Waiting),
            engine.run("w", handler="h") as run,
            suppress(holdfast.Waiting),
        ):
            run.wait("q")

        assert statuses(engine) == {"w/q@2": "waiting", "w@1": "waiting"}
        assert outcomes(engine) == ["waiting"]

    def test_leave_when_a_task_went_on_past_being_cancelled_then_killed_all_the_same(
        self, store: Any
    ) -> None:
        async def main() -> None:
            async with holdfast.open_async(store) as engine:
                run = await engine.run("w", handler="h")
                await engine.cancel("w")

                async def go_on() -> None:
                    async with run:
                        with suppress(holdfast.Cancelled):
                            await run.checkpoint(state={})

                with pytest.raises(holdfast.Cancelled):
                    await go_on()
                assert [each.status.value for each in await engine.list("w")] == ["killed"]

        asyncio.run(main())

    def test_checkpoint_when_the_workflow_was_entered_again_then_written_under_the_new_lease(
        self, engine: holdfast.Engine
    ) -> None:
        engine.handler("h")(failing)
        old = engine.run("w", handler="h")
        assert not engine.recover("w", force=True).success
        new = engine.run("w")

        saved = engine.checkpoint("w", state={"mine": True})

        assert saved.epoch == new.epoch == 3
        assert new.state == {"mine": True}
        with pytest.raises(holdfast.Fenced):
            old.checkpoint(state={})
        with new:
            pass
        assert statuses(engine)["w@1"] == "completed"

    def test_checkpoint_when_a_run_that_was_succeeded_is_left_last_then_it_is_an_outsiders(
        self, open_any: OpenEngine
    ) -> None:
        clock = StoppedClock()
        engine = open_any(clock=clock)
        engine.handler("h")(failing)
        old = engine.run("w", handler="h")
        engine.recover("w", force=True)
        with pytest.raises(KeyboardInterrupt), engine.run("w"):
            raise KeyboardInterrupt
        with pytest.raises(holdfast.Fenced), old:
            old.checkpoint(state={})

        assert engine.checkpoint("w", state={"n": 1}).epoch == 3


class TestRecovering:
    def test_recover_when_a_stage_had_failed_and_its_handler_returns_then_completed(
        self, engine: holdfast.Engine
    ) -> None:
        engine.handler("h")(done)
        engine.checkpoint("w", type="workflow_start", resume_handler="h")
        engine.checkpoint("w", type="stage_start", stage_id="s", resume_handler="h")
        engine.fail("w/s@2", "bad")

        result = engine.recover("w/s@2")

        assert result.success
        assert str(result.checkpoint.id if result.checkpoint else "") == "w/s@4"
        assert statuses(engine)["w/s@2"] == "completed"
        assert engine.context("w").outputs == {"s": "done"}

    @pytest.mark.parametrize("names", ["run", "checkpoint"])
    def test_recover_when_the_handler_was_named_after_the_chain_was_added_up_then_it_runs(
        self, open_any: OpenEngine, names: str
    ) -> None:
        engine = open_any()
        engine.handler("h")(done)
        engine.checkpoint("w", type="workflow_start", state={"n": 1})
        engine.checkpoint("w", state={"n": 2})
        engine.consolidate("w")
        if names == "run":
            with pytest.raises(ValueError, match="bad"), engine.run("w", handler="h"):
                raise ValueError("bad")
        else:
            engine.checkpoint("w", stage_id="s", resume_handler="h")

        assert engine.recover("w").output == "done"

    def test_find_due_when_the_clock_was_set_back_by_more_than_any_pause_then_it_is_due(
        self, open_any: OpenEngine
    ) -> None:
        clock = ManualClock()
        engine = open_any(clock=clock, settings=holdfast.Settings(back_off_base=1.0))
        engine.handler("h")(done)
        with pytest.raises(ValueError, match="bad"), engine.run("w", handler="h"):
            raise ValueError("bad")

        clock.set_wall(clock.moment().wall - timedelta(days=2))

        due = engine._kernel.dispatcher.ask(find_due, FindDue(engine.registry))
        assert [each.workflow_id for each in due.ready] == ["w"]

    def test_recover_when_a_workflow_that_waited_was_opened_again_then_no_pause_is_left(
        self, open_any: OpenEngine
    ) -> None:
        clock = ManualClock()
        engine = open_any(clock=clock)
        engine.handler("h")(done)
        with pytest.raises(holdfast.Waiting), engine.run("w", handler="h") as run:
            run.wait("q", until=timedelta(seconds=50))
        engine.checkpoint("w", type="workflow_start")

        plan = engine.recover("w", explain=True)

        assert [each.kind.value for each in plan.obstacles] == []


class _Gone:
    """A host of whose processes all others are gone."""

    def __init__(self, engine: holdfast.Engine) -> None:
        self._owner = replace(engine._kernel.env.host.owner(), pid=1_000_000)

    def owner(self) -> Any:
        return self._owner

    def is_gone(self, owner: Any) -> bool:
        return bool(owner != self._owner)


def elsewhere(engine: holdfast.Engine) -> holdfast.Engine:
    """Let an engine be that of another process, which knows that the first one is gone."""
    dispatcher = engine._kernel.dispatcher
    dispatcher.env = replace(dispatcher.env, host=_Gone(engine))
    return engine


class TestKilledInsteadOfRecovered:
    @pytest.fixture
    def engines(self, store: Any) -> Any:
        engines = [holdfast.open(store, clock=StoppedClock()) for _ in range(2)]
        yield engines
        for each in engines:
            each.close()

    def asked_to_stop_and_gone(
        self, engines: list[holdfast.Engine]
    ) -> tuple[holdfast.Run, holdfast.Engine]:
        first, second = engines
        second.handler("h")(done)
        run = first.run("w", handler="h")
        first.cancel("w")
        elsewhere(second)
        with pytest.raises(holdfast.NotRecoverable):
            second.recover("w")
        assert statuses(second) == {"w@1": "killed"}
        return run, second

    def test_retry_when_it_was_asked_to_stop_before_then_it_is_carried_on(
        self, engines: list[holdfast.Engine]
    ) -> None:
        _, second = self.asked_to_stop_and_gone(engines)

        second.retry("w")

        assert second.recover("w").output == "done"

    def test_run_when_it_wakes_up_after_it_was_killed_then_fenced(
        self, engines: list[holdfast.Engine]
    ) -> None:
        run, second = self.asked_to_stop_and_gone(engines)

        with pytest.raises(holdfast.Fenced):
            run.heartbeat()

        with suppress(holdfast.Fenced):
            run.__exit__(None, None, None)
        assert outcomes(second) == ["died"]
