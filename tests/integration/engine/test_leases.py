"""Leases: one owner at a time, an epoch that only grows, and writes that are refused."""

# ruff: noqa: PT012 - what is interrupted is a block, and what it did before matters

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

import holdfast
import pytest
from holdfast.infrastructure.clock import ManualClock

OpenEngine: TypeAlias = Callable[..., holdfast.Engine]


def kept(engine: holdfast.Engine) -> list[Any]:
    """Return all checkpoints as they are now."""
    found = engine.list(limit=None)
    return [(str(each.id), each.status.value, each.updated_at, each.error) for each in found]


def refusals(engine: holdfast.Engine) -> int:
    return [each.kind.value for each in engine.events(limit=10_000)].count("write_refused")


# What a run may try to write after it was fenced; each is given the run and its engine.
LATE: dict[str, Callable[[holdfast.Run, holdfast.Engine, holdfast.Stage], object]] = {
    "checkpoint": lambda run, *_: run.checkpoint(name="late", state={"late": True}),
    "step": lambda run, *_: run.step("late", int),
    "result of a step": lambda run, *_: run.step("s", int),
    "stage": lambda run, *_: run.stage("late").__enter__(),
    "map": lambda *given: given[2].map(len, ["late"]),
    "agent": lambda *given: given[2].agent("late").__enter__(),
    "barrier": lambda run, *_: run.barrier("late"),
    "heartbeat": lambda run, *_: run.heartbeat(),
    "leaving": lambda run, *_: run.__exit__(None, None, None),
    "failing": lambda run, *_: _leave_with(run, ValueError("late")),
    "engine.checkpoint": lambda _, engine, __: engine.checkpoint("w", state={"late": True}),
    "engine.complete": lambda _, engine, __: engine.complete("w@1", "late", abandon=True),
    "engine.fail": lambda _, engine, __: engine.fail("w@1", "late"),
    "engine.heartbeat": lambda _, engine, __: engine.heartbeat("w"),
}


def _leave_with(run: holdfast.Run, error: Exception) -> None:
    run.__exit__(type(error), error, None)


class TestHolding:
    def test_run_when_another_engine_has_it_then_error_tells_who_since_when_and_which_epoch(
        self, open_engine: OpenEngine, clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=clock), open_engine(clock=clock)
        second.handler("h")(lambda _: None)
        with first.run("w", handler="h", lease=90):
            begun = clock.moment().wall
            clock.advance(5)

            for call in (
                lambda: second.run("w"),
                lambda: second.checkpoint("w"),
                lambda: second.complete("w@1"),
                lambda: second.fail("w@1", "mine"),
                lambda: second.heartbeat("w"),
            ):
                with pytest.raises(holdfast.LeaseHeld) as caught:
                    call()
                assert (caught.value.resource, caught.value.epoch) == ("w", 1)
                assert caught.value.since == begun
                assert caught.value.until == begun + timedelta(seconds=90)
                assert "process" in caught.value.owner
                assert begun.isoformat() in str(caught.value)

        assert kept(second)[-1][:2] == ("w@1", "completed")
        assert len(kept(second)) == 2

    def test_run_when_refused_then_logged_with_the_epoch(self, open_engine: OpenEngine) -> None:
        first, second = open_engine(), open_engine()
        with first.run("w"), pytest.raises(holdfast.LeaseHeld):
            second.checkpoint("w")

        (event,) = [each for each in second.events() if each.kind.value == "write_refused"]
        assert (event.workflow_id, event.epoch) == ("w", 1)
        assert event.detail["error"] == "LeaseHeld"

    def test_run_when_others_are_held_then_each_workflow_has_its_own_lease(
        self, open_engine: OpenEngine
    ) -> None:
        first, second = open_engine(), open_engine()
        with first.run("w"), second.run("v"):
            first.checkpoint("w")
            second.checkpoint("v")
            second.checkpoint("u")

    def test_run_when_taken_again_and_again_then_epochs_grow_by_one(
        self, open_engine: OpenEngine
    ) -> None:
        engines = [open_engine(), open_engine()]
        epochs = []
        for n in range(4):
            with pytest.raises(KeyboardInterrupt), engines[n % 2].run("w") as run:
                epochs.append(run.epoch)
                raise KeyboardInterrupt

        assert epochs == [1, 2, 3, 4]
        taken = [each for each in engines[0].events() if each.kind.value == "lease_taken"]
        assert [each.epoch for each in taken] == epochs


