"""Steps: run once, known by name, not run again; what options, errors and interruptions do."""

# ruff: noqa: PT012 - what is interrupted is a block, and what it did before matters

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeAlias

import holdfast
import pytest

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]


NOTES = {
    "args": "raised in w/args, called with [7]",
    "kwargs": 'raised in w/kwargs, called with {"args":[7],"kwargs":{"by":0}}',
    "long": "raised in w/long, called with [7,0,1,2",
    "agent": "raised in w/s/agent, called with [7]",
}
NO_ERROR = holdfast.ErrorRecord("none", "none")


class Crash(KeyboardInterrupt):
    """What ends the program in the middle of its work."""


def crash(*_: Any) -> None:
    raise Crash


def never(*_: Any) -> None:
    raise AssertionError("what is finished must not run again")


def openings_of(engine: holdfast.Engine, workflow: str = "w") -> dict[str, str]:
    found = engine.list(workflow, limit=None)
    return {str(each.id): each.status.value for each in reversed(found) if each.type.opens}


class TestMemory:
    def test_step_when_first_run_then_recorded_form_of_what_it_returned(
        self, engine: holdfast.Engine
    ) -> None:
        made = {"b": [1, {"c": None}], "a": -0.0}

        with engine.run("w") as run:
            given = run.step("s", lambda: made)
            made["b"] = "changed afterwards"

        assert given == {"b": [1, {"c": None}], "a": -0.0}
        assert engine.context("w").outputs["s"] == given

    def test_step_when_run_then_arguments_are_the_recorded_input(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            run.step("s", lambda *args, **kwargs: [args[0], kwargs["b"]], 1, b={"c": 2})

        stage = engine.get("w/s@2")
        assert (stage.type.value, stage.status.value) == ("stage_start", "completed")
        assert stage.input == {"args": [1], "kwargs": {"b": {"c": 2}}}
        assert engine.get("w/s@3").output == [1, {"c": 2}]

    @pytest.mark.parametrize("output", [None, False, 0, "", [], {}, 10**3999], ids=repr)
    def test_step_when_finished_then_its_output_is_given_and_it_does_not_run_again(
        self, engine: holdfast.Engine, output: Any
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run:
            run.step("s", lambda: output)
            raise Crash

        with engine.run("w") as run:
            assert run.step("s", never) == output

    def test_step_when_asked_in_another_order_then_known_by_name(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run:
            for name in ("a", "b", "c"):
                run.step(name, str.upper, name)
            raise Crash

        with engine.run("w") as run:
            again = {name: run.step(name, never, name) for name in ("c", "a", "b")}

        assert again == {"a": "A", "b": "B", "c": "C"}

    def test_step_when_run_side_by_side_then_each_once_and_in_one_chain(
        self, engine: holdfast.Engine
    ) -> None:
        together = threading.Barrier(4)

        def work(name: str) -> str:
            together.wait(10)
            return name.upper()

        with (
            pytest.raises(Crash),
            engine.run("w") as run,
            ThreadPoolExecutor(4) as pool,
        ):
            assert list(pool.map(lambda n: run.step(n, work, n), "abcd")) == list("ABCD")
            raise Crash
        with engine.run("w") as run, ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda n: run.step(n, never, n), "dcba")) == list("DCBA")

        kept = engine.list("w", limit=None)
        assert [each.id.sequence for each in kept] == list(range(10, 0, -1))
        assert [each.parent_id for each in kept[:-1]] == [each.id for each in kept[1:]]

    def test_step_when_name_is_used_twice_then_error_names_it_and_nothing_is_run(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            run.step("s", int)
            before = engine.events()
            with pytest.raises(holdfast.DuplicateName, match=r"w/s is used twice.*key="):
                run.step("s", never)
            with pytest.raises(holdfast.DuplicateName):
                run.using(retries=1).step("s", never)
            assert engine.events() == before

    def test_step_when_given_back_then_changing_it_changes_nothing_else(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run:
            run.step("s", lambda: {"files": ["a"]})
            raise Crash

        with engine.run("w") as run:
            given = run.step("s", never)
            given["files"].append("b")
            assert run.context.outputs["s"] == {"files": ["a"]}

    def test_step_when_it_gets_everything_else_by_closure_then_that_need_not_be_json(
        self, engine: holdfast.Engine
    ) -> None:
        lock = threading.Lock()

        with engine.run("w") as run:
            assert run.step("s", lambda n: n + (not lock.locked()), 1) == 2


class TestValues:
    def test_step_when_an_argument_is_not_json_then_error_names_it_and_nothing_is_run(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            before = engine.events()
            with pytest.raises(holdfast.StateNotSerializable, match=r"args\[1\]\.a: tuple"):
                run.step("s", never, 1, {"a": (1,)})
            with pytest.raises(holdfast.StateNotSerializable, match=r"kwargs\.key: set"):
                run.step("t", never, key={1})
            assert engine.events() == before

    def test_step_when_its_output_is_not_json_then_failed_with_an_error_that_names_it(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            engine.run("w") as run,
            pytest.raises(holdfast.StateNotSerializable, match=r"w/s\.at\[0\]: bytes"),
        ):
            run.step("s", lambda: {"at": [b"x"]})

        kept = engine.get("w/s@2").error
        assert kept is not None
        assert "bytes is not JSON" in kept.message

    def test_step_when_its_output_is_over_the_limit_then_failed(self, open_any: OpenEngine) -> None:
        engine = open_any(settings=holdfast.Settings(max_state_bytes=1000))

        with engine.run("w") as run, pytest.raises(holdfast.StateTooLarge, match="output of w/s"):
            run.step("s", lambda: "x" * 1000)

        assert engine.get("w/s@2").error is not None

    def test_step_when_function_is_a_coroutine_function_then_error_says_what_to_do(
        self, engine: holdfast.Engine
    ) -> None:
        async def work() -> None: ...

        with engine.run("w") as run, pytest.raises(TypeError, match="make the workflow async"):
            run.step("s", work)


class TestFailures:
    def test_step_when_it_raises_then_the_exception_tells_which_and_with_what(
        self, engine: holdfast.Engine
    ) -> None:
        def divide(*numbers: int, by: int = 0) -> float:
            return numbers[0] / by

        with engine.run("w") as run, run.stage("s") as stage:
            calls: tuple[tuple[str, Callable[[], object]], ...] = (
                ("args", lambda: run.step("args", divide, 7)),
                ("kwargs", lambda: run.step("kwargs", divide, 7, by=0)),
                ("long", lambda: run.step("long", divide, 7, *range(10_000))),
                ("agent", lambda: stage.step("agent", divide, 7)),
            )
            for name, call in calls:
                with pytest.raises(ZeroDivisionError) as caught:
                    call()
                (note,) = caught.value.__notes__
                assert len(note) < 300
                assert note.startswith(NOTES[name])

        failed = next(each for each in engine.list("w", type="error_state") if each.error)
        assert "raised in w/s/agent, called with [7]" in (failed.error or NO_ERROR).traceback

    def test_step_when_the_error_is_holdfasts_own_then_it_gets_no_note(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, pytest.raises(holdfast.StateNotSerializable) as caught:
            run.step("s", lambda: {1})

        assert not hasattr(caught.value, "__notes__")

    def test_run_when_a_failure_was_swallowed_then_the_step_is_killed_for_that(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("h")
        def carry_on(run: holdfast.Run) -> str:
            with contextlib.suppress(ZeroDivisionError):
                run.step("bad", lambda: 1 // 0)
            run.stage("open").__enter__()
            return "all the same"

        assert engine.start("h", workflow_id="w") == "all the same"

        killed = {each.id.scope.key: each.reason for each in engine.list("w", status="killed")}
        assert killed == {
            "bad": "it failed (ZeroDivisionError: integer division or modulo by zero), and w ended "
            "without it",
            "open": "left open by h",
        }


class TestChangedInput:
    @pytest.fixture
    def interrupted(self, engine: holdfast.Engine) -> holdfast.Engine:
        with pytest.raises(Crash), engine.run("w") as run:
            run.step("s", lambda n: n + 1, 1)
            raise Crash
        return engine

    def test_step_when_finished_with_another_input_then_error_shows_both(
        self, interrupted: holdfast.Engine
    ) -> None:
        with interrupted.run("w") as run:
            before = interrupted.events()
            with pytest.raises(holdfast.InputChanged, match="changed_input") as caught:
                run.step("s", never, 2)
            assert interrupted.events() == before

        assert "[1]" in caught.value.recorded
        assert "[2]" in caught.value.asked
        assert all(part in str(caught.value) for part in ("w/s", "[1]", "[2]"))

    def test_step_when_told_to_keep_then_the_recorded_output(
        self, interrupted: holdfast.Engine
    ) -> None:
        with interrupted.run("w") as run:
            assert run.using(changed_input="keep").step("s", never, 2) == 2

    def test_step_when_told_to_rerun_then_run_and_recorded_anew(
        self, interrupted: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), interrupted.run("w") as run:
            assert run.using(changed_input="rerun").step("s", lambda n: n * 10, 2) == 20
            raise Crash

        with interrupted.run("w") as run:
            assert run.step("s", never, 2) == 20
        assert openings_of(interrupted) == {
            "w@1": "completed",
            "w/s@2": "completed",
            "w/s@4": "completed",
        }
        assert interrupted.get("w/s@4").input == {"args": [2], "kwargs": {}}

    def test_step_when_keys_come_in_another_order_then_the_same_input(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run:
            run.step("s", len, {"a": 1, "b": 2})
            raise Crash

        with engine.run("w") as run:
            assert run.step("s", never, {"b": 2, "a": 1}) == 2

    @pytest.mark.parametrize(("recorded", "asked"), [(1, 1.0), (1, True), (0.0, -0.0), ("1", 1)])
    def test_step_when_input_is_equal_and_of_another_type_then_it_counts_as_changed(
        self, engine: holdfast.Engine, recorded: Any, asked: Any
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run:
            run.step("s", str, recorded)
            raise Crash

        with engine.run("w") as run, pytest.raises(holdfast.InputChanged):
            run.step("s", never, asked)

    @pytest.mark.parametrize("options", ["error", "rerun", "keep"])
    def test_step_when_unfinished_with_another_input_then_run_with_the_new_one(
        self, engine: holdfast.Engine, options: Literal["error", "rerun", "keep"]
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run:
            run.step("s", crash, 1)

        with engine.run("w") as run:
            assert run.using(changed_input=options).step("s", lambda n: n * 10, 2) == 20

        assert openings_of(engine) == {
            "w@1": "completed",
            "w/s@2": "killed",
            "w/s@3": "completed",
        }
        assert "another input" in (engine.get("w/s@2").reason or "")
        assert engine.get("w/s@3").input == {"args": [2], "kwargs": {}}


class TestInterruption:
    def test_step_when_opened_and_not_closed_then_in_doubt_and_run_again(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[str] = []
        with pytest.raises(Crash), engine.run("w") as run:
            assert run.in_doubt == ()
            run.step("done", ran.append, "done")
            run.step("pay/now", crash)

        with engine.run("w") as run:
            assert run.in_doubt == ("pay%2Fnow",)
            run.step("done", never, "done")
            run.step("pay/now", lambda: ran.append("paid"))

        assert ran == ["done", "paid"]
        assert openings_of(engine)["w/pay%2Fnow@4"] == "completed"

    def test_step_when_it_raises_then_failed_and_the_error_is_the_callers(
        self, engine: holdfast.Engine
    ) -> None:
        error = ValueError("no luck")

        def fail() -> None:
            raise error

        with pytest.raises(ValueError, match="no luck") as caught, engine.run("w") as run:
            run.step("s", fail)

        assert caught.value is error
        assert openings_of(engine) == {"w@1": "failed", "w/s@2": "failed"}
        kept = engine.get("w/s@2").error
        assert kept is not None
        assert (kept.type, kept.message) == ("ValueError", "no luck")
        assert "in fail" in kept.traceback

    def test_step_when_it_raised_then_run_again_in_the_next_attempt(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(ZeroDivisionError), engine.run("w") as run:
            run.step("s", lambda: 1 // 0)

        with engine.run("w") as run:
            assert run.step("s", lambda: "well") == "well"

        assert openings_of(engine) == {"w@1": "completed", "w/s@2": "completed"}

    def test_step_when_its_failure_is_swallowed_then_the_run_goes_on_and_completes(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            try:
                run.step("s", lambda: 1 // 0)
            except ZeroDivisionError:
                run.step("instead", int)

        assert openings_of(engine) == {
            "w@1": "completed",
            "w/s@2": "killed",
            "w/instead@4": "completed",
        }
        assert dict(engine.context("w").outputs) == {"instead": 0}

    def test_step_when_run_after_the_block_then_refused(self, engine: holdfast.Engine) -> None:
        with engine.run("w") as run:
            pass
        before = len(engine.list("w"))

        with pytest.raises(holdfast.Fenced):
            run.step("late", int)

        assert len(engine.list("w")) == before


class TestOptions:
    def test_using_when_retries_are_left_then_tried_again_and_recorded_once(
        self, engine: holdfast.Engine
    ) -> None:
        tries: list[int] = []

        def work(n: int) -> int:
            tries.append(n)
            if len(tries) < 3:
                raise OSError("not yet")
            return n

        with engine.run("w") as run:
            assert run.using(retries=2).step("s", work, 7) == 7

        assert tries == [7, 7, 7]
        assert openings_of(engine) == {"w@1": "completed", "w/s@2": "completed"}
        assert engine.list(type="error_state") == []

    def test_using_when_retries_are_used_up_then_the_last_error(
        self, engine: holdfast.Engine
    ) -> None:
        tries: list[int] = []

        def work() -> None:
            tries.append(1)
            raise OSError(f"try {len(tries)}")

        with pytest.raises(OSError, match="try 2"), engine.run("w") as run:
            run.using(retries=1).step("s", work)

        assert len(tries) == 2
        (failure,) = engine.list("w", type="error_state")[1:]
        assert failure.error is not None
        assert failure.error.message == "try 2"

    def test_using_when_interrupted_then_not_tried_again(self, engine: holdfast.Engine) -> None:
        tries: list[int] = []

        def work() -> None:
            tries.append(1)
            raise Crash

        with pytest.raises(Crash), engine.run("w") as run:
            run.using(retries=5).step("s", work)

        assert len(tries) == 1

    def test_using_when_a_plain_function_exceeds_its_time_then_timed_out_and_it_no_longer_counts(
        self, engine: holdfast.Engine
    ) -> None:
        let_go, over = threading.Event(), threading.Event()

        def work() -> str:
            let_go.wait(10)
            over.set()
            return "too late"

        with engine.run("w") as run:
            with pytest.raises(holdfast.TimedOut, match=r"w/s timed out after 0\.02 s") as caught:
                run.using(timeout=0.02).step("s", work)
            let_go.set()
            assert over.wait(10)

        assert caught.value.seconds == 0.02
        assert isinstance(caught.value, TimeoutError)
        assert "s" not in engine.context("w").outputs
        kept = engine.get("w/s@2").error
        assert kept is not None
        assert "timed out" in kept.message

    def test_using_when_a_try_times_out_then_tried_again(self, engine: holdfast.Engine) -> None:
        let_go = threading.Event()
        tries: list[int] = []

        def work() -> str:
            tries.append(1)
            if len(tries) == 1:
                let_go.wait(10)
            return "well"

        with engine.run("w") as run:
            assert run.using(timeout=0.3, retries=1).step("s", work) == "well"
            let_go.set()

        assert len(tries) == 2

    def test_using_when_function_raises_a_timeout_of_its_own_then_that_one(
        self, engine: holdfast.Engine
    ) -> None:
        def work() -> None:
            raise TimeoutError("a socket's")

        with engine.run("w") as run, pytest.raises(TimeoutError, match="a socket's") as caught:
            run.using(timeout=10).step("s", work)

        assert not isinstance(caught.value, holdfast.TimedOut)

    def test_using_when_asked_then_the_run_itself_is_as_before(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            run.using(retries=3)
            tries: list[int] = []

            def work() -> None:
                tries.append(1)
                raise OSError("at once")

            with pytest.raises(OSError, match="at once"):
                run.step("s", work)

        assert tries == [1]
