"""Handlers in processes of their own: what they do, how they end, and that nothing is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import holdfast
import pytest

from .conftest import PROGRAMS, Crew


class TestRun:
    def test_handler_when_it_behaves_then_all_is_as_in_the_same_process(
        self, crew: Crew, capsys: pytest.CaptureFixture[str]
    ) -> None:
        crew.touch("mended")

        started = crew.call("behaves").ended()

        assert started.error is None
        attempt = crew.attempt
        assert started.value == {
            "parts": [1, 4, 9],
            "state": {"one": 4},
            "doubt": [],
            "id": attempt.correlation_id,
        }
        assert crew.engine.latest("w").output == started.value
        assert attempt.outcome is holdfast.Outcome.COMPLETED
        assert attempt.output_tail is not None
        assert sorted(attempt.output_tail.splitlines()) == ["and this is wrong", "this is w"]
        printed = capsys.readouterr()
        assert printed.out == "this is w\n"
        assert printed.err == "and this is wrong\n"
        assert crew.pids != [os.getpid()]

    def test_handler_when_it_raised_then_recorded_as_it_was_and_carried_on_from_there(
        self, crew: Crew
    ) -> None:
        error = crew.call("behaves").ended().error

        assert isinstance(error, holdfast.HandlerFailed)
        assert str(error).endswith("raised ZeroDivisionError: integer division or modulo by zero")
        recorded = crew.attempt.error
        assert recorded is not None
        assert recorded.type == "ZeroDivisionError"
        assert "1 // 0" in recorded.traceback
        assert crew.attempt.outcome is holdfast.Outcome.FAILED

        crew.touch("mended")
        result = crew.engine.recover("w")

        assert result.success
        assert result.output["doubt"] == ["fragile"]
        assert len((crew.folder / "noted").read_text().split()) == 1, "a finished step ran again"
        assert [each.number for each in crew.engine.attempts("w")] == [1, 2]

    def test_handler_when_asynchronous_then_the_same(self, crew: Crew) -> None:
        assert crew.call("awaits").ended().value == [1, 4, 9]

    def test_correlation_id_when_parent_and_child_write_then_one(self, crew: Crew) -> None:
        crew.touch("mended")
        given = {"folder": str(crew.folder)}
        # By one clock: what comes after the end of an attempt is not counted as part of it.
        with holdfast.open(crew.store, registry=crew.engine.registry) as engine:
            engine.start("behaves", workflow_id="w", input=given)
            ids = {each.correlation_id for each in engine.events()}

        assert ids == {crew.attempt.correlation_id}

    def test_child_when_it_writes_through_another_engine_or_command_then_under_the_lease(
        self, crew: Crew
    ) -> None:
        started = crew.call("beside", store=str(crew.store)).ended()

        assert started.error is None
        names = [each.name for each in crew.engine.list("w", type="progress")]
        assert names == ["below", "beside"]
        assert {each.epoch for each in crew.engine.list("w")} == {1}

    def test_error_of_holdfast_when_raised_in_the_child_then_it_is_that_error_here(
        self, crew: Crew
    ) -> None:
        crew.call("changes").ended()

        error = crew.call("changes").ended().error

        assert isinstance(error, holdfast.InputChanged)
        assert error.subject == "step w/same"
        assert "raised in a process of its own" in "".join(error.__notes__)

    def test_handler_when_the_store_is_ill_then_no_failure_of_the_workflow(
        self, crew: Crew
    ) -> None:
        error = crew.call("trouble").ended().error

        assert isinstance(error, holdfast.StorageUnavailable)
        assert error.outcome == "unknown"
        assert crew.attempt.outcome is holdfast.Outcome.STORE_TROUBLE
        assert crew.engine.get("w@1").retry_count == 0

    def test_token_when_the_handler_prints_and_raises_it_then_it_is_not_kept(
        self, crew: Crew
    ) -> None:
        crew.call("tells").ended()

        attempt = crew.attempt
        assert attempt.output_tail is not None
        assert "'HOLDFAST_RUN_TOKEN': '…'" in attempt.output_tail
        assert attempt.error is not None
        assert attempt.error.message == "…"


class TestSteering:
    @pytest.mark.parametrize("how", ["raised", "grouped"])
    def test_handler_when_it_waits_then_so_does_the_workflow_until_it_is_answered(
        self, crew: Crew, how: str
    ) -> None:
        crew.touch(how)

        error = crew.call("asks").ended().error

        assert isinstance(error, holdfast.Waiting)
        assert error.name == "approval"
        assert crew.attempt.outcome is holdfast.Outcome.WAITING
        assert crew.engine.get("w@1").status == "waiting"
        crew.engine.answer("w", "approval", {"ok": 1})
        assert crew.engine.recover("w").output == {"ok": 1}
        assert crew.engine.get("w@1").retry_count == 0

    def test_handler_when_it_is_cancelled_then_its_next_checkpoint_ends_it(
        self, crew: Crew
    ) -> None:
        started = crew.call("obeys")
        crew.wait(lambda: crew.pids, "its start")

        crew.engine.cancel("w")

        assert isinstance(started.ended().error, holdfast.Cancelled)
        assert crew.attempt.outcome is holdfast.Outcome.CANCELLED
        assert crew.engine.get("w@1").status == "killed"
        assert crew.left == []

    def test_secrets_when_something_redacts_then_in_the_child_too(self, crew: Crew) -> None:
        registry, redact = crew.engine.registry, sys.modules["crew"].censor
        with holdfast.open(crew.store, registry=registry, redact=redact) as engine:
            with pytest.raises(holdfast.HandlerFailed, match="the secret"):
                engine.start("blabs", workflow_id="w", input={})
            errors = [each.error for each in engine.list("w") if each.error is not None]

        assert {each.message for each in errors} == {"the ***"}
        assert {each.id.stage_id for each in engine_failures(crew)} == {"loose", None}
        assert not any("secret" in each.traceback for each in errors)

    def test_secrets_when_what_redacts_cannot_be_imported_then_refused_and_none_stored(
        self, crew: Crew
    ) -> None:
        registry = crew.engine.registry
        with (
            holdfast.open(crew.store, registry=registry, redact=lambda _, value: value) as engine,
            pytest.raises(holdfast.InvalidRequest, match="which imports redact= by name"),
        ):
            engine.start("blabs", workflow_id="w", input={})

    def test_log_when_parent_and_child_write_it_then_one_correlation_id(
        self, crew: Crew, tmp_path: Path
    ) -> None:
        crew.touch("mended")
        log = holdfast.Log(level="debug", form="json", file=str(tmp_path / "log"))
        with holdfast.open(crew.store, registry=crew.engine.registry, log=log) as engine:
            engine.start("behaves", workflow_id="w", input={"folder": str(crew.folder)})
        lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]

        actors = {line["actor"] for line in lines}
        assert len(actors) == 2, "parent and child"
        assert {line["correlation_id"] for line in lines} == {crew.attempt.correlation_id}


def engine_failures(crew: Crew) -> list[holdfast.Checkpoint]:
    """Return the checkpoints that tell of failures."""
    return crew.engine.list("w", type="error_state")


class TestLimits:
    @pytest.mark.parametrize("name", ["loops", "deaf", "parent"])
    def test_handler_when_its_time_is_over_then_ended_with_all_that_it_started(
        self, crew: Crew, name: str
    ) -> None:
        started = crew.call(name)
        crew.wait(lambda: crew.pids, "its start")
        if name == "parent":
            crew.until("ready")
            assert len(crew.left) == 4

        crew.clock.advance(299)
        assert not started.error
        crew.clock.advance(2)
        error = started.ended().error

        assert isinstance(error, holdfast.TimedOut)
        assert str(error).startswith("w timed out after 300 s; ")
        assert crew.left == []
        assert crew.attempt.outcome is holdfast.Outcome.TIMED_OUT
        assert crew.engine.get("w@1").status == "failed"
        assert crew.engine.get("w@1").retry_count == 1
        if name == "loops":
            assert crew.attempt.output_tail == "round and round\n"

    def test_handler_when_silent_for_too_long_then_ended(self, crew: Crew) -> None:
        started = crew.call("silent")
        crew.wait(lambda: crew.pids, "its start")

        crew.clock.advance(1801)
        error = started.ended().error

        assert str(error).startswith("w was silent for 1800 s; ")
        assert crew.left == []
        assert crew.attempt.outcome is holdfast.Outcome.TIMED_OUT

    def test_workflow_when_it_takes_hours_while_steps_are_finished_then_not_ended(
        self, crew: Crew
    ) -> None:
        started = crew.call("long")
        for number in range(5):
            crew.until(f"step {number} begun")
            crew.clock.advance(1700)
            crew.touch(f"step {number} go")

        crew.until("patient begun")
        crew.clock.advance(3500)  # its timeout is its silence
        crew.touch("patient go")

        assert started.ended().value == "done"

    def test_handler_when_it_returns_and_leaves_processes_behind_then_they_end(
        self, crew: Crew
    ) -> None:
        started = crew.call("leaves")
        crew.wait(lambda: len(crew.pids) == 4, "its children")

        # For its thread, which does not end: it gets the grace once the result is there.
        def turn() -> bool:
            crew.clock.advance(0.1)
            return not started.is_running

        crew.wait(turn, "its end")

        assert started.ended().value == "done"
        assert crew.left == []

    def test_handler_when_its_lease_is_taken_by_force_then_ended(self, crew: Crew) -> None:
        started = crew.call("silent")
        crew.wait(lambda: crew.pids, "its start")
        with holdfast.open(crew.store, clock=crew.clock) as other:
            other.handler("other")(lambda _: "taken")
            assert other.recover("w", handler="other", force=True).success

        crew.clock.advance(25)  # to the next renewal
        error = started.ended().error

        assert isinstance(error, holdfast.Fenced)
        assert crew.left == []
        assert [each.outcome for each in crew.engine.attempts("w")] == ["fenced", "completed"]


class TestDeath:
    def test_handler_when_it_ends_its_process_then_recorded_as_that(self, crew: Crew) -> None:
        error = crew.call("exits", status=3).ended().error

        assert isinstance(error, holdfast.HandlerDied)
        assert error.exit_code == 3
        assert "ended with exit status 3 before it returned" in str(error)
        assert crew.attempt.outcome is holdfast.Outcome.DIED
        assert crew.attempt.output_tail == "the last words"
        assert len(crew.pids) == 4
        assert crew.left == []
        assert crew.engine.get("w@1").status == "failed"

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_handler_when_killed_from_outside_then_recorded_with_the_signal(
        self, crew: Crew, number: signal.Signals
    ) -> None:
        started = crew.call("parent")
        crew.until("ready")

        os.kill(crew.pids[0], number)
        error = started.ended().error

        assert isinstance(error, holdfast.HandlerDied)
        assert f"was killed by {number.name}" in str(error)
        assert crew.left == []
        assert crew.attempt.outcome is holdfast.Outcome.DIED

    def test_handler_when_its_guard_is_killed_then_it_does_not_go_on(self, crew: Crew) -> None:
        started = crew.call("deaf")
        crew.wait(lambda: crew.pids, "its start")
        stat = Path(f"/proc/{crew.pids[0]}/stat").read_text()

        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)

        assert isinstance(started.ended().error, holdfast.HandlerDied)
        assert crew.left == []

    def test_handler_when_the_process_that_holds_the_lease_is_killed_then_it_ends_at_once(
        self, crew: Crew
    ) -> None:
        command = [sys.executable, PROGRAMS / "crew.py", crew.store, "parent", "w", crew.folder]
        holder = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
        crew.until("ready")
        assert len(crew.left) == 4

        holder.kill()
        holder.wait()

        crew.wait(lambda: not crew.left, "the end of what it left")
        (found,) = crew.engine.stale()
        assert "gone" in found.because.value

    def test_main_program_when_it_registers_handlers_then_they_are_found_in_it(
        self, crew: Crew
    ) -> None:
        crew.touch("mended")
        command = [sys.executable, PROGRAMS / "crew.py", crew.store, "behaves", "w", crew.folder]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)

        assert "{'parts': [1, 4, 9]" in done.stdout


class TestStop:
    def test_handler_when_stopped_from_another_thread_then_handed_back(self, crew: Crew) -> None:
        started = crew.call("deaf")
        crew.wait(lambda: crew.pids, "its start")

        crew.engine._kernel.stopping.set()

        assert isinstance(started.ended().error, KeyboardInterrupt)
        assert crew.left == []
        assert crew.attempt.outcome is holdfast.Outcome.GIVEN_UP
        assert crew.engine.get("w@1").retry_count == 0

    def test_handler_when_its_task_is_cancelled_then_handed_back(self, crew: Crew) -> None:
        async def scene() -> None:
            registry = crew.engine.registry
            async with holdfast.open_async(
                crew.store, registry=registry, settings={"grace": 0.3}
            ) as engine:
                given = {"folder": str(crew.folder)}
                task = asyncio.create_task(engine.start("parent", workflow_id="w", input=given))
                while not (crew.folder / "ready").exists():
                    await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(scene())

        assert crew.left == []
        assert crew.attempt.outcome is holdfast.Outcome.GIVEN_UP


REPORT = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import crew, holdfast
with holdfast.open(sys.argv[2], registry=crew.app) as engine:
    engine.start("prints", workflow_id="first", input={"megabytes": 1})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    engine.start("prints", workflow_id="w", input={"megabytes": int(sys.argv[3])})
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(after - before, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "megabytes", [128, pytest.param(1024, marks=pytest.mark.deep)], ids="{} MB".format
)
def test_output_when_it_is_huge_then_passed_on_whole_and_its_end_kept_in_flat_memory(
    crew: Crew, megabytes: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", REPORT, str(PROGRAMS), str(crew.store), str(megabytes)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as printer:
        assert printer.stdout is not None
        assert printer.stderr is not None
        passed_on = 0
        while data := printer.stdout.read(1 << 20):
            passed_on += len(data)
        said = printer.stderr.read()
    assert printer.returncode == 0, said

    assert passed_on == ((1 + megabytes) << 20) + 2 * len("the end\n")
    assert int(said) < 16 << 10, "kilobytes that the parent grew by"
    tail = crew.attempt.output_tail
    assert tail is not None
    assert tail.endswith("x\nthe end\n")
    assert tail.startswith("…x")
    assert len(tail) == (64 << 10) + 1


COMMAND_REPORT = """
import resource, sys
import holdfast
app = holdfast.Registry()
program = "import sys; line = b'x' * 65536; [sys.stdout.buffer.write(line) for _ in range(%d)]"
for megabytes in (1, int(sys.argv[2])):
    app.command(f"prints {megabytes}", [sys.executable, "-c", program % (megabytes * 16)])
