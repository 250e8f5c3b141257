"""Supervisors as they run: processes of their own, with real signals, on one real store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import holdfast
import pytest

PROGRAMS = Path(__file__).parent / "programs"
PATIENCE = 240.0


class Fleet:
    """A store, the program whose handlers carry its workflows on, and supervisors over it."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.store = "json:fleet" if kind == "json" else "fleet.db"
        self.started: list[subprocess.Popen[str]] = []
        (folder / "holdfast.toml").write_text(
            f'store = "{self.store}"\napp = "fleet:app"\n'
            "[engine]\nback_off_base = 0.05\nback_off_cap = 0.2\ngrace = 0.5\n"
            '[supervise]\ninterval = 0.1\n[log]\nform = "json"\n'
        )

    def never_leave_alone(self) -> None:
        """Let no circuit open: back-off alone makes the pauses."""
        config = self.folder / "holdfast.toml"
        config.write_text(f"{config.read_text()}[supervise.circuit]\nfailures = 100\n")

    def open(self) -> holdfast.Engine:
        kind, _, name = self.store.rpartition(":")
        return holdfast.open(f"{kind}{kind and ':'}{self.folder / name}")

    def leave(self, handler: str, *workflows: str) -> None:
        """Leave workflows behind whose run was given up."""
        with self.open() as engine:
            for workflow in workflows:
                run = engine.run(workflow, handler=handler)
                run.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

    def holdfast(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(PROGRAMS), *sys.path]),
            "FLEET_FOLDER": str(self.folder),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def supervise(self, *options: str) -> list[dict[str, Any]]:
        """Run a supervisor to its end; return its log lines."""
        process = self.holdfast("supervise", *options)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        return [json.loads(line) for line in err.splitlines()]

    def executions(self) -> Counter[str]:
        file = self.folder / "executions"
        lines = file.read_text().splitlines() if file.exists() else []
        return Counter(line.split()[0] for line in lines)

    def steps(self, what: str) -> Counter[str]:
        """Return how often each step of a workflow has begun, or ended."""
        file = self.folder / "steps"
        lines = file.read_text().splitlines() if file.exists() else []
        return Counter(line.partition(" ")[2] for line in lines if line.startswith(f"{what} "))

    def statuses(self) -> dict[str, str]:
        with self.open() as engine:
            found = engine.workflows(limit=1000)
        return {each.workflow_id: str(each.status) for each in found}

    def wait(self, is_so: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.02)


@pytest.fixture(params=["sqlite", "json"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path, request.param)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_once_when_workflows_are_left_then_each_is_recovered_once_and_it_ends(
    fleet: Fleet,
) -> None:
    names = [f"w{number}" for number in range(6)]
    fleet.leave("good", *names)

    lines = fleet.supervise("--once", "--at-once", "2")

    assert fleet.statuses() == dict.fromkeys(names, "completed")
    assert fleet.executions() == dict.fromkeys(names, 1)
    sweeps = [line for line in lines if line["event"] == "sweep"]
    assert sum(line["recovered"] for line in sweeps) == 6
    assert {"timestamp", "level", "event", "actor"} <= sweeps[0].keys()


def test_supervise_when_a_pill_raises_then_max_retries_and_one_executions_then_killed(
    fleet: Fleet,
) -> None:
    fleet.leave("pill", "w")
    fleet.never_leave_alone()

    process = fleet.holdfast("supervise")
    fleet.wait(lambda: fleet.statuses() == {"w": "killed"}, "killed")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0, err
    # The run that was given up used up none.
    assert fleet.executions() == {"w": 4}
    lines = [json.loads(line) for line in err.splitlines()]
    killed = [
        line for line in lines if line["event"] == "killed" and line["checkpoint_id"] == "w@1"
    ]
    assert len(killed) == 1
    with fleet.open() as engine:
        attempts = engine.attempts("w")[1:]
        assert "its retries are used up" in (engine.get("w@1").reason or "")
    assert [str(each.outcome) for each in attempts] == ["failed"] * 4
    assert all(each.error is not None and "no luck" in each.error.message for each in attempts)


def test_supervise_when_each_attempt_gets_further_then_never_killed(fleet: Fleet) -> None:
    fleet.leave("step-by-step", "w")
    fleet.never_leave_alone()

    process = fleet.holdfast("supervise")
    fleet.wait(lambda: fleet.statuses() == {"w": "completed"}, "completed")
    process.send_signal(signal.SIGINT)

    assert process.wait(PATIENCE) == 0
    assert fleet.executions() == {"w": 8}


def test_supervise_when_a_handler_keeps_failing_then_its_circuit_opens_and_others_go_on(
    fleet: Fleet,
) -> None:
    fleet.leave("pill", *(f"bad{number}" for number in range(5)))

    process = fleet.holdfast("supervise", "--at-once", "1")
    # Three failures open it; what is good is carried on all the same.
    fleet.wait(lambda: sum(fleet.executions().values()) >= 3, "three failures")
    fleet.leave("good", "fine")
    fleet.wait(lambda: fleet.statuses().get("fine") == "completed", "completed")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)

    lines = [json.loads(line) for line in err.splitlines()]
    opened = [line for line in lines if line["event"] == "circuit opened"]
    assert [line["handler"] for line in opened] == ["pill"]
    assert sum(number for name, number in fleet.executions().items() if name != "fine") == 3


def test_supervise_when_told_to_stop_then_what_is_under_way_may_end(fleet: Fleet) -> None:
    fleet.leave("slow", "w")
    process = fleet.holdfast("supervise", "--grace", "30")
    fleet.wait((fleet.folder / "slow-began").exists, "began")

    process.send_signal(signal.SIGTERM)
    (fleet.folder / "let-go").touch()

    assert process.wait(PATIENCE) == 0
    assert fleet.statuses() == {"w": "completed"}


