"""What is found by looking: near names, scopes, whose attempt an event is of, how long it took."""

# ruff: noqa: PT012 - what is interrupted is a block, and what it did before matters

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]


class TestNames:
    @pytest.mark.parametrize("look", ["list", "events", "latest", "attempts", "outline"])
    def test_look_when_there_is_no_such_workflow_then_near_names(
        self, engine: holdfast.Engine, look: str
    ) -> None:
        engine.checkpoint("nightly")

        with pytest.raises(holdfast.NotFound, match="nigthly does not exist; did you mean nightly"):
            getattr(engine, look)(workflow_id="nigthly")

    def test_events_when_a_write_was_refused_and_nothing_is_there_then_given(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            pass
        with pytest.raises(holdfast.HoldfastError):
            run.heartbeat()

        assert engine.events(workflow="w")[-1].kind.value == "write_refused"

    def test_latest_when_a_scope_is_named_then_the_newest_of_its_own(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            with stage.agent("a") as agent:
                agent.checkpoint(state={"n": 1})
                saved = agent.checkpoint(state={"n": 2})
                assert engine.latest("w/s/a").id == saved.id
            assert engine.latest("w/s").type.value == "stage_start"

        assert engine.latest("w/s/a").type.value == "agent_complete"
        assert engine.latest("w/s").type.value == "stage_complete"
        assert engine.latest("w").type.value == "workflow_complete"

    @pytest.mark.parametrize(("name", "meant"), [("w/ss", "w/s"), ("w/s/agnet", "w/s/agent")])
    def test_latest_when_there_is_no_such_scope_then_near_names(
        self, engine: holdfast.Engine, name: str, meant: str
    ) -> None:
        engine.checkpoint("w", stage_id="s", agent_id="agent")

        with pytest.raises(holdfast.NotFound, match=f"{name} does not exist; did you mean {meant}"):
            engine.latest(name)

    @pytest.mark.parametrize("text", ["a/b/c/d", "a/b/c/d@1", "a@b", ""])
    def test_target_when_it_cannot_be_read_then_error_tells_of_encoding(
        self, engine: holdfast.Engine, text: str
    ) -> None:
        with pytest.raises(holdfast.InvalidId) as caught:
            engine.recover(text)

        assert not text or "%2F" in str(caught.value)

    @pytest.mark.parametrize("threshold", [timedelta(seconds=-1), timedelta(microseconds=-1)])
    def test_stale_when_the_threshold_is_negative_then_refused(
        self, engine: holdfast.Engine, threshold: timedelta
    ) -> None:
        with pytest.raises(holdfast.InvalidRequest, match="threshold"):
            engine.stale(threshold)


class TestEvents:
    def test_events_when_there_are_several_attempts_then_each_has_its_own_correlation_id(
        self, engine: holdfast.Engine
    ) -> None:
        engine.handler("h")(lambda run: run.step("again", int))
        with pytest.raises(KeyboardInterrupt), engine.run("w", handler="h") as run:
            run.step("once", int)
            raise KeyboardInterrupt
        engine.recover("w")

        first, second = [each.correlation_id for each in engine.attempts("w")]
        by_scope = {
            each.checkpoint_id.scope.key: each.correlation_id
            for each in engine.events(workflow="w")
            if each.kind.value == "created" and each.checkpoint_id
        }
        assert first != second
        assert (by_scope["once"], by_scope["again"]) == (first, second)
        assert engine.events(workflow="w", limit=2) == engine.events(workflow="w")[:2]

    def test_events_when_written_outside_of_attempts_then_they_have_none(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)
        engine.checkpoint("w", resume_handler="h")
        with pytest.raises(KeyboardInterrupt), engine.run("w"):
            raise KeyboardInterrupt
        clock.advance(1)
        late = engine.checkpoint("w", name="late")

        created = [each for each in engine.events(workflow="w") if each.kind.value == "created"]
        assert late.epoch == engine.attempts("w")[0].epoch
        assert [each.correlation_id for each in created] == [None, None, None]


class TestDurations:
    def test_attempts_when_a_process_died_then_it_ended_with_its_last_sign_of_life(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.handler("h")(lambda _: None)
        run = engine.run("w", handler="h")
        begun = stopped_clock.moment().wall
        stopped_clock.advance(7)
        run.checkpoint(name="the last sign")
        stopped_clock.advance(3600)

        engine.recover("w")

        died, done = engine.attempts("w")
        assert (died.outcome, done.outcome) == ("died", "completed")
        assert died.ended_at == begun + timedelta(seconds=7)
        assert done.begun_at == begun + timedelta(seconds=3607)

    def test_attempts_when_the_lease_was_renewed_last_then_that_is_the_sign(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        first, engine = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        engine.handler("h")(lambda _: None)
        run = first.run("w", handler="h")
        stopped_clock.advance(40)
        run.heartbeat()
        alive = stopped_clock.moment().wall
        stopped_clock.advance(3600)
        engine.checkpoint("w", name="by hand, ends the lease")
        stopped_clock.advance(60)

        engine.recover("w")

        assert engine.attempts("w")[0].ended_at == alive

    def test_attempts_when_one_alive_is_fenced_then_it_ended_at_that_moment(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)
        engine.handler("h")(lambda _: None)
        engine.run("w", handler="h")
        stopped_clock.advance(30)

        engine.recover("w", force=True)

        fenced, done = engine.attempts("w")
        assert (fenced.outcome, fenced.ended_at) == ("fenced", done.begun_at)

    def test_outline_when_a_process_died_then_dead_time_is_not_worked(
        self, open_any: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_any(clock=stopped_clock)

        @engine.handler("h")
        def carry_on(run: holdfast.Run) -> None:
            run.step("s", lambda: stopped_clock.advance(2))

        run = engine.run("w", handler="h")
        stopped_clock.advance(5)
        run.checkpoint(name="the last sign")
        _open_and_die(run)
        stopped_clock.advance(3600)
        engine.recover("w")

        root = engine.outline("w")
        assert (root.idle, root.worked) == (timedelta(seconds=3600), timedelta(seconds=7))
        assert root.inside[0].worked == timedelta(seconds=2)

    def test_outline_when_it_has_no_end_then_no_time_worked(self, engine: holdfast.Engine) -> None:
        engine.checkpoint("w", type="workflow_start")

        assert engine.outline("w").worked is None


def _open_and_die(run: holdfast.Run) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.step("s", die)