grown = []
with holdfast.open(sys.argv[1], registry=app) as engine:
    for megabytes in (1, int(sys.argv[2])):
        engine.checkpoint(f"w{megabytes}", resume_handler=f"prints {megabytes}")
        assert engine.recover(f"w{megabytes}").success
        grown.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(grown[1] - grown[0], file=sys.stderr)
"""


@pytest.mark.parametrize(
    "megabytes", [64, pytest.param(1024, marks=pytest.mark.deep)], ids="{} MB".format
)
def test_output_when_a_command_prints_a_lot_then_passed_on_whole_in_flat_memory(
    tmp_path: Path, megabytes: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND_REPORT, str(tmp_path / "store.db"), str(megabytes)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as printer:
        assert printer.stdout is not None
        assert printer.stderr is not None
        passed_on = 0
        while data := printer.stdout.read(1 << 20):
            passed_on += len(data)
        said = printer.stderr.read()
    assert printer.returncode == 0, said

    assert passed_on == (1 + megabytes) << 20
    assert int(said) < 16 << 10, "kilobytes that the parent grew by"


class TestRefusals:
    def test_function_when_it_cannot_be_imported_then_refused_when_it_is_registered(self) -> None:
        app = holdfast.Registry()

        with pytest.raises(holdfast.InvalidRequest, match="is none that can be imported"):
            app.handler("h", isolation="process")(lambda _: None)

        assert app.names() == ()

    def test_isolation_when_it_is_none_of_the_two_then_refused(self) -> None:
        with pytest.raises(holdfast.InvalidRequest, match="give 'inline' or 'process'"):
            holdfast.Registry().workflow("w", isolation="thread")  # type: ignore[arg-type]

    def test_store_when_in_memory_then_refused_with_what_to_do(self, crew: Crew) -> None:
        with (
            holdfast.open("memory:", registry=crew.engine.registry) as engine,
            pytest.raises(holdfast.InvalidRequest, match="use a file, or isolation='inline'"),
        ):
            engine.start("silent", workflow_id="w")

    def test_program_when_it_is_in_no_file_then_refused_with_what_to_do(self, crew: Crew) -> None:
        text = """
import sys, holdfast
app = holdfast.Registry()
@app.workflow("w", isolation="process")
def w(run): pass
with holdfast.open(sys.argv[1], registry=app) as engine:
    engine.start("w", workflow_id="w")
"""
        done = subprocess.run(
            [sys.executable, "-c", text, str(crew.store)], capture_output=True, text=True
        )

        assert "move the handler into a module" in done.stderr.splitlines()[-1]