def test_supervise_when_it_does_not_end_within_the_grace_then_handed_back(fleet: Fleet) -> None:
    fleet.leave("slow", "w")
    process = fleet.holdfast("supervise", "--grace", "0.2")
    fleet.wait((fleet.folder / "slow-began").exists, "began")

    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0, err
    assert '"handed back"' in err
    with fleet.open() as engine:
        assert [each.workflow_id for each in engine.stale()] == ["w"]
        assert engine.attempts("w")[-1].outcome is holdfast.Outcome.GIVEN_UP
        assert engine.get("w@1").retry_count == 0
    pid = int((fleet.folder / "executions").read_text().split()[1])
    assert not Path(f"/proc/{pid}").exists()


def test_supervise_when_it_is_killed_then_what_it_had_is_recovered_by_the_next(
    fleet: Fleet,
) -> None:
    fleet.leave("slow", "w")
    process = fleet.holdfast("supervise")
    fleet.wait((fleet.folder / "slow-began").exists, "began")
    process.kill()
    process.wait(PATIENCE)
    (fleet.folder / "let-go").touch()

    fleet.wait(lambda: fleet.supervise("--once") and fleet.statuses()["w"] == "completed", "done")

    assert fleet.executions()["w"] == 2


def test_supervise_when_answered_then_carried_on_without_a_retry(fleet: Fleet) -> None:
    fleet.leave("asks", "w")
    fleet.supervise("--once")
    assert fleet.statuses() == {"w": "waiting"}
    fleet.supervise("--once")
    assert fleet.executions() == {"w": 1}

    assert fleet.holdfast("answer", "w", "question", "yes").wait(PATIENCE) == 0
    fleet.supervise("--once")

    assert fleet.statuses() == {"w": "completed"}
    assert fleet.executions() == {"w": 2}


def test_supervise_when_the_handler_is_unknown_then_said_once_and_nothing_is_run(
    fleet: Fleet,
) -> None:
    fleet.leave("os.system", "w")

    lines = fleet.supervise("--once")

    blocked = [line for line in lines if line["event"] == "cannot be carried on"]
    assert [line["workflow_id"] for line in blocked] == ["w"]
    assert "not registered" in blocked[0]["reason"]
    assert fleet.executions() == {}


def test_recover_all_when_called_then_what_can_be_is_recovered(fleet: Fleet) -> None:
    fleet.leave("good", "a", "b")
    fleet.leave("nobody", "c")

    process = fleet.holdfast("recover", "--all")
    out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0, err
    assert {"a completed", "b completed"} <= set(out.splitlines())
    assert "c blocked: its handler 'nobody' is not registered" in out


@pytest.mark.parametrize(
    ("supervisors", "workflows"), [(3, 10), pytest.param(4, 200, marks=pytest.mark.deep)]
)
def test_supervise_when_many_run_on_one_store_then_each_workflow_is_recovered_once(
    fleet: Fleet, supervisors: int, workflows: int
) -> None:
    names = [f"w{number}" for number in range(workflows)]
    fleet.leave("good", *names)
    running = [fleet.holdfast("supervise", "--at-once", "2") for _ in range(supervisors)]

    fleet.wait(lambda: set(fleet.statuses().values()) == {"completed"}, "all completed")
    for process in running:
        process.send_signal(signal.SIGTERM)

    assert [process.wait(PATIENCE) for process in running] == [0] * supervisors
    assert fleet.executions() == dict.fromkeys(names, 1)


def test_supervise_when_one_of_three_is_killed_amid_many_runs_then_nothing_is_lost_or_done_twice(
    fleet: Fleet,
) -> None:
    names = [f"w{number}" for number in range(8)]
    fleet.leave("in-steps", *names)
    running = [fleet.holdfast("supervise", "--at-once", "3") for _ in range(3)]

    fleet.wait(lambda: len(fleet.steps("ended")) > 10, "some steps are done")
    running[0].kill()
    fleet.wait(lambda: set(fleet.statuses().values()) == {"completed"}, "all completed")
    for process in running[1:]:
        process.send_signal(signal.SIGTERM)

    assert [process.wait(PATIENCE) for process in running] == [-signal.SIGKILL, 0, 0]
    ended, begun = fleet.steps("ended"), fleet.steps("begun")
    assert set(ended) == {f"{name} {step}" for name in names for step in range(8)}
    again = {step for step, times in begun.items() if times > 1}
    # What was under way when it was killed is done again, by one other; nothing else is.
    assert len(again) <= 3
    assert max(begun.values()) <= 2
    with fleet.open() as engine:
        for name in names:
            attempts = engine.attempts(name)
            assert [each.epoch for each in attempts] == list(range(1, len(attempts) + 1))
            assert len(attempts) <= 3
            assert engine.get(f"{name}@1").retry_count == 0


@pytest.mark.deep
def test_supervise_when_a_thousand_are_killed_then_it_hardly_costs_anything(fleet: Fleet) -> None:
    with fleet.open() as engine:
        for number in range(1000):
            engine.checkpoint(f"w{number}", resume_handler="good")
            engine.cancel(f"w{number}")
    process = fleet.holdfast("supervise", "--interval", "5")
    time.sleep(2)  # what starting costs is not counted
    started = _cpu_of(process.pid)
    time.sleep(30)
    used = _cpu_of(process.pid) - started
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE) == 0
    assert used <= 0.3


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
