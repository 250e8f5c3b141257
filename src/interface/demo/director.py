"""Runs the orchestrator, kills it at random moments, carries it on, looks at what came of it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..engine import Engine
from ..opening import open as open_store
from .ledger import Entry, Ledger

WORKFLOW = "source-report"
RUN = "report"
APP = "holdfast.interface.demo.analysis:app"
REPORTS = ("report.md", "report.json")

_LOOK_AGAIN = 0.002
_PATIENCE = 300.0


class DemoFailed(Exception):
    """The demo could not be played to its end."""


@dataclass(frozen=True, slots=True)
class Play:
    """One command, and the handler's process that it ran: what that did, and how it ended.

    Attributes:
        began, ended: seconds since the run's first process was started.
        finished: the agents whose work it did to the end, saved in time or not.
        interrupted: the agents that it was running when it was killed.
        saved: all agents, of this process or an earlier one, whose result the store held when it
            had ended.
    """

    command: str
    pid: int
    killed: bool
    began: float
    ended: float
    finished: tuple[str, ...]
    interrupted: tuple[str, ...]
    saved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Performance:
    """A whole run, by one process or by several.

    Attributes:
        reports: the bytes of the reports, by name.
    """

    folder: Path
    plays: list[Play]
    entries: list[Entry]
    reports: dict[str, bytes]
    result: Any = None
    attempts: int = 0
    agents: tuple[str, ...] = field(default=())


class Stage:
    """A folder with a store, a ledger and the reports, and the processes that work on them."""

    def __init__(self, folder: Path, source: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.store = folder / "demo.db"
        self.ledger = Ledger(folder / "ledger.jsonl")
        self._input = folder / "input.json"
        self._output = folder / "output.txt"
        given = {"root": str(source), "ledger": str(folder / "ledger.jsonl"), "folder": str(folder)}
        self._input.write_text(json.dumps(given), encoding="utf-8")
        self._origin = time.time()

    def play(self, command: str, when_to_kill: Callable[[], bool] | None = None) -> Play:
        """Run one process until it ends, or until *when_to_kill* says that this is the moment."""
        before = len(self.ledger.read())
        began = time.time() - self._origin
        with self._output.open("ab") as output:
            process = subprocess.Popen(
                self._arguments(command), stdout=output, stderr=output, env=_environment()
            )
        killed = self._watch(process, when_to_kill, before)
        ended = time.time() - self._origin
        if not killed and process.returncode != 0:
            tail = self._output.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise DemoFailed(f"`holdfast {command}` ended with {process.returncode}:\n{tail}")
        mine = self.ledger.read()[before:]
        finished = tuple(each.agent for each in mine if each.what == "ended")
        begun = [each.agent for each in mine if each.what == "begun"]
        return Play(
            command,
            mine[0].pid if mine else process.pid,
            killed,
            began,
            ended,
            finished,
            tuple(agent for agent in begun if agent not in finished),
            self.saved(),
        )

    def saved(self) -> tuple[str, ...]:
        """Return the agents whose result the store holds."""
        if not self.store.exists():
            return ()
        with open_store(self.store) as engine:
            return _finished_agents(engine)

    def performance(self, plays: list[Play]) -> Performance:
        """Return what came of the processes."""
        with open_store(self.store) as engine:
            result = engine.latest(RUN).output
            attempts = len(engine.attempts(RUN))
            agents = _finished_agents(engine)
        reports = {name: (self.folder / name).read_bytes() for name in REPORTS}
        return Performance(
            self.folder, plays, self.ledger.read(), reports, result, attempts, agents
        )

    def _arguments(self, command: str) -> list[str]:
        base = [sys.executable, "-m", "holdfast", "--store", str(self.store), "--app", APP]
        if command == "start":
            return [*base, "start", WORKFLOW, RUN, "--input", str(self._input)]
        return [*base, "recover", RUN]

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        when_to_kill: Callable[[], bool] | None,
        before: int,
    ) -> bool:
        """Wait for the process; return whether it was killed."""
        deadline = time.monotonic() + _PATIENCE
        while process.poll() is None:
            if when_to_kill is not None and when_to_kill() and self._kill(process, before):
                return True
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise DemoFailed(f"a process of the demo did not end within {_PATIENCE:g} s")
            time.sleep(_LOOK_AGAIN)
        return False

    def _kill(self, process: subprocess.Popen[bytes], before: int) -> bool:
        """Kill the process, unless nothing is running in it just now; return whether it was.

        The handler's own process, which does the work, is stopped first, so that what it is looked
        at for is still so when it dies: as soon as the command that watches over it is killed.
        """
        workers = {each.pid for each in self.ledger.read()[before:]}
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        states = {each.agent: each.what for each in self.ledger.read()[before:]}
        if not {"begun", "ended"} <= set(states.values()):
            for pid in workers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            return False
        process.kill()
        process.wait()
        for pid in workers - {process.pid}:
            _wait_for_the_end(pid)
        return process.returncode == -signal.SIGKILL


def _wait_for_the_end(pid: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if time.monotonic() > deadline:
            raise DemoFailed(f"process {pid} outlived the command that started it")
        time.sleep(_LOOK_AGAIN)


def undisturbed(folder: Path, source: Path) -> Performance:
    """Run the orchestrator once, and let it finish."""
    stage = Stage(folder, source)
    return stage.performance([stage.play("start")])


def disturbed(
    folder: Path,
    source: Path,
    agents: int,
    kills: int,
    draw: random.Random,
    tell: Callable[[Play], None],
) -> Performance:
    """Run it, kill it at *kills* random moments, carrying it on each time, and let it finish.

    Each kill lands while at least one agent is finished and one is running.
    """
    stage = Stage(folder, source)
    plays: list[Play] = []
    while sum(each.killed for each in plays) < kills:
        command = "recover" if plays else "start"
        done = len(plays[-1].saved) if plays else 0
        rest = kills - sum(each.killed for each in plays)
        play = stage.play(command, _moment(stage.ledger, agents, done, rest, draw))
        plays.append(play)
        tell(play)
        if not play.killed:
            raise DemoFailed("the run was over before it could be killed; try a larger --source")
    last = stage.play("recover" if plays else "start")
    plays.append(last)
    tell(last)
    return stage.performance(plays)


def _moment(
    ledger: Ledger, agents: int, done: int, kills: int, draw: random.Random
) -> Callable[[], bool]:
    """Return what tells when to kill: a little after so many more agents have ended."""
    # Leave something to do for the kills that follow.
    latest = max(1, (agents - done) // (kills + 1))
    wanted = draw.randint(1, latest)
    pause = draw.uniform(0.0, 0.02)
    before = len(ledger.read())
    due: list[float] = []

    def now() -> bool:
        ended = sum(each.what == "ended" for each in ledger.read()[before:])
        if ended < wanted:
            return False
        if not due:
            due.append(time.monotonic() + pause)
        return time.monotonic() >= due[0]

    return now


def _finished_agents(engine: Engine) -> tuple[str, ...]:
    if not engine.workflows(limit=1):
        return ()
    outputs = engine.context(RUN).outputs
    prefix = "analyse/"
    return tuple(key.removeprefix(prefix) for key in outputs if key.startswith(prefix))


def _environment() -> dict[str, str]:
    # Whatever the user has set for other stores must not reach the demo's.
    return {key: value for key, value in os.environ.items() if not key.startswith("HOLDFAST_")}
