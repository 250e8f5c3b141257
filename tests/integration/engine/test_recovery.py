"""Recovery: what stands in the way, whose handler runs, and how it ends."""

# ruff: noqa: PT012 - what is interrupted is a block, and what it did before matters

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

from .damaging import cut_payload, edit, flip, lose_payload, remove
from .locking import locked

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]

SLOW = holdfast.Settings(back_off_base=3600, back_off_cap=3600)


class Crash(KeyboardInterrupt):
    """What ends the program in the middle of its work."""


def crash(*_: Any) -> None:
    raise Crash


def never(*_: Any) -> None:
    raise AssertionError("this must not run")


def openings_of(engine: holdfast.Engine, workflow: str = "w") -> dict[str, str]:
    found = engine.list(workflow, limit=None)
    return {str(each.id): each.status.value for each in reversed(found) if each.type.opens}


def trace(engine: holdfast.Engine) -> list[Any]:
    """Return everything that a change would show in."""
    kept = engine.list(limit=None)
    states = [(each.id, each.status, each.retry_count, each.updated_at) for each in kept]
    return [engine.events(limit=10_000), states, [engine.attempts(each) for each in _names(engine)]]


def _names(engine: holdfast.Engine) -> list[str]:
    return [str(each.head.scope.workflow) for each in engine.workflows()]


def reasons_of(engine: holdfast.Engine, target: str = "w", **options: Any) -> tuple[str, ...]:
    """Return why nothing is run; `explain` must say the same, and change nothing."""
    before = trace(engine)
    plan = engine.recover(target, explain=True, **options)
    assert trace(engine) == before
    with pytest.raises(holdfast.NotRecoverable) as caught:
        engine.recover(target, **options)
    assert tuple(map(str, plan.obstacles)) == caught.value.reasons
    return caught.value.reasons


