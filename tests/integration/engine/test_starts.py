"""Registered workflows: starting one, and starting it again with the same id."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

import holdfast
import pytest

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]


class Crash(KeyboardInterrupt):
    """What ends the program in the middle of its work."""


class TestStart:
    def test_start_when_it_returns_then_its_result_in_the_recorded_form(
        self, engine: holdfast.Engine
    ) -> None:
        kept: list[dict[str, Any]] = []

        @engine.workflow("release", max_retries=1)
        def release(run: holdfast.Run) -> dict[str, Any]:
            result = {"files": run.step("discover", sorted, run.input["files"])}
            kept.append(result)
            return result

        given = engine.start("release", workflow_id="r/1", input={"files": ["b", "a"]})

        kept[0]["files"].append("changed afterwards")
        assert given == {"files": ["a", "b"]}
        opening = engine.get("r%2F1@1")
        assert (opening.resume_handler, opening.max_retries) == ("release", 1)
        assert opening.status is holdfast.CheckpointStatus.COMPLETED
        assert engine.latest(workflow_id="r/1").output == {"files": ["a", "b"]}
        (attempt,) = engine.attempts(workflow_id="r/1")
        assert (attempt.handler, attempt.outcome) == ("release", holdfast.Outcome.COMPLETED)

    def test_start_when_finished_then_the_recorded_result_and_nothing_runs(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[int] = []

        @engine.workflow("w")
        def work(run: holdfast.Run) -> dict[str, Any]:
            ran.append(run.attempt)
            return {"list": [1]}

        first = engine.start("w", workflow_id="x", input={"a": 1, "b": 2})
        before = engine.events()
        first["list"].append(2)

        assert engine.start("w", workflow_id="x", input={"b": 2, "a": 1}) == {"list": [1]}
        assert engine.start("w", workflow_id="x") == {"list": [1]}
        assert engine.events() == before
        assert ran == [1]

    def test_start_when_interrupted_then_carried_on(self, engine: holdfast.Engine) -> None:
        ran: list[str] = []

        @engine.workflow("w")
        def work(run: holdfast.Run) -> str:
            run.step("a", ran.append, "a")
            if run.attempt == 1:
                raise Crash
            run.step("b", ran.append, "b")
            return f"attempt {run.attempt}"

        with pytest.raises(Crash):
            engine.start("w", workflow_id="x", input=1)

        assert engine.start("w", workflow_id="x", input=1) == "attempt 2"
        assert ran == ["a", "b"]

    def test_start_when_it_raises_then_recorded_and_raised_and_tried_again_when_asked(
        self, open_any: OpenEngine
    ) -> None:
        engine = open_any(settings=holdfast.Settings(back_off_base=3600, back_off_cap=3600))

        @engine.workflow("w")
        def work(run: holdfast.Run) -> str:
            if run.attempt == 1:
                raise ValueError("no luck")
            return "well"

        with pytest.raises(ValueError, match="no luck"):
            engine.start("w", workflow_id="x")
        assert engine.get("x@1").status is holdfast.CheckpointStatus.FAILED

        # Back-off is for those who recover by themselves; this caller asks by name.
        assert engine.start("w", workflow_id="x") == "well"

    def test_start_when_its_result_is_not_json_then_failed_with_an_error_that_names_it(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("w")
        def work(run: holdfast.Run) -> Any:
            return {"at": {1}}

        with pytest.raises(holdfast.StateNotSerializable, match=r"result of w\.at: set"):
            engine.start("w", workflow_id="x")

        assert engine.get("x@1").status is holdfast.CheckpointStatus.FAILED

    def test_start_when_running_then_error_says_who_and_since_when(
        self, engine: holdfast.Engine
    ) -> None:
        inside, let_go = threading.Event(), threading.Event()

        @engine.workflow("w")
        def work(run: holdfast.Run) -> str:
            inside.set()
            assert let_go.wait(10)
            return "first"

        results: list[Any] = []
        first = threading.Thread(target=lambda: results.append(engine.start("w", workflow_id="x")))
        first.start()
        assert inside.wait(10)

        with pytest.raises(holdfast.LeaseHeld) as caught:
            engine.start("w", workflow_id="x")
        let_go.set()
        first.join()

        begun = engine.attempts("x")[0].begun_at
        assert (caught.value.epoch, caught.value.since) == (1, begun)
        assert "process" in caught.value.owner
        assert results == ["first"]

    def test_start_when_several_start_at_once_then_it_runs_once(
        self, engine: holdfast.Engine
    ) -> None:
        together, refused = threading.Barrier(4), threading.Semaphore(0)
        ran: list[int] = []
        outcomes: list[Any] = []

        @engine.workflow("w")
        def work(run: holdfast.Run) -> str:
            ran.append(run.attempt)
            assert all(refused.acquire(timeout=10) for _ in range(3))
            return "done"

        def start() -> None:
            together.wait(10)
            try:
                outcomes.append(engine.start("w", workflow_id="x"))
            except holdfast.LeaseHeld as held:
                outcomes.append(held.epoch)
                refused.release()

        threads = [threading.Thread(target=start) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

        assert ran == [1]
        assert outcomes == [1, 1, 1, "done"]

    def test_start_when_input_is_another_then_error_shows_both(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("w")
        def work(run: holdfast.Run) -> None: ...

        engine.start("w", workflow_id="x", input=[1])

        with pytest.raises(holdfast.InputChanged) as caught:
            engine.start("w", workflow_id="x", input=[2])

        assert (caught.value.recorded, caught.value.asked) == ("[1]", "[2]")

    def test_start_when_started_as_another_workflow_then_error_names_both(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("one")
        @engine.workflow("two")
        def work(run: holdfast.Run) -> None: ...

        engine.start("one", workflow_id="x")

        with pytest.raises(holdfast.InvalidRequest, match=r"'one'.*'two'"):
            engine.start("two", workflow_id="x")

    def test_start_when_name_is_unknown_then_error_lists_what_is_known(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("release")
        def release(run: holdfast.Run) -> None: ...

        with pytest.raises(holdfast.HandlerNotFound, match=r"'relase'.*known: release") as caught:
            engine.start("relase", workflow_id="x")

        assert caught.value.known == ("release",)
        assert engine.events() == []

    def test_start_when_it_is_a_handler_then_error_says_how_to_register_it(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.handler("h")
        def handle(run: holdfast.Run) -> None: ...

        with pytest.raises(holdfast.InvalidRequest, match=r"@app\.workflow"):
            engine.start("h", workflow_id="x")

        assert engine.events() == []

    def test_start_when_it_leaves_scopes_open_then_they_are_killed_and_never_completed(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("w")
        def work(run: holdfast.Run) -> str:
            run.stage("s").__enter__().agent("a").__enter__()
            return "done"

        engine.start("w", workflow_id="x")

        found = {str(each.id): each for each in engine.list("x") if each.type.opens}
        assert found["x/s@2"].status is holdfast.CheckpointStatus.KILLED
        assert found["x/s/a@3"].status is holdfast.CheckpointStatus.KILLED
        assert found["x/s@2"].reason == "left open by w"
        assert "s" not in engine.context("x").outputs


class TestRegistry:
    def test_registry_when_decorating_then_the_function_is_unchanged(self) -> None:
        app = holdfast.Registry()

        def work(run: holdfast.Run) -> str:
            return "work"

        assert app.handler("h")(work) is work
        assert app.workflow("w")(work) is work
        assert app.names() == ("h", "w")

    def test_registry_when_a_name_is_taken_then_refused(self) -> None:
        app = holdfast.Registry()
        app.workflow("w")(print)

        with pytest.raises(holdfast.InvalidRequest, match="'w' is registered already"):
            app.handler("w")(print)

        assert app.names() == ("w",)

    def test_registry_when_shared_then_every_engine_finds_its_workflows(
        self, open_engine: OpenEngine
    ) -> None:
        app = holdfast.Registry()
        first, second = open_engine(registry=app), open_engine(registry=app)

        @app.workflow("w")
        def work(run: holdfast.Run) -> str:
            return "done"

        assert first.start("w", workflow_id="x") == "done"
        assert second.start("w", workflow_id="x") == "done"
        assert len(second.attempts("x")) == 1

    def test_registry_when_an_engine_has_none_given_then_its_own(
        self, open_engine: OpenEngine
    ) -> None:
        first, second = open_engine(), open_engine()
        first.workflow("w")(lambda _: 1)

        with pytest.raises(holdfast.HandlerNotFound, match="known: none"):
            second.start("w", workflow_id="x")
