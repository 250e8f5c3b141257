"""Cancel, retry and fork."""

# ruff: noqa: PT012 - what is interrupted is a block, and what it did before matters

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]


def statuses(engine: holdfast.Engine, workflow: str = "w") -> dict[str, str]:
    found = engine.list(workflow, limit=None)
    return {str(each.id): each.status.value for each in reversed(found) if each.type.opens}


def fail(*_: Any) -> None:
    raise RuntimeError("no luck")


class TestCancel:
    def test_cancel_when_it_runs_then_it_sees_it_at_its_next_checkpoint(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[str] = []

        @engine.workflow("long")
        def long(run: holdfast.Run) -> None:
            run.step("first", lambda: ran.append("first"))
            assert engine.cancel("w") is False
            with run.stage("second") as stage:
                stage.step("part", lambda: ran.append("part"))

        with pytest.raises(holdfast.Cancelled):
            engine.start("long", workflow_id="w")

        assert ran == ["first"]
        assert statuses(engine) == {"w@1": "killed", "w/first@2": "completed"}
        assert engine.get("w@1").reason == "cancelled"
        (attempt,) = engine.attempts("w")
        assert attempt.outcome is holdfast.Outcome.CANCELLED
        kinds = [each.kind.value for each in engine.events()]
        assert (kinds.count("cancel_asked"), kinds.count("killed")) == (1, 1)

    def test_cancel_when_a_step_is_under_way_then_it_is_killed_and_not_failed(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            pytest.raises(holdfast.Cancelled),
            engine.run("w") as run,
            run.stage("s", kind="parallel") as stage,
        ):
            stage.map(lambda _: engine.cancel("w"), ["a"])

        assert statuses(engine) == {"w@1": "killed", "w/s@2": "killed", "w/s/a@3": "killed"}

    def test_cancelled_when_asked_then_heartbeat_and_the_keeper_tell_it(
        self, open_any: OpenEngine, nap_clock: ManualClock
    ) -> None:
        engine = open_any(clock=nap_clock)
        with pytest.raises(holdfast.Cancelled), engine.run("w") as run:
            assert not run.cancelled
            engine.cancel("w")
            assert not run.cancelled
            for _ in range(5):
                nap_clock.advance(5)
            assert run.cancelled  # seen with the lease's renewal
            run.heartbeat()

    def test_cancel_when_the_code_swallows_it_then_nothing_more_is_written(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("stubborn")
        def stubborn(run: holdfast.Run) -> str:
            engine.cancel("w")
            for _ in range(3):
                with pytest.raises(holdfast.Cancelled):
                    run.checkpoint(state={"n": 1})
            return "done"

        with pytest.raises(holdfast.Cancelled):
            engine.start("stubborn", workflow_id="w")

        assert statuses(engine) == {"w@1": "killed"}

    def test_cancel_when_nobody_carries_it_on_then_at_once(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s", resume_handler="h")

        assert engine.cancel("w") is True

        assert statuses(engine) == {"w@1": "killed", "w/s@2": "killed"}
        assert engine.stale() == []

    def test_cancel_when_its_owner_died_then_at_once_and_the_dead_are_fenced(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        owner, other = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        run = owner.run("w", handler="h")
        stopped_clock.advance(61)

        assert other.cancel("w") is True

        assert [each.outcome for each in other.attempts("w")] == [holdfast.Outcome.DIED]
        with pytest.raises(holdfast.Fenced):
            run.checkpoint(name="late")

    def test_recover_when_it_was_asked_to_stop_and_died_before_then_it_is_killed(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.handler("h")(fail)
        engine.run("w", handler="h")
        engine.cancel("w")
        stopped_clock.advance(61)

        plan = engine.recover("w", explain=True)
        with pytest.raises(holdfast.NotRecoverable) as caught:
            engine.recover("w")

        assert plan.would_kill
        assert "was asked to stop" in plan.verdict
        assert caught.value.killed
        assert statuses(engine) == {"w@1": "killed"}

    @pytest.mark.parametrize("how", ["waiting", "failed"])
    def test_cancel_when_it_waits_or_has_failed_then_killed(
        self, engine: holdfast.Engine, how: str
    ) -> None:
        engine.handler("h")(lambda run: run.wait("x") if how == "waiting" else fail())
        engine.checkpoint("w", resume_handler="h")
        engine.recover("w")

        assert engine.cancel("w") is True
        assert set(statuses(engine).values()) == {"killed"}

    def test_cancel_when_there_is_nothing_to_stop_then_an_error(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w"):
            pass
        engine.checkpoint("record")

        with pytest.raises(holdfast.IllegalTransition, match="w is completed"):
            engine.cancel("w")
        with pytest.raises(holdfast.InvalidRequest, match="nothing opened"):
            engine.cancel("record")
        with pytest.raises(holdfast.NotFound):
            engine.cancel("nobody")


class TestRetry:
    def test_retry_when_killed_then_a_new_opening_and_only_what_is_missing_runs(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[str] = []
        lucky = threading.Event()

        @engine.workflow("pill", max_retries=0)
        def pill(run: holdfast.Run) -> Any:
            run.step("good", lambda: ran.append("good"))
            run.step("bad", lambda: ran.append("bad") if lucky.is_set() else fail())
            return run.input

        with pytest.raises(RuntimeError):
            engine.start("pill", workflow_id="w", input={"n": 1})
        assert not engine.recover("w").success
        with pytest.raises(holdfast.NotRecoverable):
            engine.recover("w")
        assert engine.get("w@1").status == "killed"
        lucky.set()

        opening = engine.retry("w")

        assert (opening.status.value, opening.retry_count, opening.input) == ("active", 0, {"n": 1})
        assert engine.get("w@1").status == "killed"
        assert [each.workflow_id for each in engine.stale()] == ["w"]
        assert engine.recover("w").output == {"n": 1}
        assert ran == ["good", "bad"]

    def test_retry_when_it_is_not_killed_then_an_error_that_says_what_to_do(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("active", resume_handler="h")
        with engine.run("done"):
            pass
        engine.checkpoint("record")

        with pytest.raises(holdfast.IllegalTransition, match=r"engine\.recover"):
            engine.retry("active")
        with pytest.raises(holdfast.IllegalTransition, match=r"engine\.fork"):
            engine.retry("done")
        with pytest.raises(holdfast.InvalidRequest):
            engine.retry("record")

    def test_max_attempts_when_reached_then_killed_although_there_was_progress(
        self, open_any: OpenEngine
    ) -> None:
        engine = open_any(settings=holdfast.Settings(back_off_base=0, max_attempts=3))
        steps = iter(range(100))

        @engine.workflow("slow")
        def slow(run: holdfast.Run) -> None:
            for number in range(50):
                if f"s{number}" not in run.context.outputs:
                    run.step(f"s{number}", lambda: next(steps))
                    fail()

        with pytest.raises(RuntimeError):
            engine.start("slow", workflow_id="w")
        results = [engine.recover("w").error for _ in range(2)]

        assert all(error is not None and "no luck" in error.message for error in results)
        opening = engine.get("w@1")
        assert opening.status == "killed"
        assert "executed 3 times, and max_attempts is 3" in (opening.reason or "")


class TestFork:
    @pytest.mark.parametrize("max_retries", [0, 1])
    def test_fork_when_it_never_ran_then_its_first_attempt_is_no_retry(
        self, engine: holdfast.Engine, max_retries: int
    ) -> None:
        ran: list[str] = []

        @engine.workflow("pill", max_retries=max_retries)
        def pill(run: holdfast.Run) -> None:
            ran.append(run.workflow_id)
            raise RuntimeError("no luck")

        with pytest.raises(RuntimeError):
            engine.start("pill", workflow_id="w")
        engine.fork("w@1", "copy")

        assert engine.recover("copy", explain=True).obstacles == ()
        while statuses(engine, "copy")["copy@1"] != "killed":
            engine.recover("copy", force=True)  # whatever the back-off

        assert ran == ["w", *["copy"] * (max_retries + 1)]
        assert f"{max_retries + 1} execution" in (engine.get("copy@1").reason or "")

    def test_fork_when_its_first_attempt_waits_then_no_retry_is_used_up(
        self, engine: holdfast.Engine
    ) -> None:
        engine.workflow("asks")(lambda run: run.wait("approval"))
        with pytest.raises(holdfast.Waiting):
            engine.start("asks", workflow_id="w")
        engine.fork("w@1", "copy")

        engine.recover("copy")

        opening = engine.get("copy@1")
        assert (opening.status, opening.retry_count) == ("waiting", 0)

    def test_fork_when_forked_then_the_same_context_and_what_is_finished_does_not_run_again(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[str] = []

        def note(name: str, value: Any) -> Any:
            ran.append(name)
            return value

        @engine.workflow("build")
        def build(run: holdfast.Run) -> Any:
            run.step("one", lambda: note("one", 1))
            run.checkpoint(name="half", state={"half": [1, 1.0, True, None]})
            with run.stage("parts", kind="parallel") as stage:
                done = stage.map(lambda each: note(each, each * 2), ["a", "b"])
            return [done, run.input]

        engine.start("build", workflow_id="w", input="in")
        half = next(each for each in engine.list("w") if each.name == "half")
        middle = engine.context(half.id)
        ran.clear()

        opening = engine.fork(half.id, "copy")

        assert opening.metadata["forked_from"] == str(half.id)
        assert (opening.resume_handler, opening.input) == ("build", "in")
        forked = engine.context("copy")
        assert forked.workflow_state == middle.workflow_state
        assert forked.outputs == middle.outputs
        assert engine.recover("copy").output == [["aa", "bb"], "in"]
        assert sorted(ran) == ["a", "b"]
        assert engine.context(half.id).to_dict() == middle.to_dict()

    def test_fork_when_the_workflow_is_completed_then_the_fork_is_open(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w", handler="h", state={"n": 1}) as run:
            run.step("s", lambda: "out")
            with run.stage("st") as stage, stage.agent("ag", input=[1]) as agent:
                agent.checkpoint(state={"deep": True})
                agent.output = "o"

        engine.fork(engine.latest("w").id, "again")

        context = engine.context("again")
        assert context.outputs == {"s": "out", "st/ag": "o", "st": None}
        assert context.agents["st", "ag"] == {"deep": True}
        assert [str(each.scope) for each in context.interrupted] == ["again"]
        assert [each.workflow_id for each in engine.stale()] == []

    def test_fork_when_scopes_are_open_then_they_are_open_and_in_doubt(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", type="stage_start", stage_id="s", input=5, resume_handler="h")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="a", state={"x": 1})
        engine.handler("h")(lambda run: list(run.in_doubt))

        engine.fork(engine.latest("w").id, "copy")

        assert engine.recover("copy").output == ["s", "s/a"]
        assert engine.context("copy").agents["s", "a"] == {"x": 1}

    def test_fork_when_the_name_is_taken_or_the_checkpoint_unknown_then_an_error(
        self, engine: holdfast.Engine
    ) -> None:
        saved = engine.checkpoint("w")
        engine.checkpoint("taken")

        with pytest.raises(holdfast.InvalidRequest, match="taken exists already"):
            engine.fork(saved.id, "taken")
        with pytest.raises(holdfast.NotFound):
            engine.fork("w@9", "copy")

    def test_fork_when_the_original_is_deep_then_the_copy_stands_for_itself(
        self, open_sqlite: OpenEngine, store: Path
    ) -> None:
        engine = open_sqlite()
        for number in range(100):
            saved = engine.checkpoint("w", patch={f"k{number}": number})

        engine.fork(saved.id, "copy")

        assert len(engine.context("copy").chain) == 1
        assert engine.context("copy").workflow_state == engine.context("w").workflow_state
