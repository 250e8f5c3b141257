"""Stages, their agents, and agents side by side."""

# ruff: noqa: PT012 - what is interrupted is a block, and what it did before matters

from __future__ import annotations

import threading
from typing import Any

import holdfast
import pytest


class Crash(KeyboardInterrupt):
    """What ends the program in the middle of its work."""


def crash(*_: Any) -> None:
    raise Crash


def never(*_: Any) -> None:
    raise AssertionError("what is finished must not run again")


def openings_of(engine: holdfast.Engine, workflow: str = "w") -> dict[str, str]:
    found = engine.list(workflow, limit=None)
    return {str(each.id): each.status.value for each in reversed(found) if each.type.opens}


def kinds_of(engine: holdfast.Engine, workflow: str = "w") -> list[str]:
    found = engine.list(workflow, limit=None)
    return [f"{each.type.value} {each.id.scope.key}" for each in reversed(found)]


class TestStage:
    def test_stage_when_used_then_its_steps_are_agents(self, engine: holdfast.Engine) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.step("a", str.upper, "x") == "X"

        assert kinds_of(engine) == [
            "workflow_start ",
            "stage_start s",
            "agent_start s/a",
            "agent_complete s/a",
            "stage_complete s",
            "workflow_complete ",
        ]
        assert dict(engine.context("w").outputs) == {"s/a": "X", "s": None}

    def test_stage_when_parallel_then_leaving_it_writes_a_barrier(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s", kind="parallel"):
            pass

        assert kinds_of(engine)[1:4] == ["stage_start s", "sync_barrier s", "stage_complete s"]
        stage = engine.get("w/s@4").stage
        assert stage is not None
        assert stage.kind == "parallel"

    def test_stage_when_kind_is_unknown_then_error_lists_them(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, pytest.raises(ValueError, match="parallel or barrier"):
            run.stage("s", kind="paralel")

    def test_stage_when_interrupted_then_entered_again_without_a_second_row(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run, run.stage("s") as stage:
            stage.step("a", int)
            stage.step("b", crash)

        with engine.run("w") as run:
            assert set(run.in_doubt) >= {"s/b"}
            assert "s/a" not in run.in_doubt
            with run.stage("s") as stage:
                assert stage.step("a", never) == 0
                stage.step("b", int)

        assert openings_of(engine) == {
            "w@1": "completed",
            "w/s@2": "completed",
            "w/s/a@3": "completed",
            "w/s/b@5": "completed",
        }

    def test_stage_when_finished_then_entering_it_again_writes_nothing(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run:
            with run.stage("s", kind="parallel") as stage:
                stage.step("a", int)
            raise Crash

        with engine.run("w") as run:
            before = engine.events()
            with run.stage("s", kind="parallel") as stage:
                assert stage.step("a", never) == 0
            assert engine.events() == before

    def test_stage_when_an_exception_leaves_it_then_failed_and_the_exception_goes_on(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(RuntimeError, match="no luck"), engine.run("w") as run, run.stage("s"):
            raise RuntimeError("no luck")

        assert openings_of(engine) == {"w@1": "failed", "w/s@2": "failed"}
        kept = engine.get("w/s@2").error
        assert kept is not None
        assert kept.message == "no luck"

    def test_stage_when_it_failed_then_carried_on_in_the_next_attempt(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(RuntimeError), engine.run("w") as run, run.stage("s") as stage:
            stage.step("a", int)
            raise RuntimeError

        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.step("a", never) == 0

        assert openings_of(engine)["w/s@2"] == "completed"

    def test_stage_when_a_failure_inside_is_swallowed_then_closed_and_the_agent_killed(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            try:
                stage.step("bad", lambda: 1 // 0)
            except ZeroDivisionError:
                stage.step("good", int)

        assert openings_of(engine) == {
            "w@1": "completed",
            "w/s@2": "completed",
            "w/s/bad@3": "killed",
            "w/s/good@5": "completed",
        }
        assert dict(engine.context("w").outputs) == {"s/good": 0, "s": None}
        assert engine.get("w/s/bad@3").reason == (
            "it failed (ZeroDivisionError: integer division or modulo by zero), and w/s ended "
            "without it"
        )

    def test_stage_when_an_agent_inside_is_still_open_then_leaving_it_names_that(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            engine.run("w") as run,
            pytest.raises(holdfast.ScopeOpen) as caught,
            run.stage("s") as stage,
        ):
            stage.agent("a").__enter__()

        assert caught.value.open_scopes == ("w/s/a",)

    def test_stage_when_its_name_is_that_of_a_step_then_error_names_it(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            run.step("s", int)
            with pytest.raises(holdfast.DuplicateName, match="w/s"):
                run.stage("s").__enter__()
            with run.stage("t"):
                pass
            with pytest.raises(holdfast.DuplicateName, match="w/t"):
                run.step("t", never)

    def test_step_when_its_name_was_that_of_a_finished_stage_then_not_taken_for_it(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run:
            with run.stage("s") as stage:
                stage.step("a", int)
            raise Crash

        with engine.run("w") as run, pytest.raises(holdfast.Refused, match="w/s"):
            run.step("s", never)

    def test_step_when_its_name_was_that_of_an_open_stage_then_run_with_what_was_inside_killed(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run, run.stage("s") as stage:
            stage.step("a", crash)

        with engine.run("w") as run:
            assert run.step("s", lambda: "a step now") == "a step now"

        assert openings_of(engine) == {
            "w@1": "completed",
            "w/s@2": "killed",
            "w/s/a@3": "killed",
            "w/s@4": "completed",
        }

    def test_stage_when_names_are_equal_in_different_stages_then_different_agents(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            for name in ("s", "t"):
                with run.stage(name) as stage:
                    assert stage.step("a", str.upper, name) == name.upper()

        assert engine.context("w").outputs["s/a"] == "S"
        assert engine.context("w").outputs["t/a"] == "T"

    def test_stage_when_state_is_saved_then_its_own_and_kept_for_the_next_attempt(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w", state={"n": 1}) as run, run.stage("s") as stage:
            stage.checkpoint(state={"k": 1})
            stage.checkpoint(patch={"m": 2})
            assert (stage.state, run.state) == ({"k": 1, "m": 2}, {"n": 1})
            raise Crash

        with engine.run("w") as run:
            with run.stage("s") as stage:
                assert stage.state == {"k": 1, "m": 2}
                stage.state["k"] = "a copy of its own"
                assert stage.state == {"k": 1, "m": 2}
            with run.stage("t") as stage:
                assert stage.state == {}


class TestBlocks:
    """A stage or an agent is of use inside its ``with`` block alone."""

    def test_stage_when_never_entered_then_error_says_how_and_nothing_is_run(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            before, stage = engine.events(), run.stage("s")
            for use in (
                lambda: stage.step("a", never),
                lambda: stage.map(never, ["a"]),
                lambda: stage.agent("a"),
                lambda: stage.checkpoint(state={}),
                lambda: stage.using(retries=1).step("a", never),
            ):
                with pytest.raises(holdfast.InvalidRequest, match=r"stage w/s .*with run\.stage"):
                    use()
            assert engine.events() == before

    def test_stage_when_left_then_error_says_so_and_nothing_is_run(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run:
            with run.stage("s") as stage:
                agent = stage.agent("late")
            before = engine.events()
            for use in (
                lambda: stage.step("a", never),
                lambda: stage.map(never, ["a"]),
                lambda: stage.agent("a"),
                lambda: stage.checkpoint(state={}),
                agent.__enter__,
            ):
                with pytest.raises(holdfast.InvalidRequest, match="stage w/s is used after it was"):
                    use()
            assert engine.events() == before

    def test_stage_when_an_exception_left_it_then_it_is_left(self, engine: holdfast.Engine) -> None:
        with engine.run("w") as run:
            with pytest.raises(ZeroDivisionError), run.stage("s") as stage:
                raise ZeroDivisionError
            with pytest.raises(holdfast.InvalidRequest, match="used after it was left"):
                stage.step("a", never)

    def test_stage_when_entered_with_other_options_then_one_stage(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s").using(retries=1) as stage:
            assert stage.step("a", int) == 0
            assert stage.using(retries=2).step("b", int) == 0

    def test_agent_when_not_inside_its_block_then_error_says_how(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            agent = stage.agent("a")
            with pytest.raises(holdfast.InvalidRequest, match=r"agent w/s/a .*with stage\.agent"):
                agent.checkpoint(state={"n": 1})
            with agent:
                agent.checkpoint(state={"n": 2})
            with pytest.raises(holdfast.InvalidRequest, match="used after it was left"):
                agent.checkpoint(state={"n": 3})
            assert agent.state == {"n": 2}

    @pytest.mark.parametrize("name", [None, 3, b"a"])
    def test_step_when_its_name_is_no_text_then_error_names_what_it_is_the_name_of(
        self, engine: holdfast.Engine, name: Any
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            before = engine.events()
            with pytest.raises(holdfast.InvalidId, match="step name"):
                stage.step(name, never)
            with pytest.raises(holdfast.InvalidId, match="agent name"):
                stage.agent(name)
            assert engine.events() == before


class TestAgent:
    def test_agent_when_used_then_input_output_and_state_are_recorded(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            with stage.agent("a", input={"q": 1}) as agent:
                assert (agent.name, agent.input, agent.finished) == ("a", {"q": 1}, False)
                agent.checkpoint(name="half", state={"n": 1})
                agent.checkpoint(patch={"m": 2})
                assert (agent.state, stage.state, run.state) == ({"n": 1, "m": 2}, {}, {})
                agent.output = [3]
            with stage.agent("b") as other:
                assert other.state == {}

        context = engine.context("w")
        assert context.outputs["s/a"] == [3]
        assert context.agents[("s", "a")] == {"n": 1, "m": 2}
        assert engine.get("w/s/a@3").input == {"q": 1}

    def test_agent_when_finished_before_then_says_so_and_writes_nothing(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run, run.stage("s") as stage:
            with stage.agent("a", input=1) as agent:
                agent.output = {"n": [1]}
            raise Crash

        with engine.run("w") as run, run.stage("s") as stage:
            before = engine.events()
            with stage.agent("a", input=1) as agent:
                assert agent.finished
                assert agent.output == {"n": [1]}
                agent.output["n"].append(2)
            assert engine.events() == before
            assert run.context.outputs["s/a"] == {"n": [1]}

    def test_agent_when_interrupted_then_has_its_state_in_the_next_attempt(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            pytest.raises(Crash),
            engine.run("w") as run,
            run.stage("s") as stage,
            stage.agent("a") as agent,
        ):
            agent.checkpoint(state={"page": 3})
            raise Crash

        with engine.run("w") as run, run.stage("s") as stage, stage.agent("a") as agent:
            assert not agent.finished
            assert agent.state == {"page": 3}

        assert openings_of(engine)["w/s/a@3"] == "completed"

    def test_agent_when_an_exception_leaves_it_then_failed(self, engine: holdfast.Engine) -> None:
        with (
            pytest.raises(RuntimeError, match="no luck"),
            engine.run("w") as run,
            run.stage("s") as stage,
            stage.agent("a"),
        ):
            raise RuntimeError("no luck")

        assert openings_of(engine) == {"w@1": "failed", "w/s@2": "failed", "w/s/a@3": "failed"}

    def test_agent_when_its_output_is_not_json_then_error_and_not_completed(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            pytest.raises(holdfast.StateNotSerializable, match="output of w/s/a: set"),
            engine.run("w") as run,
            run.stage("s") as stage,
            stage.agent("a") as agent,
        ):
            agent.output = {1}

        assert openings_of(engine)["w/s/a@3"] != "completed"

    def test_agent_when_finished_with_another_input_then_error_or_as_told(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run, run.stage("s") as stage:
            with stage.agent("a", input=1) as agent:
                agent.output = "first"
            raise Crash
        with pytest.raises(Crash), engine.run("w") as run, run.stage("s") as stage:
            with pytest.raises(holdfast.InputChanged):
                stage.agent("a", input=2).__enter__()
            raise Crash

        with (
            engine.run("w") as run,
            run.stage("s") as stage,
            stage.using(changed_input="keep").agent("a", input=2) as agent,
        ):
            assert (agent.finished, agent.output) == (True, "first")


class TestMap:
    def test_map_when_run_then_results_in_the_order_of_items_and_an_agent_each(
        self, engine: holdfast.Engine
    ) -> None:
        turn = {name: threading.Event() for name in "abc"}
        turn["c"].set()

        def work(name: str) -> str:
            assert turn[name].wait(10)
            if name != "a":
                turn[chr(ord(name) - 1)].set()
            return name.upper()

        with engine.run("w") as run, run.stage("s", kind="parallel") as stage:
            assert stage.map(work, ["a", "b", "c"], workers=3) == ["A", "B", "C"]

        opened = {key.split("@")[0]: status for key, status in openings_of(engine).items()}
        assert opened == dict.fromkeys(["w", "w/s", "w/s/a", "w/s/b", "w/s/c"], "completed")

    @pytest.mark.parametrize("workers", [1, 3])
    def test_map_when_workers_are_few_then_no_more_run_at_once(
        self, engine: holdfast.Engine, workers: int
    ) -> None:
        together = threading.Barrier(workers)
        lock = threading.Lock()
        running, most = 0, 0

        def work(_: int) -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            together.wait(10)
            threading.Event().wait(0.002)  # so that one too many would be seen
            with lock:
                running -= 1

        with engine.run("w") as run, run.stage("s") as stage:
            stage.map(work, range(6), workers=workers)

        assert most == workers

    def test_map_when_there_are_no_items_then_an_empty_list(self, engine: holdfast.Engine) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.map(never, iter([])) == []

    @pytest.mark.parametrize("workers", [0, -1, 1.5, True, None])
    def test_map_when_workers_are_no_count_then_error_and_nothing_is_run(
        self, engine: holdfast.Engine, workers: Any
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            before = engine.events()
            with pytest.raises(holdfast.InvalidRequest, match="workers of a map in w/s"):
                stage.map(never, ["a"], workers=workers)
            assert engine.events() == before

    def test_map_when_items_are_strings_then_they_name_the_agents(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            stage.map(len, ["a/b", "..", "b"])

        outputs = engine.context("w").outputs
        assert set(outputs) == {"s/a%2Fb", "s/..", "s/b", "s"}

    def test_map_when_items_repeat_then_numbered(self, engine: holdfast.Engine) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.map(str.upper, ["a", "b", "a", "a"]) == ["A", "B", "A", "A"]

        outputs = engine.context("w").outputs
        assert set(outputs) == {"s/a", "s/b", "s/a#2", "s/a#3", "s"}

    def test_map_when_an_item_looks_like_a_numbered_repeat_then_names_differ_all_the_same(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.map(str.upper, ["a", "a", "a#2", "a"]) == ["A", "A", "A#2", "A"]

    def test_map_when_a_key_is_given_then_it_names_the_agents(
        self, engine: holdfast.Engine
    ) -> None:
        items = [{"id": "x", "n": 1}, {"id": "y", "n": 2}]

        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.map(lambda each: each["n"], items, key=lambda each: each["id"]) == [1, 2]

        assert set(engine.context("w").outputs) == {"s/x", "s/y", "s"}

    def test_map_when_items_are_no_strings_then_named_by_digest_whatever_the_order_of_items(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run, run.stage("s") as stage:
            stage.map(lambda each: each["n"], [{"n": 1}, {"n": 2}, {"n": 3}])
            raise Crash

        with engine.run("w") as run, run.stage("s") as stage:
            again = stage.map(lambda each: -each["n"], [{"n": 3}, {"n": 9}, {"n": 1}])

        assert again == [3, -9, 1]

    @pytest.mark.parametrize("item", ["", "x" * 300, "a\nb"])
    def test_map_when_a_string_cannot_be_a_name_then_named_by_digest(
        self, engine: holdfast.Engine, item: str
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.map(len, [item]) == [len(item)]

    @pytest.mark.parametrize("name", ["", 5])
    def test_map_when_a_key_gives_no_name_then_error_and_nothing_is_run(
        self, engine: holdfast.Engine, name: Any
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            before = engine.events()
            with pytest.raises(holdfast.InvalidId):
                stage.map(never, [1, 2], key=lambda _: name)
            assert engine.events() == before

    def test_map_when_an_item_is_not_json_then_error_names_it_and_nothing_is_run(
        self, engine: holdfast.Engine
    ) -> None:
        with engine.run("w") as run, run.stage("s") as stage:
            before = engine.events()
            with pytest.raises(holdfast.StateNotSerializable, match="tuple"):
                stage.map(never, [1, (2,)])
            assert engine.events() == before

    def test_map_when_some_fail_then_the_others_finish_and_all_failures_are_raised(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[int] = []

        def work(n: int) -> int:
            ran.append(n)
            if n % 2:
                raise ValueError(f"odd {n}")
            return n

        with (
            pytest.raises(ExceptionGroup, match="2 of 5") as caught,
            engine.run("w") as run,
            run.stage("s", kind="parallel") as stage,
        ):
            stage.map(work, range(5), key=str, workers=2)

        assert sorted(ran) == [0, 1, 2, 3, 4]
        assert [str(each) for each in caught.value.exceptions] == ["odd 1", "odd 3"]
        states = {key.split("@")[0]: status for key, status in openings_of(engine).items()}
        assert states == {
            "w": "failed",
            "w/s": "failed",
            "w/s/0": "completed",
            "w/s/1": "failed",
            "w/s/2": "completed",
            "w/s/3": "failed",
            "w/s/4": "completed",
        }

    def test_map_when_recovered_then_only_those_that_failed_run(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(ExceptionGroup), engine.run("w") as run, run.stage("s") as stage:
            stage.map(lambda n: 1 // n, [0, 1, 2])
        ran: list[int] = []

        def once_more(n: int) -> str:
            ran.append(n)
            return "again"

        with engine.run("w") as run, run.stage("s") as stage:
            again = stage.map(once_more, [0, 1, 2])

        assert again == ["again", 1, 0]
        assert ran == [0]

    def test_map_when_interrupted_then_the_finished_do_not_run_again(
        self, engine: holdfast.Engine
    ) -> None:
        with pytest.raises(Crash), engine.run("w") as run, run.stage("s") as stage:
            stage.map(lambda n: crash() if n == 2 else n, [0, 1, 2, 3], workers=1)
        done = set(engine.context("w").outputs)
        ran: list[int] = []

        def same(n: int) -> int:
            ran.append(n)
            return n

        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.map(same, [0, 1, 2, 3]) == [0, 1, 2, 3]

        assert len(done) >= 2
        assert len(ran) == 4 - len(done)
        assert 2 in ran

    def test_map_when_failures_are_swallowed_then_the_stage_is_closed_without_them(
        self, engine: holdfast.Engine
    ) -> None:
        with (
            engine.run("w") as run,
            run.stage("s", kind="parallel") as stage,
            pytest.raises(ExceptionGroup),
        ):
            stage.map(lambda n: 1 // n, [0, 1], key=str)

        states = {key.split("@")[0]: status for key, status in openings_of(engine).items()}
        assert states == {
            "w": "completed",
            "w/s": "completed",
            "w/s/0": "killed",
            "w/s/1": "completed",
        }

    def test_map_when_used_with_options_then_they_count_for_each_item(
        self, engine: holdfast.Engine
    ) -> None:
        tries: list[str] = []

        def work(name: str) -> str:
            tries.append(name)
            if tries.count(name) == 1:
                raise OSError("not yet")
            return name

        with engine.run("w") as run, run.stage("s") as stage:
            assert stage.using(retries=1).map(work, ["a", "b"]) == ["a", "b"]

        assert sorted(tries) == ["a", "a", "b", "b"]

    def test_map_when_agents_save_state_side_by_side_then_none_is_in_anothers(
        self, engine: holdfast.Engine
    ) -> None:
        together = threading.Barrier(8)

        with engine.run("w") as run, run.stage("s", kind="parallel") as stage:

            def work(n: int) -> int:
                with stage.agent(f"agent {n}") as agent:
                    together.wait(10)
                    agent.checkpoint(state={"own": n})
                    run.checkpoint(patch={str(n): n})
                    agent.output = n
                return n

            stage.map(work, range(8), workers=8)

        context = engine.context("w")
        assert {key[1]: state for key, state in context.agents.items() if state} == {
            f"agent {n}": {"own": n} for n in range(8)
        }
        assert context.workflow_state == {str(n): n for n in range(8)}
        kept = engine.list("w", limit=None)
        assert [each.parent_id for each in kept[:-1]] == [each.id for each in kept[1:]]
