"""Runs as blocks: what entering, leaving and looking at one does, and code that was edited."""

# ruff: noqa: PT012 - what is interrupted is a block, and what it did before matters

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import holdfast
import pytest

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]


class Crash(KeyboardInterrupt):
    """What ends the program in the middle of its work."""


def crash(*_: Any) -> None:
    raise Crash


def never(*_: Any) -> None:
    raise AssertionError("what is finished must not run again")


def openings_of(engine: holdfast.Engine, workflow: str = "w") -> dict[str, str]:
    found = engine.list(workflow, limit=None)
    return {str(each.id): each.status.value for each in reversed(found) if each.type.opens}


def last_attempt(engine: holdfast.Engine, workflow: str = "w") -> holdfast.Attempt:
    return engine.attempts(workflow)[-1]


class TestEntering:
    def test_run_when_workflow_is_new_then_opened_under_a_lease(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run(
            "w",
            name="Nightly",
            handler="h",
            input={"q": 1},
            state={"n": 1},
            metadata={"team": "blue"},
            max_retries=1,
        ) as run:
            assert (run.workflow_id, run.epoch, run.attempt) == ("w", 1, 1)
            assert (run.input, run.state, run.cancelled) == ({"q": 1}, {"n": 1}, False)
            opening = engine.get("w@1")

        assert (opening.type.value, opening.status.value) == ("workflow_start", "active")
        assert (opening.name, opening.resume_handler) == ("Nightly", "h")
        assert (opening.max_retries, opening.epoch) == (1, 1)
        assert (opening.metadata, opening.input) == ({"team": "blue"}, {"q": 1})
        assert opening.state == {"n": 1}

    def test_run_when_workflow_was_interrupted_then_carried_on_in_a_newer_epoch(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w", input=1, state={"n": 1}) as run:
            run.checkpoint(patch={"m": 2})
            raise Crash

        with engine.run("w", state={"n": 9}) as run:
            assert (run.epoch, run.attempt, run.input) == (2, 2, 1)
            assert run.state == {"n": 1, "m": 2}

        assert openings_of(engine) == {"w@1": "completed"}

    def test_run_when_workflow_was_begun_by_single_writes_then_carried_on(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", resume_handler="h", state={"n": 1})

        with engine.run("w") as run:
            assert run.state == {"n": 1}

        assert openings_of(engine) == {"w@1": "completed"}

    def test_run_when_workflow_is_a_record_then_opened_from_there(
        self, engine: holdfast.Engine
    ) -> None:
        engine.checkpoint("w", state={"n": 1})

        with engine.run("w", handler="h") as run:
            assert run.state == {"n": 1}

        assert openings_of(engine) == {"w@2": "completed"}

    def test_run_when_somebody_carries_it_on_then_error_says_who(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w"), pytest.raises(holdfast.LeaseHeld, match=r"since .* \(epoch 1"):
            engine.run("w")

    @pytest.mark.parametrize("finished", [True, False])
    def test_run_when_input_is_another_then_error_shows_both(
        self, engine: holdfast.Engine, finished: bool
    ) -> None:
        if finished:
            with engine.run("w", input={"q": 1}):
                pass
        else:
            with pytest.raises(Crash), engine.run("w", input={"q": 1}):
                raise Crash
        before = engine.events()

        with pytest.raises(holdfast.InputChanged, match="workflow w") as caught:
            engine.run("w", input={"q": 2})

        assert (caught.value.recorded, caught.value.asked) == ('{"q":1}', '{"q":2}')
        assert engine.events() == before

    def test_run_when_workflow_is_killed_then_error_has_the_reason(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(RuntimeError), engine.run("w", max_retries=0):
            raise RuntimeError

        with pytest.raises(holdfast.NotRecoverable, match="was killed") as caught:
            engine.run("w")

        assert len(caught.value.reasons) == 1
        assert openings_of(engine) == {"w@1": "killed"}

    def test_run_when_workflow_is_finished_then_what_is_recorded_and_nothing_written(
        self, engine: holdfast.Engine
    ) -> None:
        def nightly() -> list[Any]:
            with engine.run("w", input={"q": 1}) as run:
                first = run.step("a", str.upper, "x")
                with run.stage("s", kind="parallel") as stage:
                    rest = stage.map(len, ["ab", "c"])
                    with stage.agent("d") as agent:
                        agent.output = "given"
                return [run.input, run.attempt, first, *rest, agent.output]

        first = nightly()
        before = engine.events()
        trace = [(each.id, each.updated_at) for each in engine.list()]

        again = nightly()

        assert again == first == [{"q": 1}, 1, "X", 2, 1, "given"]
        assert engine.events() == before
        assert [(each.id, each.updated_at) for each in engine.list()] == trace

    def test_run_when_finished_and_asked_for_more_then_refused(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w"):
            pass
        before = engine.events()

        with engine.run("w") as run:
            with pytest.raises(holdfast.IllegalTransition, match="completed"):
                run.step("new", never)
            with pytest.raises(holdfast.IllegalTransition, match="completed"):
                run.checkpoint(state={"n": 1})

        assert engine.events() == before

    def test_run_when_never_entered_then_lease_is_held_all_the_same(
        self, engine: holdfast.Engine
    ) -> None:
        run = engine.run("w")

        with pytest.raises(holdfast.LeaseHeld):
            engine.run("w")

        assert run.step("s", int) == 0


class TestLeaving:
    def test_run_when_left_normally_then_completed_and_lease_given_up(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w", handler="h"):
            pass

        assert openings_of(engine) == {"w@1": "completed"}
        assert last_attempt(engine).outcome is holdfast.Outcome.COMPLETED
        plan = engine.recover("w", explain=True)
        assert plan.standing is not None
        assert plan.standing.value == "given up"
        assert engine.stale() == []

    def test_run_when_left_with_scopes_open_then_they_are_killed(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            run.stage("s").__enter__()

        assert openings_of(engine) == {"w@1": "completed", "w/s@2": "killed"}
        assert "left open by the run" in (engine.get("w/s@2").reason or "")

    def test_run_when_left_with_an_exception_then_recorded_and_raised_again(
        self, engine: holdfast.Engine
    ) -> None:
        error = ValueError("no luck")

        with pytest.raises(ValueError, match="no luck") as caught, engine.run("w"):
            raise error

        assert caught.value is error
        opening = engine.get("w@1")
        assert (opening.status.value, opening.retry_count) == ("failed", 1)
        assert opening.error is not None
        assert (opening.error.type, opening.error.message) == ("ValueError", "no luck")
        assert "raise error" in opening.error.traceback
        attempt = last_attempt(engine)
        assert (attempt.outcome, attempt.error) == (holdfast.Outcome.FAILED, opening.error)

    def test_run_when_left_with_system_exit_then_recorded_as_a_failure_and_raised_again(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(SystemExit), engine.run("w"):
            raise SystemExit(1)

        assert openings_of(engine) == {"w@1": "failed"}
        assert engine.get("w@1").retry_count == 1

    def test_run_when_interrupted_then_lease_is_given_up_and_no_retry_counted(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            pytest.raises(KeyboardInterrupt),
            engine.run("w", handler="h") as run,
            run.stage("s") as stage,
        ):
            stage.step("a", crash)

        assert openings_of(engine) == {"w@1": "active", "w/s@2": "active", "w/s/a@3": "active"}
        assert last_attempt(engine).outcome is holdfast.Outcome.GIVEN_UP
        assert engine.get("w@1").retry_count == 0
        (found,) = engine.stale()
        assert "given up" in found.because.value
        with engine.run("w") as run:
            assert run.attempt == 2
        assert engine.get("w@1").retry_count == 0

    def test_run_when_the_block_completed_the_workflow_itself_then_its_word_counts(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w"):
            engine.complete("w@1", "by hand")

        assert openings_of(engine) == {"w@1": "completed"}
        assert engine.latest("w").output == "by hand"
        assert last_attempt(engine).outcome is holdfast.Outcome.COMPLETED

    def test_engine_when_closed_with_a_run_open_then_its_lease_is_given_up(
        self, open_engine: OpenEngine
    ) -> None:
        first = open_engine()
        run = first.run("w")
        first.close()

        with open_engine().run("w") as again:
            assert again.attempt == 2
        with pytest.raises(holdfast.HoldfastError):
            run.checkpoint()


class TestLooking:
    def test_context_when_carried_on_then_what_the_chain_added_up_to_at_the_beginning(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            pytest.raises(Crash),
            engine.run("w", input={"q": 1}, state={"n": 1}) as run,
        ):
            run.step("done", str.upper, "x")
            with run.stage("s") as stage:
                stage.checkpoint(state={"k": 1})
                stage.step("a", crash, 7)

        with engine.run("w") as run:
            context = run.context
            run.step("more", int)
            run.checkpoint(state={"n": 2})
            assert context.workflow_state == run.context.workflow_state == {"n": 1}
            assert context.stages["s"] == {"k": 1}
            assert dict(context.outputs) == {"done": "X"}
            assert [(str(each.scope), each.input) for each in context.interrupted] == [
                ("w", {"q": 1}),
                ("w/s", None),
                ("w/s/a", {"args": [7], "kwargs": {}}),
            ]
            assert str(context.checkpoint_id) == str(context.chain[0]) == "w/s/a@6"

    def test_input_when_changed_by_the_code_then_the_recorded_is_not(
        self, engine: holdfast.Engine
    ) -> None:
        given = {"files": ["a"]}
        with engine.run("w", input=given) as run:
            given["files"].append("b")
            run.input["files"].append("c")
            assert run.input == {"files": ["a"]}

    def test_state_when_changed_by_the_code_then_only_checkpoints_count(
        self, engine: holdfast.Engine
    ) -> None:
        state: dict[str, Any] = {"list": [1]}
        with engine.run("w") as run:
            run.checkpoint(state=state)
            state["list"].append(2)
            run.state["list"].append(3)
            assert run.state == {"list": [1]}

    def test_state_when_saved_through_the_engine_then_the_callers_object_is_not_shared(
        self, engine: holdfast.Engine
    ) -> None:
        state: dict[str, Any] = {"list": [1]}
        with engine.run("w") as run:
            engine.checkpoint("w", state=state)
            state["list"].append(2)
            assert run.state == engine.context("w").workflow_state == {"list": [1]}

    def test_context_when_changed_by_the_code_then_the_state_of_the_run_is_not(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w", state={"list": [1]}) as run:
            run.context.workflow_state["list"].append(2)
            assert run.state == {"list": [1]}


class TestWriting:
    def test_checkpoint_when_written_then_progress_of_the_shared_state(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            first = run.checkpoint(name="half", state={"n": 1})
            run.checkpoint(patch={"m": 2})
            assert run.state == {"n": 1, "m": 2}

        assert (first.type.value, first.name, first.epoch) == ("progress", "half", 1)
        assert engine.context("w").workflow_state == {"n": 1, "m": 2}

    def test_checkpoint_when_state_is_not_json_then_refused_and_the_run_goes_on(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w", state={"n": 1}) as run:
            before = engine.events()
            with pytest.raises(holdfast.StateNotSerializable, match=r"state\.n: tuple"):
                run.checkpoint(state={"n": (1,)})
            with pytest.raises(holdfast.InvalidRequest, match="both"):
                run.checkpoint(state={}, patch={})
            assert engine.events() == before
            assert run.state == {"n": 1}

        assert openings_of(engine) == {"w@1": "completed"}

    def test_barrier_when_joined_then_written_with_its_name(self, engine: holdfast.Engine) -> None:
        with engine.run("w") as run:
            written = run.barrier("all in")

        assert (written.type.value, written.name) == ("sync_barrier", "all in")
        assert str(written.id) == "w@2"

    def test_heartbeat_when_given_then_no_checkpoint_is_written(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            before = len(engine.list("w"))
            run.heartbeat()
            assert len(engine.list("w")) == before

    def test_engine_when_it_writes_inside_a_block_then_under_the_lease_of_the_run(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            written = engine.checkpoint("w", patch={"n": 1})
            engine.checkpoint("w", type="stage_start", stage_id="s")
            engine.fail("w/s@3", "no luck")
            engine.heartbeat("w")
            assert written.epoch == run.epoch
            assert run.state == {"n": 1}

    def test_events_when_a_run_leaves_some_then_they_have_its_correlation_id(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            run.step("s", int)
            with pytest.raises(ZeroDivisionError):
                run.step("t", lambda: 1 // 0)

        logged = engine.events()
        assert {"lease_taken", "attempt_begun", "completed", "failed", "created"} <= {
            each.kind.value for each in logged
        }
        assert last_attempt(engine).correlation_id == run.correlation_id
        assert {each.correlation_id for each in logged} == {run.correlation_id}


class TestEditedCode:
    """Code is edited between the crash and the next attempt; the run is carried on."""

    @pytest.fixture
    def ran(self) -> list[str]:
        return []

    @pytest.fixture
    def crashed(self, engine: holdfast.Engine, ran: list[str]) -> holdfast.Engine:
        def work(name: str) -> str:
            ran.append(name)
            return name.upper()

        with pytest.raises(Crash), engine.run("w") as run:
            first = run.step("first", work, "first")
            second = run.step("second", work, "second")
            run.step("third", crash, first, second)
        return engine

    def test_run_when_a_comment_and_a_local_name_changed_then_carried_on(
        self, crashed: holdfast.Engine, ran: list[str]
    ) -> None:
        def renamed(text: str) -> str:
            # The function has another name now, and a comment.
            ran.append(text)
            return text.upper()

        with crashed.run("w") as run:
            one = run.step("first", renamed, "first")
            two = run.step("second", renamed, "second")
            assert run.step("third", lambda *parts: list(parts), one, two) == ["FIRST", "SECOND"]

        assert ran == ["first", "second"]

    def test_run_when_a_step_was_added_before_then_that_alone_runs(
        self, crashed: holdfast.Engine, ran: list[str]
    ) -> None:
        with crashed.run("w") as run:
            run.step("zeroth", ran.append, "zeroth")
            assert run.step("first", never, "first") == "FIRST"
            assert run.step("second", never, "second") == "SECOND"
            assert run.step("third", lambda *_: 3, "FIRST", "SECOND") == 3

        assert ran == ["first", "second", "zeroth"]

    def test_run_when_two_steps_were_swapped_then_neither_runs_again(
        self, crashed: holdfast.Engine
    ) -> None:
        with crashed.run("w") as run:
            assert run.step("second", never, "second") == "SECOND"
            assert run.step("first", never, "first") == "FIRST"

    def test_run_when_steps_were_removed_then_the_interrupted_one_is_killed_at_the_end(
        self, crashed: holdfast.Engine
    ) -> None:
        with crashed.run("w") as run:
            assert run.step("second", never, "second") == "SECOND"

        assert openings_of(crashed) == {
            "w@1": "completed",
            "w/first@2": "completed",
            "w/second@4": "completed",
            "w/third@6": "killed",
        }

    def test_map_when_items_were_added_and_removed_then_only_the_new_ones_run(
        self, engine: holdfast.Engine, ran: list[str]
    ) -> None:
        def work(name: str) -> str:
            ran.append(name)
            return name.upper()

        with pytest.raises(Crash), engine.run("w") as run, run.stage("s") as stage:
            stage.map(work, ["a", "b"], workers=1)
            raise Crash

        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.map(work, ["c", "b"], workers=1) == ["C", "B"]

        assert ran == ["a", "b", "c"]