class TestReasons:
    def test_recover_when_target_does_not_exist_then_not_found(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w")

        for text, missing in (("w@2", "w@2"), ("v", "workflow v"), ("v@1", "v")):
            for explain in (False, True):
                with pytest.raises(holdfast.NotFound, match=f"{missing} does not exist"):
                    engine.recover(text, explain=explain)

    @pytest.mark.parametrize("text", ["", "w/s", "w@0"])
    def test_recover_when_target_is_no_id_then_invalid(
        self, engine: holdfast.Engine, text: str
    ) -> None:
        with pytest.raises(holdfast.InvalidId):
            engine.recover(text)

    def test_recover_when_completed_then_says_since_when(self, engine: holdfast.Engine) -> None:
        engine.handler("h")(never)
        engine.checkpoint("w", resume_handler="h")
        engine.complete("w@1")

        (reason,) = reasons_of(engine)
        (forced,) = reasons_of(engine, force=True)

        since = engine.get("w@1").updated_at.isoformat()
        assert reason == forced == f"w is completed since {since}; nothing is to be done"

    def test_recover_when_a_record_is_completed_then_says_so(self, engine: holdfast.Engine) -> None:
        engine.handler("h")(never)
        engine.checkpoint("w")
        engine.complete("w@1")

        (reason,) = reasons_of(engine, handler="h")

        assert "completed" in reason

    def test_recover_when_killed_then_says_why_and_what_to_do(
        self, engine: holdfast.Engine
    ) -> None:
        engine.handler("h")(never)
        with pytest.raises(RuntimeError), engine.run("w", handler="h", max_retries=0):
            raise RuntimeError("no luck")

        (reason,) = reasons_of(engine)
        (forced,) = reasons_of(engine, force=True)

        assert reason == forced
        assert all(part in reason for part in ("w was killed at", "no luck", "open it anew"))

    def test_recover_when_killed_then_what_the_error_advises_works(
        self, engine: holdfast.Engine
    ) -> None:
        engine.handler("h")(lambda run: run.state["n"])
        with pytest.raises(RuntimeError), engine.run("w", handler="h", max_retries=0) as run:
            run.checkpoint(state={"n": 7})
            raise RuntimeError("no luck")
        with pytest.raises(holdfast.NotRecoverable, match=r"engine\.retry"):
            engine.recover("w")

        engine.retry("w")

        assert engine.recover("w").output == 7

    def test_recover_when_held_then_says_who_since_when_and_until_when(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)
        engine.handler("h")(never)
        with engine.run("w", handler="h"):
            begun = clock.moment().wall
            clock.advance(1)

            (reason,) = reasons_of(engine)

        assert f"since {begun.isoformat()} (epoch 1" in reason
        assert "lease until" in reason
        assert "process" in reason

    def test_recover_when_not_due_then_says_when_and_later_it_runs(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock, settings=SLOW)
        engine.handler("h")(lambda _: "well")
        with pytest.raises(RuntimeError), engine.run("w", handler="h"):
            raise RuntimeError
        due = engine.get("w@1").due_at
        assert due is not None

        (reason,) = reasons_of(engine)
        clock.advance((due - clock.moment().wall).total_seconds())

        assert f"not due before {due.isoformat()}" in reason
        assert clock.moment().wall == due
        assert engine.recover("w").output == "well"
        assert engine.get("w@1").due_at is None

    def test_recover_when_not_due_and_forced_then_it_runs(self, open_any: OpenEngine) -> None:
        engine = open_any(settings=SLOW)
        engine.handler("h")(lambda _: "well")
        with pytest.raises(RuntimeError), engine.run("w", handler="h"):
            raise RuntimeError

        assert engine.recover("w", force=True).output == "well"

    @pytest.mark.parametrize("force", [False, True])
    def test_recover_when_handler_is_unknown_then_lists_those_that_are(
        self, engine: holdfast.Engine, force: bool
    ) -> None:
        engine.handler("h")(never)
        engine.checkpoint("w", resume_handler="gone")

        (reason,) = reasons_of(engine, force=force)
        (override,) = reasons_of(engine, handler="hh", force=force)

        assert "'gone' is not registered here (known: h)" in reason
        assert "'hh' is not registered here (did you mean 'h'? known: h)" in override

    def test_recover_when_nobody_named_a_handler_then_says_how(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w")

        (reason,) = reasons_of(engine)

        assert "handler=" in reason

    def test_recover_when_there_are_several_reasons_then_every_one(
        self, open_any: OpenEngine
    ) -> None:
        engine = open_any(settings=SLOW)
        with pytest.raises(RuntimeError), engine.run("w", handler="gone"):
            raise RuntimeError

        not_due, unknown = reasons_of(engine)

        assert "not due before" in not_due
        assert "'gone' is not registered" in unknown
        with pytest.raises(holdfast.NotRecoverable, match=r"not due .*; .*not registered"):
            engine.recover("w")

    def test_recover_when_held_and_handler_unknown_then_both_reasons(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w", handler="gone"):
            held, unknown = reasons_of(engine)
            (forced,) = reasons_of(engine, force=True)

        assert "carries it on" in held
        assert "not registered" in unknown
        assert forced == unknown

    def test_recover_when_the_process_died_and_retries_are_used_up_then_killed(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.handler("h")(never)
        engine.run("w", handler="h", max_retries=0).stage("s").__enter__()
        stopped_clock.advance(61)

        plan = engine.recover("w", explain=True)
        with pytest.raises(holdfast.NotRecoverable) as caught:
            engine.recover("w")

        assert plan.would_kill
        assert plan.verdict == (
            "would kill w: its retries are used up: 1 execution, without progress (max_retries is "
            "0); a recovery closes it as killed, with force=True it runs once more"
        )
        assert caught.value.killed
        assert str(caught.value).startswith(
            "w was closed as killed: its retries are used up: 1 execution, without progress "
            "(max_retries is 0); open it anew with engine.retry"
        )
        assert openings_of(engine) == {"w@1": "killed", "w/s@2": "killed"}
        assert "retries are used up" in (engine.get("w@1").reason or "")
        assert engine.attempts("w")[0].outcome is holdfast.Outcome.DIED
        assert engine.stale() == []

    def test_recover_when_retries_are_used_up_and_forced_then_it_runs(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.handler("h")(lambda _: "well")
        engine.run("w", handler="h", max_retries=0)
        stopped_clock.advance(61)

        assert engine.recover("w", force=True, explain=True).verdict == (
            "would resume w with handler 'h'"
        )
        assert engine.recover("w", force=True).output == "well"

    def test_start_when_retries_are_used_up_then_killed_and_says_so(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.workflow("h", max_retries=0)(never)
        engine.run("w", handler="h", max_retries=0)
        stopped_clock.advance(61)

        with pytest.raises(holdfast.NotRecoverable, match="w was closed as killed") as caught:
            engine.start("h", workflow_id="w")

        assert caught.value.killed
        assert openings_of(engine) == {"w@1": "killed"}

    def test_recover_when_retries_are_used_up_and_handler_unknown_then_not_killed(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.run("w", handler="gone", max_retries=0)
        stopped_clock.advance(61)

        used_up, unknown = reasons_of(engine)

        assert "used up" in used_up
        assert "not registered" in unknown
        assert openings_of(engine) == {"w@1": "active"}


class TestExplain:
    def test_explain_when_it_would_run_then_says_what_and_changes_nothing(
        self, engine: holdfast.Engine
    ) -> None:
        engine.handler("h")(never)
        with pytest.raises(Crash), engine.run("w", handler="h", max_retries=2) as run:
            run.step("done", int)
            run.step("open", crash)
        before = trace(engine)

        plan = engine.recover("w", explain=True)

        assert (plan.workflow_id, str(plan.scope), plan.handler) == ("w", "w", "h")
        assert (plan.status, str(plan.checkpoint_id)) == ("active", "w/open@4")
        assert list(map(str, plan.open_scopes)) == ["w", "w/open"]
        assert (plan.obstacles, plan.damage, plan.fell_back_from) == ((), None, None)
        assert (plan.attempts, plan.retry_count, plan.max_retries) == (1, 0, 2)
        assert plan.lease is not None
        assert plan.lease.epoch == 1
        assert plan.verdict == "would resume w with handler 'h'"
        assert not plan.would_kill
        assert trace(engine) == before

    def test_explain_when_a_checkpoint_is_named_then_its_scope_is_told_beside_whose_handler_runs(
        self, engine: holdfast.Engine
    ) -> None:
        engine.handler("h")(never)
        engine.checkpoint("w", resume_handler="h")
        engine.checkpoint("w", type="stage_start", stage_id="s")

        plan = engine.recover("w/s@3", explain=True)

        assert (str(plan.target), str(plan.target_scope), str(plan.scope)) == ("w/s@3", "w/s", "w")

    def test_explain_when_something_is_in_the_way_then_the_verdict_has_every_reason(
        self, open_any: OpenEngine
    ) -> None:
        engine = open_any(settings=SLOW)
        with pytest.raises(RuntimeError), engine.run("w", handler="gone"):
            raise RuntimeError

        plan = engine.recover("w", explain=True)

        assert plan.verdict.startswith("would not resume w: it is not due before")
        assert "'gone' is not registered" in plan.verdict

    @pytest.mark.parametrize("force", [False, True])
    def test_explain_when_forced_then_what_force_passes_over_is_no_obstacle(
        self, open_any: OpenEngine, force: bool
    ) -> None:
        engine = open_any(settings=SLOW)
        engine.handler("h")(never)
        with pytest.raises(RuntimeError), engine.run("w", handler="h"):
            raise RuntimeError
        before = trace(engine)

        plan = engine.recover("w", force=force, explain=True)

        assert len(plan.obstacles) == (0 if force else 1)
        assert trace(engine) == before


class TestHandlers:
    @pytest.fixture
    def three(self, engine: holdfast.Engine) -> holdfast.Engine:
        """Return an engine with a workflow whose scopes have handlers of their own, or none."""
        for name in ("of workflow", "of stage", "of agent", "other"):
            engine.handler(name)(lambda _, name=name: name)
        engine.checkpoint("w", type="workflow_start", resume_handler="of workflow")
        engine.checkpoint("w", type="stage_start", stage_id="s", resume_handler="of stage")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="a")
        engine.checkpoint("w", stage_id="s", agent_id="a", resume_handler="of agent")
        engine.checkpoint("w", type="agent_start", stage_id="s", agent_id="b")
        engine.checkpoint("w", type="stage_start", stage_id="t")
        return engine

    @pytest.mark.parametrize(
        ("named", "handler", "completed"),
        [
            ("w", "of workflow", "w"),
            ("w@1", "of workflow", "w"),
            ("w/s@2", "of stage", "w/s"),
            ("w/s/a@3", "of agent", "w/s/a"),
            ("w/s/a@4", "of agent", "w/s/a"),
            ("w/s/b@5", "of stage", "w/s"),
            ("w/t@6", "of workflow", "w"),
        ],
    )
    def test_recover_when_a_checkpoint_is_named_then_the_handler_of_its_scope_runs(
        self, three: holdfast.Engine, named: str, handler: str, completed: str
    ) -> None:
        result = three.recover(named)

        assert result.output == handler
        assert result.checkpoint is not None
        assert str(result.checkpoint.scope) == completed
        assert (result.checkpoint.type.closes, result.workflow_id) == (True, "w")
        attempt = three.attempts("w")[-1]
        assert attempt.handler == handler
        assert attempt.target == (holdfast.CheckpointId.parse(named) if "@" in named else None)

    def test_recover_when_a_stage_is_completed_then_the_workflow_is_still_to_be_carried_on(
        self, three: holdfast.Engine
    ) -> None:
        result = three.recover("w/s@2")

        assert set(map(str, result.abandoned)) == {"w/s/a", "w/s/b"}
        assert openings_of(three) == {
            "w@1": "recovering",
            "w/s@2": "completed",
            "w/s/a@3": "killed",
            "w/s/b@5": "killed",
            "w/t@6": "active",
        }
        (found,) = three.stale()
        assert found.workflow_id == "w"
        (reason,) = reasons_of(three, "w/s@2")
        assert "w/s is completed" in reason
        assert three.recover("w").success

    def test_recover_when_a_handler_is_given_then_that_one_runs(
        self, three: holdfast.Engine
    ) -> None:
        result = three.recover("w", handler="other")

        assert result.output == "other"
        assert openings_of(three)["w@1"] == "completed"

    def test_recover_when_a_stage_handler_closes_its_stage_itself_then_completed_once(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.handler("h")
        def handle(run: holdfast.Run) -> str:
            with run.stage("s") as stage:
                stage.step("a", int)
            return "done"

        engine.checkpoint("w", type="stage_start", stage_id="s", resume_handler="h")

        result = engine.recover("w/s@2")

        assert result.success
        assert len(engine.list("w", type="stage_complete")) == 1
        assert openings_of(engine) == {
            "w@1": "recovering",
            "w/s@2": "completed",
            "w/s/a@3": "completed",
        }

    def test_recover_when_a_record_and_a_handler_is_given_then_opened_and_completed(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.handler("h")
        def handle(run: holdfast.Run) -> Any:
            return run.state

        engine.checkpoint("w", state={"n": 1})

        result = engine.recover("w", handler="h")

        assert result.output == {"n": 1}
        assert openings_of(engine) == {"w@2": "completed"}
        assert engine.get("w@2").resume_handler == "h"

    def test_recover_when_it_runs_then_the_handler_has_the_context_at_the_head(
        self, engine: holdfast.Engine
    ) -> None:
        seen: list[Any] = []

        @engine.handler("h")
        def handle(run: holdfast.Run) -> None:
            context = run.context
            seen.append([run.epoch, run.attempt, run.input, run.state, dict(context.outputs)])
            seen.append([str(each.scope) for each in context.interrupted])

        with pytest.raises(Crash), engine.run("w", handler="h", input=7) as run:
            run.step("done", lambda: [1])
            run.checkpoint(state={"n": 1})
            run.step("open", crash)

        engine.recover("w@1")

        assert seen == [[2, 2, 7, {"n": 1}, {"done": [1]}], ["w", "w/open"]]

    def test_recover_when_named_raw_then_found(self, engine: holdfast.Engine) -> None:
        engine.handler("h")(lambda _: "done")
        engine.checkpoint("a/b", resume_handler="h")

        assert engine.recover(workflow_id="a/b").output == "done"


class TestReturning:
    def test_recover_when_handler_returns_then_completed_and_retries_reset(
        self, engine: holdfast.Engine
    ) -> None:
        made = {"list": [1]}
        engine.handler("h")(lambda _: made)
        with pytest.raises(RuntimeError), engine.run("w", handler="h"):
            raise RuntimeError
        assert engine.get("w@1").retry_count == 1

        result = engine.recover("w")

        made["list"].append(2)
        assert (result.success, result.error, result.abandoned) == (True, None, ())
        assert (result.output, result.attempt, result.workflow_id) == ({"list": [1]}, 2, "w")
        assert (result.fell_back_from, result.reasons) == (None, ())
        assert result.duration_s >= 0
        assert result.checkpoint is not None
        assert engine.latest("w").id == result.checkpoint.id
        assert result.checkpoint.output == {"list": [1]}
        opening = engine.get("w@1")
        assert (opening.status.value, opening.retry_count) == ("completed", 0)
        first, second = engine.attempts("w")
        assert [each.number for each in (first, second)] == [1, 2]
        assert [each.epoch for each in (first, second)] == [1, 2]
        assert first.outcome is holdfast.Outcome.FAILED
        assert second.outcome is holdfast.Outcome.COMPLETED
        assert second.ended_at is not None
        assert second.ended_at >= second.begun_at

    def test_recover_when_agents_are_left_unfinished_then_killed_and_listed_never_completed(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.handler("h")
        def handle(run: holdfast.Run) -> str:
            with run.stage("t") as stage:
                stage.step("c", int)
            return "that is all"

        with pytest.raises(Crash), engine.run("w", handler="h") as run, run.stage("s") as stage:
            stage.step("done", int)
            stage.agent("a").__enter__()
            stage.step("b", crash)

        result = engine.recover("w")

        assert set(map(str, result.abandoned)) == {"w/s/a", "w/s/b", "w/s"}
        assert len(result.abandoned) == 3
        statuses = {key.split("@")[0]: status for key, status in openings_of(engine).items()}
        assert statuses == {
            "w": "completed",
            "w/s": "killed",
            "w/s/done": "completed",
            "w/s/a": "killed",
            "w/s/b": "killed",
            "w/t": "completed",
            "w/t/c": "completed",
        }
        assert engine.get("w/s/a@5").reason == "left open by h"
        assert set(engine.context("w").outputs) == {"s/done", "t/c", "t"}

    def test_recover_when_a_workflow_died_then_finished_steps_are_not_repeated(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[str] = []

        @engine.workflow("w")
        def work(run: holdfast.Run) -> list[Any]:
            first = run.step("a", lambda: ran.append("a"))
            with run.stage("s", kind="parallel") as stage:
                rest = stage.map(half, ["x", "y"], workers=1)
            return [first, *rest]

        def half(name: str) -> str:
            ran.append(name)
            if name == "y" and ran.count("y") == 1:
                raise Crash
            return name.upper()

        with pytest.raises(Crash):
            engine.start("w", workflow_id="w")

        result = engine.recover("w")

        assert result.output == [None, "X", "Y"]
        assert ran == ["a", "x", "y", "y"]

    def test_recover_when_handler_closed_the_workflow_itself_then_its_word_counts(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.handler("h")
        def handle(run: holdfast.Run) -> str:
            engine.complete("w@1", "by hand", abandon=True)
            return "ignored"

        engine.checkpoint("w", resume_handler="h")

        result = engine.recover("w")

        assert result.success
        assert engine.latest("w").output == "by hand"
        assert openings_of(engine) == {"w@1": "completed"}

    def test_recover_when_repeated_then_nothing_runs_twice(self, engine: holdfast.Engine) -> None:
        ran: list[int] = []
        engine.handler("h")(lambda run: ran.append(run.attempt))
        engine.checkpoint("w", resume_handler="h")

        engine.recover("w")
        with pytest.raises(holdfast.NotRecoverable, match="completed"):
            engine.recover("w")

        assert ran == [1]

    def test_recover_when_two_try_at_once_then_one_runs_and_the_other_hears_who(
        self, open_engine: OpenEngine
    ) -> None:
        app = holdfast.Registry()
        ran: list[int] = []
        app.handler("h")(lambda run: ran.append(run.attempt))
        engines = [open_engine(registry=app) for _ in range(3)]
        engines[0].checkpoint("w", resume_handler="h")
        together = threading.Barrier(3)
        outcomes: list[str] = []

        def recover(engine: holdfast.Engine) -> None:
            together.wait(10)
            try:
                outcomes.append("ran" if engine.recover("w").success else "failed")
            except holdfast.NotRecoverable as refused:
                outcomes.append(refused.reasons[0])

        threads = [threading.Thread(target=recover, args=[each]) for each in engines]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

        assert ran == [1]
        assert outcomes.count("ran") == 1
        others = [each for each in outcomes if each != "ran"]
        assert len(others) == 2
        assert all("carries it on" in each or "completed" in each for each in others)


class Meanwhile(holdfast.Registry):
    """Lets something happen between the look at a workflow and the taking of its lease."""

    happens: Callable[[], object] | None = None

    def get(self, name: str) -> Any:
        if self.happens is not None:
            happens, self.happens = self.happens, None
            happens()
        return super().get(name)


class TestTwoAtOnce:
    """What was seen before the lease was taken may be over by then."""

    @pytest.fixture
    def app(self) -> Meanwhile:
        return Meanwhile()

    def test_recover_when_completed_meanwhile_then_nothing_is_repeated(
        self, open_engine: OpenEngine, app: Meanwhile
    ) -> None:
        engine, other = open_engine(registry=app), open_engine()
        app.handler("h")(never)
        other.handler("h")(lambda _: "by the other")
        engine.checkpoint("w", resume_handler="h")
        app.happens = lambda: other.recover("w")

        with pytest.raises(holdfast.NotRecoverable, match="completed"):
            engine.recover("w")

        assert engine.latest("w").output == "by the other"

    def test_recover_when_its_stage_was_completed_meanwhile_then_nothing_is_repeated(
        self, open_engine: OpenEngine, app: Meanwhile
    ) -> None:
        engine, other = open_engine(registry=app), open_engine()
        ran: list[str] = []
        app.handler("h")(lambda _: ran.append("again"))
        other.handler("h")(lambda _: ran.append("by the other"))
        engine.checkpoint("w", type="stage_start", stage_id="s", resume_handler="h")
        app.happens = lambda: other.recover("w/s@2")

        with pytest.raises(holdfast.NotRecoverable, match="w/s is completed"):
            engine.recover("w/s@2")

        assert ran == ["by the other"]

    def test_recover_when_the_other_got_further_meanwhile_then_carried_on_from_there(
        self, open_engine: OpenEngine, app: Meanwhile
    ) -> None:
        engine, other = open_engine(registry=app), open_engine()
        ran: list[str] = []

        def handle(run: holdfast.Run) -> None:
            run.step("a", ran.append, "a")
            if run.attempt == 1:
                raise Crash

        app.handler("h")(handle)
        other.handler("h")(handle)
        engine.checkpoint("w", resume_handler="h")

        def recover_and_crash() -> None:
            with pytest.raises(Crash):
                other.recover("w")

        app.happens = recover_and_crash

        assert engine.recover("w").attempt == 2

        assert ran == ["a"]

    def test_recover_when_the_other_fell_back_and_got_further_then_carried_on_from_there(
        self, open_engine: OpenEngine, app: Meanwhile, disk_target: str
    ) -> None:
        ran: list[str] = []

        def handle(run: holdfast.Run) -> None:
            run.step("a", ran.append, "a")
            if run.attempt == 1:
                raise Crash

        first = open_engine()
        first.checkpoint("w", resume_handler="h")
        first.checkpoint("w", state={"damaged": "soon"})
        first.close()
        flip(disk_target, 3)
        engine, other = open_engine(registry=app), open_engine()
        app.handler("h")(handle)
        other.handler("h")(handle)

        def recover_and_crash() -> None:
            with pytest.raises(Crash):
                other.recover("w")

        app.happens = recover_and_crash

        assert engine.recover("w").attempt == 2

        assert ran == ["a"]


class TestRaising:
    def test_recover_when_handler_raises_then_failed_and_due_after_back_off(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock, settings=SLOW)

        @engine.handler("h")
        def handle(run: holdfast.Run) -> None:
            raise ValueError("no luck")

        engine.checkpoint("w", resume_handler="h")

        result = engine.recover("w")

        assert (result.success, result.output, result.attempt) == (False, None, 1)
        assert result.error is not None
        assert (result.error.type, result.error.message) == ("ValueError", "no luck")
        assert "in handle" in result.error.traceback
        assert result.checkpoint is not None
        assert result.checkpoint.type.value == "error_state"
        opening = engine.get("w@1")
        assert opening.status is holdfast.CheckpointStatus.FAILED
        assert opening.error == result.error
        assert opening.due_at is not None
        assert timedelta(0) <= opening.due_at - clock.moment().wall <= timedelta(hours=1)
        attempt = engine.attempts("w")[-1]
        assert (attempt.outcome, attempt.error) == (holdfast.Outcome.FAILED, result.error)
        assert engine.stale() == []

    def test_recover_when_the_target_is_a_stage_and_raises_then_both_are_failed(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.handler("h")
        def handle(run: holdfast.Run) -> None:
            raise ValueError("no luck")

        engine.checkpoint("w", type="stage_start", stage_id="s", resume_handler="h")

        result = engine.recover("w/s@2")

        assert not result.success
        assert openings_of(engine) == {"w@1": "failed", "w/s@2": "failed"}
        assert engine.get("w@1").retry_count == 1  # nobody had tried before, under a lease

    @pytest.mark.parametrize("saves", [False, True])
    @pytest.mark.parametrize("max_retries", [0, 2])
    def test_recover_when_it_is_a_pill_then_so_many_executions_and_killed(
        self, engine: holdfast.Engine, max_retries: int, saves: bool
    ) -> None:
        ran: list[int] = []

        @engine.workflow("w", max_retries=max_retries)
        def pill(run: holdfast.Run) -> None:
            ran.append(run.attempt)
            run.checkpoint(state={"try": run.attempt})
            if saves and max_retries:
                run.checkpoint(name="always the same")
            run.stage("s").__enter__()
            raise ValueError(f"try {run.attempt}")

        with pytest.raises(ValueError, match="try 1"):
            engine.start("w", workflow_id="w")
        while openings_of(engine)["w@1"] == "failed":
            engine.recover("w")

        assert ran == list(range(1, max_retries + 2))
        assert set(openings_of(engine).values()) == {"killed"}
        reason = engine.get("w@1").reason or ""
        assert f"{max_retries + 1} execution" in reason
        assert f"max_retries is {max_retries}" in reason
        assert f"try {max_retries + 1}" in reason
        errors = [each.error.message for each in engine.attempts("w") if each.error]
        assert errors == [f"try {n}" for n in range(1, max_retries + 2)]
        with pytest.raises(holdfast.NotRecoverable, match="killed"):
            engine.recover("w")

    @pytest.mark.parametrize("max_retries", [0, 1])
    def test_recover_when_opened_without_a_lease_then_the_first_attempt_is_no_retry(
        self, engine: holdfast.Engine, max_retries: int
    ) -> None:
        ran: list[int] = []

        @engine.handler("h")
        def pill(run: holdfast.Run) -> None:
            ran.append(run.attempt)
            raise ValueError("no luck")

        engine.checkpoint("w", resume_handler="h", max_retries=max_retries)

        assert engine.recover("w", explain=True).obstacles == ()
        while openings_of(engine)["w@1"] != "killed":
            engine.recover("w", force=True)  # whatever the back-off

        assert ran == list(range(1, max_retries + 2))

    def test_recover_when_every_attempt_gets_one_step_further_then_never_killed(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("w", max_retries=1)
        def slow(run: holdfast.Run) -> str:
            for n in range(10):
                run.step(f"step {n}", int)
                if run.attempt == n + 1:
                    raise ValueError("again")
            return "there"

        with pytest.raises(ValueError, match="again"):
            engine.start("w", workflow_id="w")
        for _ in range(9):
            assert not engine.recover("w").success
            assert engine.get("w@1").retry_count == 1

        assert engine.recover("w").output == "there"
        assert len(engine.attempts("w")) == 11

    @pytest.mark.parametrize("what", ["barrier", "checkpoint", "stage", "agent"])
    def test_recover_when_something_named_was_never_achieved_before_then_progress(
        self, engine: holdfast.Engine, what: str
    ) -> None:
        @engine.workflow("w", max_retries=0)
        def work(run: holdfast.Run) -> None:
            name = f"{what} {run.attempt}"
            if what == "barrier":
                run.barrier(name)
            elif what == "checkpoint":
                run.checkpoint(name=name)
            elif what == "stage":
                with run.stage(name):
                    pass
            else:
                with run.stage("always") as stage:
                    stage.step(name, int)
                    raise ValueError("again")
            raise ValueError("again")

        with pytest.raises(ValueError, match="again"):
            engine.start("w", workflow_id="w")
        engine.recover("w")
        engine.recover("w")

        assert openings_of(engine)["w@1"] == "failed"
        assert engine.get("w@1").retry_count == 1

    def test_recover_when_processes_die_then_each_counts_as_a_retry(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.handler("h")(never)
        for _ in range(3):
            engine.run("w", handler="h", max_retries=2)
            stopped_clock.advance(61)

        assert engine.get("w@1").retry_count == 2
        with pytest.raises(holdfast.NotRecoverable, match="used up: 3 executions"):
            engine.recover("w")
        outcomes = [each.outcome for each in engine.attempts("w")]
        assert outcomes == [holdfast.Outcome.DIED] * 3

    def test_recover_when_a_parallel_stage_died_then_one_retry_is_counted(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.handler("h")(crash)
        stage = engine.run("w", handler="h").stage("s", kind="parallel").__enter__()
        for n in range(8):
            stage.agent(f"agent {n}").__enter__()
        stopped_clock.advance(61)

        with pytest.raises(Crash):
            engine.recover("w")

        assert engine.get("w@1").retry_count == 1
        assert sum(each.retry_count for each in engine.list("w", limit=None)) == 1

    def test_recover_when_interrupted_then_no_retry_is_counted(
        self, engine: holdfast.Engine
    ) -> None:
        engine.handler("h")(crash)
        with pytest.raises(Crash), engine.run("w", handler="h"):
            raise Crash
        for _ in range(5):
            with pytest.raises(Crash):
                engine.recover("w")

        assert engine.get("w@1").retry_count == 0
        assert openings_of(engine) == {"w@1": "recovering"}

    @pytest.mark.parametrize("side_by_side", [False, True])
    def test_recover_when_the_store_gives_trouble_then_it_is_not_the_workflows_failure(
        self, open_engine: OpenEngine, disk_target: str, side_by_side: bool
    ) -> None:
        engine = open_engine(settings=holdfast.Settings(write_timeout=0.01, back_off_base=0))
        trouble = [True]

        @engine.handler("h")
        def handle(run: holdfast.Run) -> str:
            with ExitStack() as held:

                def work(*_: Any) -> None:
                    if trouble:
                        trouble.clear()
                        held.enter_context(locked(disk_target))

                if side_by_side:
                    with run.stage("s") as stage:
                        stage.map(work, [1])
                else:
                    run.step("s", work)
            return "well"

        with pytest.raises(Crash), engine.run("w", handler="h"):
            raise Crash

        with pytest.raises(holdfast.StorageUnavailable):
            engine.recover("w")

        assert engine.get("w@1").retry_count == 0
        assert engine.get("w@1").status.is_in_flight
        assert engine.attempts("w")[-1].outcome is holdfast.Outcome.STORE_TROUBLE
        assert engine.recover("w").output == "well"


class TestTime:
    def test_recover_when_an_async_handler_exceeds_its_time_then_cancelled(
        self, engine: holdfast.Engine
    ) -> None:
        import asyncio

        cancelled: list[bool] = []

        @engine.handler("h", timeout=0.3)
        async def handle(run: holdfast.AsyncRun) -> None:
            await run.step("done", int)
            try:
                await run.step("hangs", asyncio.Event().wait)
            finally:
                cancelled.append(True)

        with pytest.raises(Crash), engine.run("w", handler="h"):
            raise Crash

        result = engine.recover("w")

        assert cancelled == [True]
        assert result.error is not None
        assert "w timed out after 0.3 s" in result.error.message
        assert openings_of(engine) == {
            "w@1": "failed",
            "w/done@2": "completed",
            "w/hangs@4": "active",
        }
        assert engine.get("w@1").retry_count == 1
        assert engine.attempts("w")[-1].outcome is holdfast.Outcome.TIMED_OUT
        assert "timed_out" in [each.kind.value for each in engine.events()]

    def test_recover_when_a_plain_handler_exceeds_its_time_then_fenced(
        self, open_engine: OpenEngine
    ) -> None:
        engine = open_engine()
        let_go, over = threading.Event(), threading.Event()
        refused: list[type[BaseException]] = []

        @engine.handler("h", timeout=0.3)
        def handle(run: holdfast.Run) -> str:
            stage = run.stage("s").__enter__()
            assert let_go.wait(10)
            late: list[Any] = [
                lambda: run.checkpoint(name="late", state={"late": True}),
                lambda: run.step("late", int),
                lambda: stage.step("late", int),
                lambda: stage.map(len, ["late"]),
                lambda: run.barrier("late"),
                run.heartbeat,
                lambda: stage.__exit__(None, None, None),
            ]
            for call in late:
                with pytest.raises(holdfast.HoldfastError) as caught:
                    call()
                refused.append(type(caught.value))
            over.set()
            return "too late"

        with pytest.raises(Crash), engine.run("w", handler="h"):
            raise Crash

        result = engine.recover("w")
        kept = engine.list("w", limit=None)
        let_go.set()
        assert over.wait(10)

        assert result.error is not None
        assert "timed out after 0.3 s" in result.error.message
        assert refused == [holdfast.Fenced] * 7
        assert [each.id for each in engine.list("w", limit=None)] == [each.id for each in kept]
        assert engine.context("w").workflow_state == {}
        assert engine.get("w@1").status is holdfast.CheckpointStatus.FAILED
        assert engine.attempts("w")[-1].outcome is holdfast.Outcome.TIMED_OUT

    def test_recover_when_a_plain_handler_goes_on_through_the_engine_then_fenced_as_well(
        self, open_engine: OpenEngine
    ) -> None:
        engine = open_engine()
        let_go, over = threading.Event(), threading.Event()
        outcomes: list[str] = []

        @engine.handler("h", timeout=0.05)
        def handle(run: holdfast.Run) -> None:
            assert let_go.wait(10)
            try:
                engine.checkpoint("w", state={"late": True})
                outcomes.append("written")
            except holdfast.Fenced:
                outcomes.append("fenced")
            over.set()

        engine.checkpoint("w", resume_handler="h")

        engine.recover("w")
        let_go.set()
        assert over.wait(10)

        assert outcomes == ["fenced"]
        assert engine.context("w").workflow_state == {}

    def test_recover_when_a_time_is_given_then_that_counts_and_not_the_handlers(
        self, engine: holdfast.Engine
    ) -> None:
        let_go = threading.Event()
        engine.handler("h", timeout=300)(lambda _: let_go.wait(10))
        engine.checkpoint("w", resume_handler="h")

        result = engine.recover("w", timeout=0.02)
        let_go.set()

        assert result.error is not None
        assert "timed out after 0.02 s" in result.error.message

    def test_recover_when_a_step_times_out_then_the_attempt_failed_and_did_not_time_out(
        self, engine: holdfast.Engine
    ) -> None:
        let_go = threading.Event()

        @engine.handler("h")
        def handle(run: holdfast.Run) -> None:
            run.using(timeout=0.02).step("s", let_go.wait, 10)

        engine.checkpoint("w", resume_handler="h")

        result = engine.recover("w")
        let_go.set()

        assert result.error is not None
        assert "w/s timed out" in result.error.message
        assert engine.attempts("w")[-1].outcome is holdfast.Outcome.FAILED

    def test_run_when_silent_for_too_long_then_failed_and_what_it_writes_refused(
        self, open_any: OpenEngine, nap_clock: ManualClock
    ) -> None:
        engine = open_any(clock=nap_clock)
        with pytest.raises(holdfast.HoldfastError), engine.run("w", silence=100) as run:
            nap_clock.advance(99)
            run.heartbeat()
            nap_clock.advance(99)
            assert not run.cancelled
            run.checkpoint()
            nap_clock.advance(99)
            run.step("s", int)
            before = len(engine.list("w", limit=None))

            _end_by_silence(engine, nap_clock, 101)

            assert run.cancelled
            assert len(engine.list("w", limit=None)) == before + 1
            run.checkpoint(state={"late": True})

        opening = engine.get("w@1")
        assert opening.status is holdfast.CheckpointStatus.FAILED
        assert opening.error is not None
        assert "silent for 100 s" in opening.error.message
        assert opening.retry_count == 1
        assert engine.context("w").workflow_state == {}
        assert engine.attempts("w")[-1].outcome is holdfast.Outcome.TIMED_OUT

    def test_recover_when_an_async_handler_is_silent_then_cancelled(
        self, open_any: OpenEngine, nap_clock: ManualClock
    ) -> None:
        import asyncio

        settings = holdfast.Settings(silence=100, back_off_base=0)
        engine = open_any(clock=nap_clock, settings=settings)
        inside = threading.Event()
        results: list[Any] = []

        @engine.handler("h", timeout=None)
        async def handle(run: holdfast.AsyncRun) -> None:
            inside.set()
            await asyncio.Event().wait()

        engine.checkpoint("w", resume_handler="h")
        thread = threading.Thread(target=lambda: results.append(engine.recover("w")))
        thread.start()
        assert inside.wait(10)

        _end_by_silence(engine, nap_clock, 101)
        thread.join(10)

        (result,) = results
        assert not result.success
        assert "silent for 100 s" in result.error.message
        assert engine.get("w@1").status is holdfast.CheckpointStatus.FAILED

    def test_step_when_it_has_a_timeout_then_it_may_be_silent_for_so_long(
        self, open_any: OpenEngine, nap_clock: ManualClock
    ) -> None:
        engine = open_any(clock=nap_clock)

        def long() -> str:
            nap_clock.advance(5000)
            return "well"

        with engine.run("w", silence=100) as run:
            assert run.using(timeout=6000).step("s", long) == "well"

        assert openings_of(engine)["w@1"] == "completed"

    def test_step_when_it_may_take_an_hour_then_the_silence_of_half_an_hour_does_not_end_it(
        self, open_any: OpenEngine, nap_clock: ManualClock
    ) -> None:
        engine = open_any(clock=nap_clock)

        @engine.workflow("w")
        def work(run: holdfast.Run) -> Any:
            return run.using(timeout=3600).step("s", nap_clock.advance, 3599)

        engine.start("w", workflow_id="x")

        assert [str(each.outcome) for each in engine.attempts("x")] == ["completed"]

    def test_workflow_when_it_takes_far_longer_than_a_handler_may_then_it_is_not_ended(
        self, open_any: OpenEngine, nap_clock: ManualClock
    ) -> None:
        engine = open_any(clock=nap_clock)

        @engine.workflow("w")
        def work(run: holdfast.Run) -> str:
            for number in range(6):  # two hours and a half in all
                run.step(f"s{number}", nap_clock.advance, 1500)
            return "well"

        assert engine.start("w", workflow_id="x") == "well"

        (attempt,) = engine.attempts("x")
        assert attempt.outcome is holdfast.Outcome.COMPLETED
        assert attempt.ended_at is not None
        assert attempt.ended_at - attempt.begun_at >= timedelta(seconds=9000)

    def test_recover_when_a_workflow_takes_far_longer_than_a_handler_may_then_it_is_not_ended(
        self, open_any: OpenEngine, nap_clock: ManualClock
    ) -> None:
        engine = open_any(clock=nap_clock)

        @engine.workflow("w")
        def work(run: holdfast.Run) -> str:
            if run.attempt == 1:
                raise Crash
            for number in range(6):
                run.step(f"s{number}", nap_clock.advance, 1500)
            return "well"

        with pytest.raises(Crash):
            engine.start("w", workflow_id="x")

        assert engine.recover("x").output == "well"


def _end_by_silence(engine: holdfast.Engine, clock: ManualClock, seconds: float) -> None:
    """Let time pass until the keeper has recorded that the only run there is fell silent."""
    # The keeper ends with the last of its sessions, and does not sleep again.
    ManualClock.advance(clock, seconds)
    pause = threading.Event()
    for _ in range(2000):
        if engine.attempts("w")[-1].outcome is not None:
            return
        pause.wait(0.005)
    raise AssertionError("nobody recorded the silence")


# A file of JSON is damaged as a whole: lists go past it, and say so.
@pytest.mark.filterwarnings("ignore::holdfast.DamagedWarning")
class TestDamage:
    """Bytes flipped in what is stored, by hand."""

    @pytest.fixture
    def app(self) -> holdfast.Registry:
        return holdfast.Registry()

    @pytest.fixture
    def interrupted(self, open_engine: OpenEngine, app: holdfast.Registry) -> None:
        """Leave a workflow with a head @7 behind, interrupted."""
        engine = open_engine()
        with pytest.raises(Crash), engine.run("w", handler="h", state={"n": 1}) as run:
            run.step("a", lambda: "output of a")
            run.checkpoint(state={"n": 2})
            with run.stage("s") as stage:
                stage.checkpoint(state={"k": 1})
                run.checkpoint(state={"n": 3})
                raise Crash
        assert [str(each.id) for each in engine.list("w")] == [
            "w@7",
            "w/s@6",
            "w/s@5",
            "w@4",
            "w/a@3",
            "w/a@2",
            "w@1",
        ]
        engine.close()

    def test_recover_when_the_head_is_damaged_then_falls_back_loudly(
        self, open_engine: OpenEngine, disk_target: str, app: holdfast.Registry, interrupted: None
    ) -> None:
        seen: list[Any] = []

        @app.handler("h")
        def handle(run: holdfast.Run) -> str:
            seen.append([run.state, run.context.stages["s"], dict(run.context.outputs)])
            return "well"

        flip(disk_target, 7)
        engine = open_engine(registry=app)

        result = engine.recover("w")

        assert seen == [[{"n": 2}, {"k": 1}, {"a": "output of a"}]]
        assert result.success
        assert str(result.fell_back_from) == "w@7"
        assert any("w@7" in each for each in result.reasons)
        (event,) = [each for each in engine.events() if each.kind.value == "fell_back"]
        assert event.detail["damaged"] == "w@7"
        assert event.detail["intact"] == "w/s@6"
        assert "w@7" not in map(str, engine.context("w").chain)
        assert openings_of(engine)["w@1"] == "completed"

    def test_recover_when_a_finished_step_is_damaged_then_what_came_after_runs_again(
        self, open_engine: OpenEngine, disk_target: str, app: holdfast.Registry, interrupted: None
    ) -> None:
        ran: list[str] = []

        def again() -> str:
            ran.append("a")
            return "again"

        @app.handler("h")
        def handle(run: holdfast.Run) -> Any:
            assert run.in_doubt == ("a",)
            assert run.state == {"n": 1}
            given = run.step("a", again)
            with run.stage("s") as stage:
                assert stage.state == {}
            return given

        flip(disk_target, 3)
        engine = open_engine(registry=app)

        result = engine.recover("w")

        assert (result.output, ran) == ("again", ["a"])
        assert str(result.fell_back_from) == "w@7"
        statuses = openings_of(engine)
        assert statuses["w/a@2"] == statuses["w@1"] == "completed"
        assert statuses["w/s@5"] == "killed"
        assert "left behind" in (engine.get("w/s@5").reason or "")

    def test_recover_when_strict_then_error_and_nothing_changed(
        self, open_engine: OpenEngine, disk_target: str, app: holdfast.Registry, interrupted: None
    ) -> None:
        app.handler("h")(never)
        flip(disk_target, 4)
        engine = open_engine(registry=app)
        before = trace(engine)

        cases: list[Any] = [{}, {"force": True}, {"explain": True}]
        for options in cases:
            with pytest.raises(holdfast.CheckpointCorrupted, match="w@4"):
                engine.recover("w", strict=True, **options)

        assert trace(engine) == before

    def test_explain_when_damaged_then_says_where_it_would_stand(
        self, open_engine: OpenEngine, disk_target: str, app: holdfast.Registry, interrupted: None
    ) -> None:
        app.handler("h")(never)
        flip(disk_target, 4)
        engine = open_engine(registry=app)
        before = trace(engine)

        plan = engine.recover("w", explain=True)

        assert str(plan.fell_back_from) == "w@7"
        assert str(plan.checkpoint_id) == "w/a@3"
        assert "w@4" in (plan.damage or "")
        assert plan.obstacles == ()
        assert trace(engine) == before

    def test_recover_when_the_root_is_damaged_then_error_for_nothing_is_intact(
        self, open_engine: OpenEngine, disk_target: str, app: holdfast.Registry, interrupted: None
    ) -> None:
        app.handler("h")(never)
        flip(disk_target, 1)
        engine = open_engine(registry=app)

        with pytest.raises(holdfast.CheckpointCorrupted, match="w@1"):
            engine.recover("w")

        assert engine.attempts("w")[-1].number == 1

    def test_recover_when_an_ancestor_is_missing_then_told_to_be_strict_the_error_names_it(
        self, open_engine: OpenEngine, disk_target: str, app: holdfast.Registry, interrupted: None
    ) -> None:
        app.handler("h")(lambda _: "well")
        remove(disk_target, 4)
        engine = open_engine(registry=app)

        with pytest.raises(holdfast.ChainBroken, match="w@4"):
            engine.context("w")
        with pytest.raises(holdfast.ChainBroken, match="w@4"):
            engine.recover("w", strict=True)

        result = engine.recover("w")
        assert result.output == "well"
        assert result.fell_back_from is not None

    def test_recover_when_the_target_itself_is_damaged_then_its_scope_counts_all_the_same(
        self, open_engine: OpenEngine, disk_target: str, app: holdfast.Registry, interrupted: None
    ) -> None:
        app.handler("h")(lambda _: "well")
        flip(disk_target, 7)
        engine = open_engine(registry=app)

        result = engine.recover("w@7")

        assert (result.output, str(result.fell_back_from)) == ("well", "w@7")

    def test_start_when_damaged_then_falls_back_and_says_so_in_the_log(
        self, open_engine: OpenEngine, disk_target: str
    ) -> None:
        app = holdfast.Registry()
        ran: list[str] = []

        def long() -> str:
            ran.append("b")
            return "x" * 20

        @app.workflow("w")
        def work(run: holdfast.Run) -> str:
            run.step("a", ran.append, "a")
            run.step("b", long)
            if run.attempt == 1:
                raise Crash
            return "well"

        first = open_engine(registry=app)
        with pytest.raises(Crash):
            first.start("w", workflow_id="w")
        first.close()
        flip(disk_target, 5)
        engine = open_engine(registry=app)

        assert engine.start("w", workflow_id="w") == "well"

        assert ran == ["a", "b", "b"]
        assert [each.kind.value for each in engine.events()].count("fell_back") == 1

    @pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
    def test_looking_when_a_payload_is_damaged_then_never_returned_as_good(
        self, open_engine: OpenEngine, disk_target: str, interrupted: None, how: str
    ) -> None:
        {"flipped": flip, "cut": cut_payload, "gone": lose_payload}[how](disk_target, 4)
        engine = open_engine()

        with pytest.raises(holdfast.CheckpointCorrupted, match="w@4"):
            engine.context("w")
        with pytest.raises(holdfast.CheckpointCorrupted, match="w@4"):
            _ = engine.get("w@4").state
        with pytest.raises(holdfast.CheckpointCorrupted, match="w@4"):
            _ = engine.get("w@4").output
        assert engine.context("w/a@3").workflow_state == {"n": 1}

    @pytest.mark.parametrize(
        "column", ["name", "status", "parent", "created_at", "error", "metadata", "body_digest"]
    )
    def test_looking_when_a_column_was_edited_then_never_returned_as_good(
        self, open_engine: OpenEngine, disk_target: str, interrupted: None, column: str
    ) -> None:
        values: dict[str, Any] = {"status": "active", "parent": 1, "created_at": 1}
        edit(disk_target, 4, column, values.get(column, "[]"))
        engine = open_engine()

        with pytest.raises(holdfast.CheckpointCorrupted, match="4"):
            engine.get("w@4")

    def test_checkpoint_when_the_head_is_damaged_then_written_and_the_damage_still_found(
        self, open_engine: OpenEngine, disk_target: str, interrupted: None
    ) -> None:
        flip(disk_target, 7)
        engine = open_engine()

        engine.checkpoint("w", state={"n": 9})

        with pytest.raises(holdfast.CheckpointCorrupted, match="w@7"):
            engine.context("w")


class TestTheLog:
    def test_events_when_a_workflow_crashed_and_was_recovered_then_in_this_order(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("w")
        def work(run: holdfast.Run) -> None:
            with run.stage("s") as stage:
                stage.step("a", crash if run.attempt == 1 else int)

        with pytest.raises(Crash):
            engine.start("w", workflow_id="w")
        crashed = engine.events()[-1].number
        engine.recover("w")

        def told(events: list[holdfast.DomainEvent]) -> list[str]:
            return [f"{each.kind.value} {each.checkpoint_id or ''}".strip() for each in events]

        assert told([each for each in engine.events() if each.number <= crashed]) == [
            "lease_taken",
            "created w@1",
            "attempt_begun",
            "created w/s@2",
            "created w/s/a@3",
        ]
        assert told(engine.events(after=crashed)) == [
            "found_stale w@1",
            "lease_taken",
            "resumed w@1",
            "attempt_begun",
            "resumed w/s@2",
            "resumed w/s/a@3",
            "created w/s/a@4",
            "completed w/s/a@3",
            "created w/s@5",
            "completed w/s@2",
            "created w@6",
            "completed w@1",
        ]

    def test_events_when_a_pill_is_killed_then_failure_and_killing_in_one_go(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(ValueError, match="no luck"), engine.run("w", max_retries=0) as run:
            run.stage("s").__enter__()
            raise ValueError("no luck")

        kinds = [(each.kind.value, str(each.checkpoint_id or "")) for each in engine.events()]
        assert kinds[-4:] == [
            ("created", "w@3"),
            ("failed", "w@1"),
            ("killed", "w/s@2"),
            ("killed", "w@1"),
        ]
        failed = engine.events()[-3]
        assert failed.detail["error"] == "ValueError: no luck"