class TestRunningOut:
    def test_run_when_a_lease_ran_out_then_taken_over_and_not_before(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        first.run("w")
        stopped_clock.advance(59.9)
        with pytest.raises(holdfast.LeaseHeld):
            second.run("w")
        assert second.stale() == []

        stopped_clock.advance(0.1)

        (found,) = second.stale()
        assert (found.epoch, found.status.value) == (1, "active")
        assert found.owner is not None
        assert "ran out" in found.because.value
        with second.run("w") as run:
            assert (run.epoch, run.attempt) == (2, 2)

    @pytest.mark.parametrize("seconds", [5, 600])
    def test_run_when_a_duration_is_asked_then_that_counts(
        self, open_engine: OpenEngine, stopped_clock: ManualClock, seconds: int
    ) -> None:
        engine = open_engine(clock=stopped_clock)
        engine.run("w", lease=seconds)
        stopped_clock.advance(seconds - 1)
        with pytest.raises(holdfast.LeaseHeld):
            engine.run("w")

        stopped_clock.advance(1)

        assert engine.run("w").epoch == 2

    def test_run_when_its_lease_ran_out_and_nobody_took_it_then_it_may_go_on(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_engine(clock=stopped_clock)
        with engine.run("w") as run:
            stopped_clock.advance(3600)
            run.step("s", int)
            run.heartbeat()
            with pytest.raises(holdfast.LeaseHeld):
                open_engine(clock=stopped_clock).run("w")

        assert engine.get("w@1").status is holdfast.CheckpointStatus.COMPLETED

    @pytest.mark.parametrize("write", ["checkpoint", "complete", "fail", "heartbeat"])
    def test_engine_when_it_writes_past_a_lease_that_ran_out_then_ended_and_the_epoch_rises(
        self, open_engine: OpenEngine, stopped_clock: ManualClock, write: str
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        run = first.run("w")
        stopped_clock.advance(61)

        match write:
            case "checkpoint":
                assert second.checkpoint("w").epoch == 2
            case "complete":
                assert second.complete("w@1").epoch == 2
            case "fail":
                assert second.fail("w@1", "given up on").epoch == 2
            case _:
                second.heartbeat("w")
        before = kept(second)

        with pytest.raises(holdfast.Fenced, match=r"epoch 1 .*epoch 2") as caught:
            run.checkpoint(state={"late": True})
        assert caught.value.epoch == 1
        assert kept(second) == before

    def test_checkpoint_when_it_opens_what_an_ended_lease_had_open_then_taken_over(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        first.run("w").stage("s").__enter__()
        stopped_clock.advance(61)

        taken = second.checkpoint("w", type="stage_start", stage_id="s")

        assert (str(taken.id), taken.status.value, taken.epoch) == ("w/s@2", "recovering", 2)
        with pytest.raises(holdfast.ScopeOpen):
            second.checkpoint("w", type="stage_start", stage_id="s")


class TestFencing:
    @pytest.mark.parametrize("late", LATE)
    def test_run_when_fenced_then_whatever_it_writes_is_refused_and_leaves_nothing(
        self, open_engine: OpenEngine, stopped_clock: ManualClock, late: str
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        run = first.run("w", handler="h")
        stage = run.stage("t").__enter__()
        stopped_clock.advance(61)
        with second.run("w") as newer:
            newer.step("s", str)
            before, refused = kept(second), refusals(second)
            since = second.attempts("w")[-1].begun_at

            with pytest.raises(holdfast.Fenced) as caught:
                LATE[late](run, first, stage)

            assert (caught.value.resource, caught.value.epoch) == ("w", 1)
            assert all(part in str(caught.value) for part in ("epoch 2", since.isoformat()))
            assert kept(second) == before
            assert refusals(second) == refused + 1
            assert second.context("w").workflow_state == {}
            newer.heartbeat()

        assert [str(each.outcome) for each in second.attempts("w")] == ["died", "completed"]

    def test_run_when_fenced_once_then_every_later_call_says_so_too(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        run = first.run("w")
        stopped_clock.advance(61)
        with second.run("w"):
            with pytest.raises(holdfast.Fenced):
                run.heartbeat()
            before = second.events()

            assert run.cancelled
            for late in ("checkpoint", "step", "stage", "barrier", "heartbeat", "leaving"):
                with pytest.raises(holdfast.Fenced):
                    LATE[late](run, first, run.stage("t"))
            assert second.events() == before

    def test_run_when_fenced_inside_its_block_then_fenced_leaves_it_with_a_sound_cause(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)

        with pytest.raises(holdfast.Fenced) as caught, first.run("w") as run:
            stopped_clock.advance(61)
            with second.run("w"):
                pass
            run.checkpoint()

        assert caught.value.__cause__ is not caught.value
        assert second.get("w@1").status is holdfast.CheckpointStatus.COMPLETED

    def test_run_when_fenced_and_then_something_else_is_raised_then_both_are_seen(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        error = ValueError("afterwards")

        with pytest.raises(holdfast.Fenced) as caught, first.run("w") as run:
            stopped_clock.advance(61)
            second.run("w")
            with pytest.raises(holdfast.Fenced):
                run.checkpoint()
            raise error

        assert error in (caught.value.__cause__, caught.value.__context__)

    def test_step_when_its_function_outlives_the_lease_then_its_result_is_refused(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        newer: list[holdfast.Run] = []

        def slow(value: str) -> str:
            stopped_clock.advance(61)
            newer.append(second.run("w"))
            return value

        run = first.run("w")
        with pytest.raises(holdfast.Fenced):
            run.step("s", slow, "of the zombie")

        with newer[0] as again:
            assert again.in_doubt == ("s",)
            assert again.step("s", lambda _: "of the newer", "of the zombie") == "of the newer"
        assert dict(second.context("w").outputs) == {"s": "of the newer"}

    def test_recover_when_forced_then_the_living_run_is_fenced_and_its_word_does_not_count(
        self, open_engine: OpenEngine
    ) -> None:
        app = holdfast.Registry()
        first, second = open_engine(registry=app), open_engine(registry=app)
        inside, let_go = threading.Event(), threading.Event()
        outcomes: list[BaseException] = []

        @app.workflow("w")
        def work(run: holdfast.Run) -> str:
            if run.attempt == 1:
                inside.set()
                assert let_go.wait(10)
            return f"attempt {run.attempt}"

        def start() -> None:
            try:
                first.start("w", workflow_id="w")
            except holdfast.Fenced as fenced:
                outcomes.append(fenced)

        thread = threading.Thread(target=start)
        thread.start()
        assert inside.wait(10)

        result = second.recover("w", force=True)
        let_go.set()
        thread.join(10)

        assert result.output == "attempt 2"
        assert len(outcomes) == 1
        assert second.latest("w").output == "attempt 2"
        assert second.get("w@1").retry_count == 0
        assert [str(each.outcome) for each in second.attempts("w")] == ["fenced", "completed"]

    def test_engine_when_it_has_the_fenced_run_and_the_newer_one_then_writes_for_the_newer(
        self, open_engine: OpenEngine
    ) -> None:
        engine = open_engine()

        @engine.handler("h")
        def handle(run: holdfast.Run) -> int:
            return int(engine.checkpoint("w", patch={"n": 1}).epoch)

        older = engine.run("w", handler="h")

        result = engine.recover("w", force=True)

        assert (result.error, result.output) == (None, 2)
        with pytest.raises(holdfast.Fenced):
            older.checkpoint()

    def test_run_when_never_fenced_and_left_twice_then_the_second_changes_nothing(
        self, open_engine: OpenEngine
    ) -> None:
        engine = open_engine()
        with engine.run("w") as run:
            pass
        before = kept(engine)

        with pytest.raises(holdfast.HoldfastError):
            run.__exit__(None, None, None)

        assert kept(engine) == before


class TestClocks:
    @pytest.mark.parametrize("days", [-1, 1])
    def test_lease_when_the_wall_clock_jumps_then_held_as_long_as_before(
        self, open_engine: OpenEngine, stopped_clock: ManualClock, days: int
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        run = first.run("w")
        stopped_clock.advance(30)

        stopped_clock.set_wall(stopped_clock.moment().wall + timedelta(days=days))

        with pytest.raises(holdfast.LeaseHeld):
            second.run("w")
        assert second.stale() == []
        run.checkpoint()
        stopped_clock.advance(29)
        with pytest.raises(holdfast.LeaseHeld):
            second.run("w")
        stopped_clock.advance(1)
        assert len(second.stale()) == 1
        assert second.run("w").epoch == 2

    @pytest.mark.parametrize("days", [-1, 1])
    def test_silence_when_the_wall_clock_jumps_then_measured_as_before(
        self, open_engine: OpenEngine, nap_clock: ManualClock, days: int
    ) -> None:
        engine = open_engine(clock=nap_clock)
        with engine.run("w", silence=100) as run:
            nap_clock.advance(50)

            nap_clock.set_wall(nap_clock.moment().wall + timedelta(days=days))

            nap_clock.advance(49)
            assert not run.cancelled

    def test_lease_when_the_host_was_started_again_then_over(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=stopped_clock), open_engine(clock=stopped_clock)
        run = first.run("w")

        stopped_clock.reboot()

        with second.run("w") as newer:
            assert newer.epoch == 2
            with pytest.raises(holdfast.Fenced):
                run.checkpoint()

    def test_lease_when_it_was_taken_after_a_reboot_then_measured_on_the_new_uptime(
        self, open_engine: OpenEngine, stopped_clock: ManualClock
    ) -> None:
        engine = open_engine(clock=stopped_clock)
        stopped_clock.advance(86_400)
        stopped_clock.reboot()
        engine.run("w")

        stopped_clock.advance(59)
        with pytest.raises(holdfast.LeaseHeld):
            engine.run("w")
        stopped_clock.advance(1)
        assert engine.run("w").epoch == 2


class TestKeeping:
    def test_lease_when_its_run_lives_then_renewed_in_the_background(
        self, open_engine: OpenEngine, nap_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=nap_clock), open_engine(clock=nap_clock)
        with first.run("w", lease=30) as run:
            for _ in range(10):
                nap_clock.advance(15)
                with pytest.raises(holdfast.LeaseHeld):
                    second.checkpoint("w")
            run.checkpoint()

        assert second.get("w@1").status is holdfast.CheckpointStatus.COMPLETED

    def test_lease_when_its_run_is_silent_for_too_long_then_not_renewed_any_more(
        self, open_engine: OpenEngine, nap_clock: ManualClock
    ) -> None:
        first, second = open_engine(clock=nap_clock), open_engine(clock=nap_clock)
        run = first.run("w", lease=60, silence=100)
        for _ in range(6):
            nap_clock.advance(16)
        with pytest.raises(holdfast.LeaseHeld):
            second.run("w")

        ManualClock.advance(nap_clock, 5)  # the keeper ends with its last session
        _wait_until(lambda: second.attempts("w")[0].outcome is not None)

        assert run.cancelled
        with second.run("w") as newer:
            assert newer.epoch == 2

    @pytest.mark.parametrize("sign", ["checkpoint", "complete", "fail", "heartbeat"])
    def test_silence_when_the_engine_writes_for_the_run_then_that_is_a_sign_of_life(
        self, open_engine: OpenEngine, nap_clock: ManualClock, sign: str
    ) -> None:
        engine = open_engine(clock=nap_clock)
        with engine.run("w", silence=100) as run:
            run.stage("s").__enter__()
            nap_clock.advance(99)

            match sign:
                case "checkpoint":
                    engine.checkpoint("w")
                case "complete":
                    engine.complete("w/s@2")
                case "fail":
                    engine.fail("w/s@2", "no luck")
                case _:
                    engine.heartbeat("w")

            ManualClock.advance(nap_clock, 99)  # if it ends the run, the keeper sleeps no more
            threading.Event().wait(0.1)
            assert not run.cancelled

    def test_lease_when_renewal_finds_it_taken_then_the_run_knows_before_it_writes(
        self, open_engine: OpenEngine, nap_clock: ManualClock
    ) -> None:
        app = holdfast.Registry()
        app.handler("h")(lambda _: "well")
        first, second = open_engine(clock=nap_clock), open_engine(registry=app)
        run = first.run("w", handler="h")
        second.recover("w", force=True)
        assert not run.cancelled

        ManualClock.advance(nap_clock, 25)  # the keeper ends with its last session

        _wait_until(lambda: run.cancelled)
        with pytest.raises(holdfast.Fenced):
            run.step("s", int)

    def test_engine_when_closed_then_leases_are_given_up(self, open_engine: OpenEngine) -> None:
        first, second = open_engine(), open_engine()
        first.run("v", handler="h")
        first.run("w", handler="h")

        first.close()

        assert {each.workflow_id for each in second.stale()} == {"v", "w"}
        assert all("given up" in each.because.value for each in second.stale())
        assert second.run("w").epoch == 2
        assert str(second.attempts("v")[0].outcome) == "given_up"

    def test_engine_when_left_as_a_block_by_an_exception_then_leases_are_given_up(
        self, open_engine: OpenEngine, disk_target: str
    ) -> None:
        with pytest.raises(RuntimeError), holdfast.open(disk_target) as engine:
            engine.run("w")
            raise RuntimeError

        assert open_engine().run("w").epoch == 2


class TestOtherProcesses:
    def test_lease_when_its_process_has_died_then_taken_at_once_and_the_death_counts(
        self, open_engine: OpenEngine, disk_target: str
    ) -> None:
        perform(
            disk_target,
            """
            run = engine.run("w", handler="h", lease=3600)
            run.step("done", int)
            run.stage("s").__enter__()
            os._exit(9)
            """,
            code=9,
        )
        engine = open_engine()
        engine.handler("h")(lambda run: sorted(run.in_doubt))

        (found,) = engine.stale()
        assert "owner is gone" in found.because.value
        assert list(map(str, found.open_scopes)) == ["w", "w/s"]
        result = engine.recover("w")

        assert result.output == ["s"]
        assert [str(each.outcome) for each in engine.attempts("w")] == ["died", "completed"]

    def test_run_when_carried_through_a_fork_then_refused_in_the_child_and_good_in_the_parent(
        self, disk_target: str
    ) -> None:
        told = perform(
            disk_target,
            """
            def attempt(call):
                try:
                    call()
                    return "accepted"
                except Exception as error:
                    return type(error).__name__

            run = engine.run("w", handler="h")
            stage = run.stage("s").__enter__()
            reader, writer = os.pipe()
            if os.fork() == 0:
                calls = {
                    "checkpoint": lambda: run.checkpoint(state={"child": True}),
                    "step": lambda: run.step("child", int),
                    "stage": lambda: run.stage("child").__enter__(),
                    "agent": lambda: stage.agent("child").__enter__(),
                    "barrier": lambda: run.barrier("child"),
                    "heartbeat": run.heartbeat,
                    "leaving": lambda: run.__exit__(None, None, None),
                    "engine.checkpoint": lambda: engine.checkpoint("w", state={"child": True}),
                    "engine.complete": lambda: engine.complete("w@1", abandon=True),
                    "engine.run": lambda: engine.run("w"),
                    "another workflow": lambda: engine.checkpoint("v", state={"child": True}),
                }
                told = {name: attempt(call) for name, call in calls.items()}
                engine.close()
                os.write(writer, json.dumps(told).encode())
                os._exit(0)
            os.wait()
            run.checkpoint(state={"parent": True})
            stage.__exit__(None, None, None)
            run.__exit__(None, None, None)
            print(json.dumps({
                "child": json.loads(os.read(reader, 65536)),
                "state": engine.context("w").workflow_state,
                "status": engine.outline("w").status,
                "other": engine.context("v").workflow_state,
            }))
            """,
        )

        refused = ["checkpoint", "step", "stage", "agent", "barrier", "heartbeat", "leaving"]
        assert {name: told["child"][name] for name in refused} == dict.fromkeys(
            refused, "ForeignRun"
        )
        held = ["engine.checkpoint", "engine.complete", "engine.run"]
        assert {name: told["child"][name] for name in held} == dict.fromkeys(held, "LeaseHeld")
        assert told["child"]["another workflow"] == "accepted"
        assert told["state"] == {"parent": True}
        assert told["status"] == "completed"
        assert told["other"] == {"child": True}

    def test_engine_when_it_opens_a_run_in_a_forked_child_then_that_lease_is_renewed_too(
        self, disk_target: str
    ) -> None:
        told = perform(
            disk_target,
            """
            run = engine.run("parent")
            reader, writer = os.pipe()
            if os.fork() == 0:
                with engine.run("child", lease=0.2) as run:
                    first = engine.recover("child", explain=True).lease.renewed.uptime_ns
                    deadline = time.monotonic() + 10
                    renewed = first
                    while renewed == first and time.monotonic() < deadline:
                        renewed = engine.recover("child", explain=True).lease.renewed.uptime_ns
                os.write(writer, json.dumps({"renewed": renewed > first}).encode())
                os._exit(0)
            os.wait()
            print(os.read(reader, 65536).decode())
            """,
        )

        assert told == {"renewed": True}


def perform(store: str, code_: str, *, code: int = 0) -> Any:
    """Run code on an engine in a process of its own; return the JSON that it printed, if any."""
    text = "\n".join(
        [
            "import json, os, sys, time",
            "import holdfast",
            "engine = holdfast.open(sys.argv[1])",
            textwrap.dedent(code_),
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", text, str(store)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def _wait_until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if true():
            return
        pause.wait(0.005)
    raise AssertionError("what was waited for did not happen")
