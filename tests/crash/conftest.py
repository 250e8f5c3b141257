"""Real processes to be killed, and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
PATIENCE = 60.0


@dataclass(frozen=True)
class Line:
    what: str
    about: str
    pid: int


class Crew:
    """The orchestrator of `programs/crew.py`, its store and its ledger."""

    def __init__(self, folder: Path, agents: int, kind: str) -> None:
        self.folder = folder
        self.store = target_in(folder, kind)
        self.agents = agents
        self._ledger = folder / "ledger.jsonl"
        self._errors = folder / "errors.txt"

    @property
    def is_store_made(self) -> bool:
        path = Path(self.store.removeprefix("json:"))
        return (path / "holdfast.json").exists() if path.is_dir() else path.exists()

    def spawn(self, command: str) -> subprocess.Popen[bytes]:
        arguments = [self.store, self._ledger, command, str(self.agents)]
        with self._errors.open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, str(PROGRAMS / "crew.py"), *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def lines(self, pid: int | None = None) -> list[Line]:
        if not self._ledger.exists():
            return []
        lines = [Line(*json.loads(each)) for each in self._ledger.read_text().splitlines()]
        return [each for each in lines if pid in (None, each.pid)]

    def finish(self, command: str) -> str:
        """Let a process run to its end; return what it printed."""
        process = self.spawn(command)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, self._errors.read_text()
        return output.decode()

    def kill_when(self, command: str, is_moment: Callable[[list[Line]], bool]) -> bool:
        """Kill a process at a moment when some agent is finished and another one running.

        Returns whether it was killed; it may have been too quick.
        """
        process = self.spawn(command)
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None:
            assert time.monotonic() < deadline, "the process hangs"
            if not is_moment(self.lines(process.pid)):
                continue
            # Stopped first, so that what is looked at is still so when it dies.
            process.send_signal(signal.SIGSTOP)
            if self._is_in_the_middle(process.pid):
                process.kill()
                break
            process.send_signal(signal.SIGCONT)
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def _is_in_the_middle(self, pid: int) -> bool:
        last = {each.about: each.what for each in self.lines(pid) if each.what != "saved"}
        return "begun" in last.values() and "acknowledged" in last.values()


@pytest.fixture(params=["sqlite", "json"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which kind of store it is: every crash is tried on each."""
    kind: str = request.param
    return kind


@pytest.fixture
def store(tmp_path: Path, kind: str) -> str:
    """Return the target of a store that is not there yet."""
    return target_in(tmp_path, kind)


def target_in(folder: Path, kind: str) -> str:
    return f"json:{folder / 'files'}" if kind == "json" else str(folder / "store.db")


@pytest.fixture
def crew(tmp_path: Path, kind: str) -> Callable[[str, int], Crew]:
    def make(name: str, agents: int) -> Crew:
        folder = tmp_path / name
        folder.mkdir()
        return Crew(folder, agents, kind)

    return make


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start programs of this folder by their names; what is still there at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / program), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
