"""Waiting for an answer: the attempt ends, and an answer, or the time, carries the run on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]

DAY = timedelta(days=1)


def reviewed(calls: list[str], **options: Any) -> Callable[[Any], Any]:
    """Return a workflow that drafts, asks whether that is good, and publishes."""

    def draft_text() -> str:
        calls.append("draft")
        return "text"

    def review(run: holdfast.Run) -> Any:
        draft = run.step("draft", draft_text)
        verdict = run.wait("approval", ask=draft, **options)
        if verdict:
            run.step("publish", lambda: calls.append("publish"))
        return {"verdict": verdict}

    return review


def register(engine: holdfast.Engine, **options: Any) -> list[str]:
    calls: list[str] = []
    engine.workflow("review")(reviewed(calls, **options))
    return calls


def start_waiting(engine: holdfast.Engine) -> holdfast.Waiting:
    with pytest.raises(holdfast.Waiting) as caught:
        engine.start("review", workflow_id="w")
    return caught.value


def status_of(engine: holdfast.Engine) -> str | None:
    (summary,) = engine.workflows()
    return summary.status.value if summary.status else None


def kinds_of(engine: holdfast.Engine) -> list[str]:
    return [each.kind.value for each in engine.events()]


class TestAsking:
    def test_wait_when_it_is_more_often_than_there_are_retries_then_none_is_used_up(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("patient", max_retries=1)
        def patient(run: holdfast.Run) -> list[Any]:
            return [run.wait(f"question-{n}") for n in range(4)]

        with pytest.raises(holdfast.Waiting):
            engine.start("patient", workflow_id="w")
        for n in range(4):
            (summary,) = engine.workflows()
            assert (summary.status, engine.get("w@1").retry_count) == ("waiting", 0)
            engine.answer("w", f"question-{n}", n)
            result = engine.recover("w")

        assert (result.success, result.output) == (True, [0, 1, 2, 3])

    def test_wait_when_not_answered_then_the_attempt_ends_and_the_lease_is_given_up(
        self, engine: holdfast.Engine
    ) -> None:
        register(engine)

        waiting = start_waiting(engine)

        assert (waiting.workflow_id, waiting.name, waiting.until) == ("w", "approval", None)
        assert status_of(engine) == "waiting"
        (attempt,) = engine.attempts("w")
        assert (attempt.outcome, attempt.error) == (holdfast.Outcome.WAITING, None)
        assert engine.stale() == []
        assert kinds_of(engine).count("waiting") == 2  # the question, and the workflow
        interrupted = {str(each.scope): each.input for each in engine.context("w").interrupted}
        assert interrupted["w/approval"] == "text"

    def test_wait_when_answered_then_the_run_goes_on_and_no_retry_is_used_up(
        self, engine: holdfast.Engine
    ) -> None:
        calls = register(engine)
        start_waiting(engine)

        answer = engine.answer("w", "approval", {"ok": True})

        assert answer.id.stage_id == "approval"
        (stale,) = engine.stale()
        assert str(stale.because) == "it was answered, or its time to wait is over"
        result = engine.recover("w")
        assert result.output == {"verdict": {"ok": True}}
        assert calls == ["draft", "publish"]
        assert engine.get("w@1").retry_count == 0
        assert engine.context("w").outputs["approval"] == {"ok": True}
        assert kinds_of(engine).count("answered") == 1

    def test_start_when_answered_then_it_goes_on(self, engine: holdfast.Engine) -> None:
        register(engine)
        start_waiting(engine)
        engine.answer("w", "approval", value=1)

        assert engine.start("review", workflow_id="w") == {"verdict": 1}

    @pytest.mark.parametrize("value", [None, False, 0, "", [], {"a": [1, 1.0, True]}])
    def test_answer_when_it_is_any_json_then_it_is_what_the_run_gets(
        self, engine: holdfast.Engine, value: Any
    ) -> None:
        register(engine)
        start_waiting(engine)

        engine.answer("w", "approval", value)

        assert engine.recover("w").output == {"verdict": value}

    def test_wait_when_finished_before_then_the_recorded_answer_and_nothing_is_written(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("review")
        def review(run: holdfast.Run) -> Any:
            first = run.wait("first")
            return [first, run.wait("second")]

        start_waiting(engine)
        engine.answer("w", "first", "a")
        assert engine.recover("w").outcome is holdfast.Outcome.WAITING
        engine.answer("w", "second", "b")

        assert engine.recover("w").output == ["a", "b"]
        assert len([each for each in engine.list("w") if each.id.stage_id == "first"]) == 3

    def test_start_when_still_waiting_then_says_so_again_and_no_attempt_is_begun(
        self, engine: holdfast.Engine
    ) -> None:
        register(engine)
        start_waiting(engine)

        again = start_waiting(engine)

        assert again.name == "approval"
        assert len(engine.attempts("w")) == 1

    def test_recover_when_still_waiting_then_refused_and_says_for_what(
        self, engine: holdfast.Engine
    ) -> None:
        register(engine, until=datetime(2999, 1, 1, tzinfo=UTC))
        start_waiting(engine)

        plan = engine.recover("w", explain=True)
        with pytest.raises(holdfast.NotRecoverable) as caught:
            engine.recover("w", force=True)

        assert "w waits for an answer to 'approval' until 2999-01-01T00:00:00+00:00" in plan.verdict
        assert "engine.answer" in str(caught.value)

    def test_wait_when_the_question_changed_then_an_error_that_shows_both(
        self, engine: holdfast.Engine
    ) -> None:
        questions = ["a", "b"]
        engine.handler("review")(lambda run: run.wait("approval", ask=questions[0]))
        with engine.run("w", handler="review"):
            pass
        engine.checkpoint("v", resume_handler="review")
        assert engine.recover("v").outcome is holdfast.Outcome.WAITING
        engine.answer("v", "approval", 1)
        questions.pop(0)

        failed = engine.recover("v")

        assert failed.error is not None
        assert failed.error.type == "holdfast.InputChanged"
        assert '"a"' in failed.error.message
        assert '"b"' in failed.error.message

    def test_wait_when_until_has_no_time_zone_then_refused(self, engine: holdfast.Engine) -> None:
        with (
            engine.run("w") as run,
            pytest.raises(holdfast.InvalidRequest, match="without a time zone"),
        ):
            run.wait("x", until=datetime(2999, 1, 1))  # noqa: DTZ001


class TestDue:
    def test_wait_when_it_is_due_then_none_and_the_time_counts_from_the_first_asking(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)
        calls = register(engine, until=DAY)
        asked_at = clock.moment().wall
        assert start_waiting(engine).until == asked_at + DAY
        clock.advance(3600)
        start_waiting(engine)
        clock.advance(23 * 3600)

        (stale,) = engine.stale()

        assert stale.workflow_id == "w"
        assert engine.recover("w").output == {"verdict": None}
        assert calls == ["draft"]

    def test_wait_when_it_is_not_due_then_it_is_not_stale(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)
        register(engine, until=DAY)
        start_waiting(engine)
        clock.advance(23 * 3600)

        assert engine.stale() == []


class TestRefusedAnswers:
    def test_answer_when_nobody_asked_then_says_what_is_asked(
        self, engine: holdfast.Engine
    ) -> None:
        register(engine)
        with engine.run("w", handler="review"), pytest.raises(holdfast.NotAsked) as early:
            engine.answer("w", "approval", 1)
        engine.checkpoint("v", resume_handler="review")
        engine.recover("v")

        with pytest.raises(holdfast.NotAsked, match="it waits for 'approval'") as other:
            engine.answer("v", "aproval", 1)
        with pytest.raises(holdfast.NotAsked):
            engine.answer("v", "draft", 1)  # a step, not a question
        with pytest.raises(holdfast.NotFound):
            engine.answer("nobody", "approval", 1)

        assert (early.value.asked, other.value.asked) == ((), ("approval",))

    def test_answer_when_answered_already_then_the_first_counts(
        self, engine: holdfast.Engine
    ) -> None:
        register(engine)
        start_waiting(engine)
        engine.answer("w", "approval", "first")

        with pytest.raises(holdfast.AlreadyAnswered):
            engine.answer("w", "approval", "second")
        assert engine.recover("w").output == {"verdict": "first"}
        with pytest.raises(holdfast.AlreadyAnswered):
            engine.answer("w", "approval", "third")

    def test_answer_when_its_time_is_over_then_too_late(
        self, open_any: OpenEngine, clock: ManualClock
    ) -> None:
        engine = open_any(clock=clock)
        register(engine, until=DAY)
        start_waiting(engine)
        clock.advance(24 * 3600)

        with pytest.raises(holdfast.AnsweredTooLate):
            engine.answer("w", "approval", 1)
        engine.recover("w")
        with pytest.raises(holdfast.AnsweredTooLate):
            engine.answer("w", "approval", 1)

    def test_answer_when_two_come_at_once_then_one_wins_and_the_other_is_told(
        self, open_engine: OpenEngine, disk_target: str
    ) -> None:
        engine = open_engine()
        register(engine)
        start_waiting(engine)
        program = (
            "import sys, holdfast\n"
            "with holdfast.open(sys.argv[1]) as engine:\n"
            "    sys.stdin.readline()\n"
            "    try:\n"
            "        engine.answer('w', 'approval', sys.argv[2])\n"
            "        print('won')\n"
            "    except holdfast.AlreadyAnswered:\n"
            "        print('told')\n"
        )
        answering = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(disk_target), name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in ("a", "b")
        ]
        for each in answering:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()

        said = [each.communicate()[0].strip() for each in answering]

        assert sorted(said) == ["told", "won"]
        assert engine.recover("w").output == {"verdict": "ab"[said.index("won")]}


class TestBesideOtherWork:
    def test_wait_when_others_run_beside_it_then_what_they_finish_is_kept(
        self, engine: holdfast.Engine
    ) -> None:
        ran: list[str] = []

        @engine.workflow("review")
        def review(run: holdfast.Run) -> Any:
            def part(name: str) -> Any:
                ran.append(name)
                return run.wait("question") if name == "asks" else name

            with run.stage("parts", kind="parallel") as stage:
                return stage.map(part, ["asks", "b", "c"], workers=3)

        with pytest.raises(ExceptionGroup):
            engine.start("review", workflow_id="w")
        assert status_of(engine) == "waiting"
        engine.answer("w", "question", "yes")

        assert engine.recover("w").output == ["yes", "b", "c"]
        assert sorted(ran) == ["asks", "asks", "b", "c"]

    def test_wait_when_something_else_fails_then_the_attempt_has_failed(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("review")
        def review(run: holdfast.Run) -> Any:
            def part(name: str) -> Any:
                if name == "asks":
                    return run.wait("question")
                raise ValueError("no luck")

            with run.stage("parts", kind="parallel") as stage:
                stage.map(part, ["asks", "fails"])

        with pytest.raises(ExceptionGroup):
            engine.start("review", workflow_id="w")

        assert status_of(engine) == "failed"
        assert engine.get("w@1").retry_count == 1

    def test_wait_when_the_code_swallows_it_then_the_attempt_waits_all_the_same(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("review")
        def review(run: holdfast.Run) -> Any:
            try:
                return run.wait("question")
            except Exception:  # noqa: BLE001 - as users do
                return "swallowed"

        start_waiting(engine)
        assert status_of(engine) == "waiting"
        engine.answer("w", "question", "yes")

        assert engine.recover("w").output == "yes"

    def test_answer_when_the_run_is_still_at_other_work_then_taken_and_the_run_not_disturbed(
        self, engine: holdfast.Engine
    ) -> None:
        run = engine.run("w", handler="h")
        with pytest.raises(holdfast.Waiting):
            run.wait("question")
        engine.answer("w", "question", "quick")
        run.step("after", str)
        assert engine.context("w").stages["question"] == {"answer": "quick"}

        # It has no answer all the same: the attempt ends waiting, and is due at once.
        with pytest.raises(holdfast.Waiting):
            run.__exit__(None, None, None)
        assert [each.workflow_id for each in engine.stale()] == ["w"]

    def test_wait_when_several_are_open_then_any_answer_carries_the_run_on(
        self, engine: holdfast.Engine
    ) -> None:
        @engine.workflow("review")
        def review(run: holdfast.Run) -> Any:
            def ask(name: str) -> Any:
                return run.wait(name)

            with run.stage("parts", kind="parallel") as stage:
                return stage.map(ask, ["a", "b"], workers=2)

        with pytest.raises(ExceptionGroup):
            engine.start("review", workflow_id="w")
        engine.answer("w", "b", 2)
        assert engine.recover("w").outcome is holdfast.Outcome.WAITING
        assert engine.stale() == []
        engine.answer("w", "a", 1)

        assert engine.recover("w").output == [1, 2]


class TestOtherFaces:
    def test_wait_when_the_engine_is_closed_meanwhile_then_another_process_carries_it_on(
        self, open_engine: OpenEngine
    ) -> None:
        first = open_engine()
        register(first)
        start_waiting(first)
        first.close()
        second = open_engine()
        calls = register(second)
        second.answer("w", "approval", 1)

        assert second.recover("w").output == {"verdict": 1}
        assert calls == ["publish"]

    def test_wait_when_in_a_block_then_the_workflow_waits(self, engine: holdfast.Engine) -> None:
        with pytest.raises(holdfast.Waiting), engine.run("w", handler="h") as run:
            run.wait("question")
        assert status_of(engine) == "waiting"
        engine.answer("w", "question", 7)

        with engine.run("w", handler="h") as run:
            assert run.wait("question") == 7
        assert status_of(engine) == "completed"

    def test_wait_when_awaited_then_the_same(self, target: str) -> None:
        async def main() -> Any:
            async with holdfast.open_async(target) as engine:

                @engine.workflow("review")
                async def review(run: holdfast.AsyncRun) -> Any:
                    return await run.wait("approval", ask=1, until=DAY)

                with pytest.raises(holdfast.Waiting):
                    await engine.start("review", workflow_id="w")
                await engine.answer("w", "approval", [1])
                return (await engine.recover("w")).output

        assert asyncio.run(main()) == [1]
