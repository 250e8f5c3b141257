"""`holdfast run`, `step` and `heartbeat`, and commands as handlers: orchestrators in shell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import holdfast
import pytest

from .conftest import Crew, is_running

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "word_counts.sh"
Done: TypeAlias = "subprocess.CompletedProcess[str]"
Shell: TypeAlias = Callable[..., Done]


def _environment(**more: str) -> dict[str, str]:
    binaries = str(Path(sys.executable).parent)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HOLDFAST_")}
    return {**kept, "PATH": f"{binaries}:{os.environ['PATH']}", **more}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return what runs the command line on one store."""

    def run(*args: str, stdin: str = "", **environment: str) -> Done:
        return subprocess.run(
            ["holdfast", "--store", "store.db", *args],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            env=_environment(**environment),
            timeout=60,
        )

    return run


@pytest.fixture
def engine(tmp_path: Path) -> holdfast.Engine:
    return holdfast.open(tmp_path / "store.db")


class TestRun:
    def test_run_when_the_command_succeeds_then_the_workflow_is_completed_and_not_run_again(
        self, shell: Shell, engine: holdfast.Engine
    ) -> None:
        command = ["run", "w", "--", "sh", "-c", "read it; echo got $it; echo aside >&2"]
        first = shell(*command, stdin="this\n")
        again = shell(*command)

        assert (first.returncode, first.stdout, first.stderr) == (0, "got this\n", "aside\n")
        assert (again.returncode, again.stdout) == (0, "")
        assert "w is completed; nothing was run" in again.stderr
        (attempt,) = engine.attempts("w")
        assert attempt.outcome is holdfast.Outcome.COMPLETED
        assert set((attempt.output_tail or "").splitlines()) == {"got this", "aside"}
        shown = shell("attempts", "w", "--output", "1")
        assert shown.stdout == attempt.output_tail
        assert shell("attempts", "w", "--output", "2").returncode == 3
        engine.close()

    @pytest.mark.parametrize(
        ("command", "code", "outcome", "said"),
        [
            (["sh", "-c", "exit 7"], 7, "failed", "w: the command 'sh' ended with exit status 7"),
            (["sh", "-c", "kill -9 $$"], 137, "died", "'sh' was killed by SIGKILL"),
            (["nonesuch"], 127, "failed", "could not be started: nonesuch: No such file"),
        ],
    )
    def test_run_when_the_command_fails_then_so_does_the_workflow_with_its_status(
        self,
        shell: Shell,
        engine: holdfast.Engine,
        command: list[str],
        code: int,
        outcome: str,
        said: str,
    ) -> None:
        done = shell("run", "w", "--", *command)

        assert done.returncode == code
        assert said in done.stderr
        (attempt,) = engine.attempts("w")
        assert attempt.outcome == outcome
        assert engine.get("w@1").status == "failed"
        engine.close()

    def test_run_when_it_takes_too_long_then_ended_with_what_it_started(
        self, shell: Shell, engine: holdfast.Engine, tmp_path: Path
    ) -> None:
        script = "sleep 600 & echo $! $$ > pids; wait"
        done = shell("run", "w", "--timeout", "1.5", "--", "sh", "-c", script)

        assert done.returncode == 1
        assert "w timed out after 1.5 s" in done.stderr
        assert not any(map(is_running, map(int, (tmp_path / "pids").read_text().split())))
        assert engine.attempts("w")[0].outcome is holdfast.Outcome.TIMED_OUT
        engine.close()

    def test_run_when_terminated_then_the_workflow_is_handed_back(
        self, engine: holdfast.Engine, tmp_path: Path
    ) -> None:
        script = "sleep 600 & echo $! $$; wait"
        command = ["holdfast", "--store", "store.db", "run", "w", "--", "sh", "-c", script]
        with subprocess.Popen(
            command, cwd=tmp_path, env=_environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            pids = [int(each) for each in process.stdout.readline().split()]
            process.send_signal(signal.SIGTERM)

        assert process.returncode == 128 + signal.SIGTERM
        assert not any(map(is_running, pids))
        assert engine.attempts("w")[0].outcome is holdfast.Outcome.GIVEN_UP
        engine.close()

    def test_run_when_its_children_write_then_under_the_lease_and_by_what_they_inherit(
        self, shell: Shell, engine: holdfast.Engine
    ) -> None:
        script = """
            test "$HOLDFAST_RUN_EPOCH$HOLDFAST_RUN_ATTEMPT" = 11
            holdfast heartbeat && holdfast heartbeat "$HOLDFAST_RUN_WORKFLOW"
            holdfast checkpoint "$HOLDFAST_RUN_WORKFLOW" --name half
            holdfast checkpoint other --name elsewhere
        """
        # Of another run, and of another store, nothing reaches the command.
        outer = {"HOLDFAST_RUN_HANDLER": "x", "HOLDFAST_RUN_TIMEOUT": "x", "HOLDFAST_STORE": "y"}
        done = shell("run", "a/b".replace("/", "%2F"), "--", "sh", "-ec", script, **outer)

        assert done.stderr == ""
        assert done.stdout == "a%2Fb@2\nother@1\n"
        (attempt,) = engine.attempts("a%2Fb")
        assert attempt.handler is None
        (event,) = [each for each in engine.events() if str(each.checkpoint_id) == "a%2Fb@2"]
        assert event.correlation_id == attempt.correlation_id
        engine.close()

    def test_children_when_the_run_is_over_then_fenced(self, shell: Shell, tmp_path: Path) -> None:
        shell("run", "w", "--", "sh", "-c", "env | grep ^HOLDFAST_ > late; exit 1")
        lines = (tmp_path / "late").read_text().splitlines()
        late = dict(line.split("=", 1) for line in lines)

        for command in (["checkpoint", "w"], ["heartbeat"], ["step", "s", "--", "true"]):
            done = shell(*command, **late)
            assert done.returncode == 4, command
            assert "its lease was ended" in done.stderr
            assert late["HOLDFAST_RUN_TOKEN"] not in done.stderr

    @pytest.mark.parametrize("command", [["step", "s", "--", "true"], ["heartbeat"]])
    def test_command_of_a_run_when_outside_of_one_then_usage_error(
        self, shell: Shell, command: list[str]
    ) -> None:
        shell("init")

        done = shell(*command)

        assert done.returncode == 2
        assert "belongs inside `holdfast run WORKFLOW" in done.stderr

    def test_heartbeats_when_given_by_a_child_then_the_run_is_not_silent(
        self, shell: Shell
    ) -> None:
        script = "for n in 1 2 3; do sleep 1; holdfast heartbeat; done; echo done"
        alive = shell("run", "w", "--silence", "2.5", "--", "sh", "-c", script)
        silent = shell("run", "v", "--silence", "0.5", "--", "sleep", "600")

        assert (alive.returncode, alive.stdout) == (0, "done\n")
        assert silent.returncode == 1
        assert "v was silent for 0.5 s" in silent.stderr


class TestStep:
    def test_step_when_finished_then_its_output_is_printed_from_the_record(
        self, shell: Shell, engine: holdfast.Engine, tmp_path: Path
    ) -> None:
        script = r"""
            holdfast step raw -- sh -c 'echo raw >> ran; printf "x\377y"'
            holdfast step --stage part one -- sh -c 'echo one >> ran; echo "é"; echo aside >&2'
            test -e mended
        """
        first = subprocess.run(
            ["holdfast", "--store", "store.db", "run", "w", "--", "sh", "-ec", script],
            cwd=tmp_path,
            env=_environment(),
            capture_output=True,
        )
        (tmp_path / "mended").touch()
        command = ["holdfast", "--store", "store.db", "run", "w", "--", "sh", "-ec", script]
        second = subprocess.run(command, cwd=tmp_path, env=_environment(), capture_output=True)

        assert first.returncode == 1
        assert second.returncode == 0, second.stderr
        assert first.stdout == second.stdout == b"x\xffy\xc3\xa9\n"
        assert first.stderr.startswith(b"aside\n")
        assert second.stderr == b""
        assert (tmp_path / "ran").read_text() == "raw\none\n"
        outputs = engine.context("w").outputs
        assert outputs["part/one"] == {"status": 0, "stdout": "é\n"}
        assert outputs["raw"] == {"status": 0, "stdout_base64": "eP95"}
        engine.close()

    def test_step_when_its_command_fails_then_so_and_it_may_be_tried_again(
        self, shell: Shell, engine: holdfast.Engine
    ) -> None:
        script = """
            holdfast step s -- sh -c 'echo no luck >&2; test -e there' || code=$?
            touch there
            holdfast step s -- sh -c 'echo no luck >&2; test -e there'
            exit $code
        """
        done = shell("run", "w", "--", "sh", "-c", script)

        assert done.returncode == 1
        assert "w/s: the command 'sh' ended with exit status 1" in done.stderr
        failures = engine.list("w", type="error_state")
        failure = next(each for each in failures if each.id.stage_id == "s")
        assert failure.error is not None
        assert failure.error.traceback == "no luck\n"
        assert engine.context("w").outputs["s"]["status"] == 0
        engine.close()

    def test_step_when_it_takes_too_long_then_failed_and_nothing_left(
        self, shell: Shell, tmp_path: Path
    ) -> None:
        script = "holdfast step s --timeout 1.5 -- sh -c 'echo $$ > pid; sleep 600 & wait'"
        done = shell("run", "w", "--", "sh", "-c", script)

        assert "w/s timed out after 1.5 s" in done.stderr
        assert not is_running(int((tmp_path / "pid").read_text()))

    def test_step_when_it_has_a_timeout_then_it_may_be_silent_for_that_long(
        self, shell: Shell
    ) -> None:
        script = "holdfast step s --timeout 60 -- sleep 2.5"
        done = shell("run", "w", "--silence", "2", "--", "sh", "-c", script)

        assert done.returncode == 0, done.stderr

    def test_step_when_the_command_is_another_one_then_refused_kept_or_run_again(
        self, shell: Shell
    ) -> None:
        script = """
            holdfast step s -- echo one
            holdfast step s -- echo two || echo $?
            holdfast step s --changed-input keep -- echo two
            holdfast --json step s --changed-input rerun -- echo two
        """
        done = shell("run", "w", "--", "sh", "-c", script)

        lines = done.stdout.splitlines()
        assert lines[:3] == ["one", "4", "one"]
        assert json.loads("\n".join(lines[3:])) == {
            "status": 0,
            "stdout": "two\n",
            "recorded": False,
        }
        assert '["echo","one"]' in done.stderr
        assert "or give --changed-input rerun or keep" in done.stderr

    def test_step_when_it_prints_more_than_can_be_recorded_then_failed_and_not_cut(
        self, shell: Shell
    ) -> None:
        script = "holdfast step s -- head -c 12000000 /dev/zero | wc -c"
        done = shell("run", "w", "--", "sh", "-c", script)

        assert done.stdout.strip() == "12000000", "it is passed on all the same"
        assert "standard output of w/s has at least" in done.stderr


class TestCommandHandlers:
    def test_command_when_it_carries_on_then_it_gets_the_context_and_the_lease(
        self, crew: Crew, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", _environment()["PATH"])
        script = 'cat > "$0/context"; holdfast checkpoint w --name below > /dev/null; echo done'
        app = holdfast.Registry()
        app.command("h", ["sh", "-c", script, str(crew.folder)], timeout=60)
        with holdfast.open(crew.store, registry=app) as engine:
            engine.checkpoint("w", state={"n": [1, "é"]}, resume_handler="h")

            result = engine.recover("w")

            assert result.success
            context = json.loads((crew.folder / "context").read_text())
            assert context["workflow_state"] == {"n": [1, "é"]}
            assert engine.attempts("w")[0].output_tail == "done\n"
            assert engine.attempts("w")[0].handler == "h"
            assert engine.latest("w").type == "workflow_complete"
            assert engine.list("w", type="progress")[0].name == "below"

    def test_command_when_it_fails_then_recorded_with_its_status(self, crew: Crew) -> None:
        app = holdfast.Registry()
        app.command("h", ["sh", "-c", "echo why >&2; exit 9"])
        with holdfast.open(crew.store, registry=app) as engine:
            engine.checkpoint("w", resume_handler="h")

            result = engine.recover("w")

            assert result.error is not None
            assert result.error.summary == (
                "holdfast.CommandFailed: w: the command 'sh' ended with exit status 9"
            )
            assert engine.attempts("w")[0].output_tail == "why\n"

    @pytest.mark.parametrize("command", ["sh -c true", [], [1], ["a\0b"]])
    def test_command_when_it_is_no_list_of_arguments_then_refused(self, command: list[str]) -> None:
        with pytest.raises(holdfast.InvalidRequest, match="the command of handler 'h'"):
            holdfast.Registry().command("h", command)


def test_example_when_killed_and_run_again_then_what_was_finished_is_not_done_again(
    shell: Shell, engine: holdfast.Engine, tmp_path: Path
) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(4):
        (texts / f"{number}.txt").write_text("word " * (number + 1))
    command = ["run", "counts", "--", "sh", str(EXAMPLE), str(texts)]
    with subprocess.Popen(
        ["holdfast", "--store", "store.db", *command],
        cwd=tmp_path,
        env=_environment(PAUSE="0.2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stderr is not None
        counted = [first.stderr.readline() for _ in range(3)]
        first.send_signal(signal.SIGKILL)
    finished = [key for key in engine.context("counts").outputs if key.startswith("count/")]
    assert 2 <= len(finished) < 4
    assert all(line.startswith("counting ") for line in counted)

    second = shell(*command)

    assert (second.returncode, second.stdout) == (0, "10 words\n"), second.stderr
    again = {Path(line.split()[1]).name for line in second.stderr.splitlines()}
    assert again == {f"{number}.txt" for number in range(4)} - {
        key.removeprefix("count/") for key in finished
    }
    assert [each.outcome for each in engine.attempts("counts")] == ["died", "completed"]
    engine.close()
