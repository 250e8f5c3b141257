"""Where the soak takes place: one store, the processes on it, and what is measured of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

PROGRAMS = Path(__file__).parent / "programs"
KEEP = 60
"""Of each workflow, the newest that every purge keeps."""


@dataclass
class Series:
    """Measurements of one thing over time."""

    points: list[tuple[float, float]] = field(default_factory=list)

    def note(self, value: float) -> None:
        self.points.append((time.monotonic(), value))

    @property
    def last(self) -> float:
        return self.points[-1][1] if self.points else 0.0


class Yard:
    """One store and the processes on it: steady ones that are measured, others that are killed."""

    def __init__(self, folder: Path, kind: str, draw: Random) -> None:
        self.folder = folder
        self.path = folder / ("files" if kind == "json" else "store.db")
        self.target = f"json:{self.path}" if kind == "json" else str(self.path)
        self.ledger = folder / "ledger.txt"
        self.wrong = folder / "wrong.txt"
        self.kills = 0
        self.series: dict[str, Series] = {}
        self._draw = draw
        self._errors = folder / "errors.txt"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "holdfast.toml").write_text(
            "[engine]\nback_off_base = 0.05\nback_off_cap = 0.5\nlease = 5\ngrace = 0.5\n"
            "[supervise]\ninterval = 0.5\n[supervise.circuit]\nfailures = 1000000\n"
        )
        self._commands = {
            "steady writer": self._program("writing.py", self.target, self.ledger, "stream-1"),
            "steady purger": self._program("purging.py", self.target, KEEP),
            "steady supervisor": self._supervisor(),
            "writer": self._program("writing.py", self.target, self.ledger, "stream-2"),
            "purger": self._program("purging.py", self.target, KEEP),
            "supervisor": self._supervisor(),
            "starter": self._program("starting.py", self.target, self.wrong),
        }

    def begin(self) -> None:
        for name in self._commands:
            self._start(name)

    def kill_one(self) -> None:
        """Kill one of those that are not measured, and start it anew."""
        name = self._draw.choice([each for each in self._commands if "steady" not in each])
        self._running[name].kill()
        self._running[name].wait()
        self.kills += 1
        self._start(name)

    def measure(self) -> None:
        """Note memory and files of each steady process; one that has ended is an error."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise AssertionError(f"the {name} ended: {self.errors}")
            if name.startswith("steady"):
                self._note(f"memory of the {name}, KiB", _resident(process.pid))
                self._note(f"files of the {name}", _open_files(process.pid))

    def measure_store(self) -> None:
        """Note the size of the store, without SQLite's -wal, which is cut by its own rules."""
        files = [self.path] if self.path.is_file() else _files_below(self.path)
        size = 0
        for each in files:
            with suppress(FileNotFoundError):  # it went meanwhile
                size += each.stat().st_size
        self._note("store, bytes", size)

    def end(self, names: str = "") -> None:
        """End the processes with that in their names: supervisors in order, the others at once."""
        for name in [each for each in self._running if names in each]:
            process = self._running.pop(name)
            process.send_signal(signal.SIGTERM if "supervisor" in name else signal.SIGKILL)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def acknowledged(self) -> dict[str, dict[int, str]]:
        """Return what writers were told is saved: by workflow, the mark of each sequence."""
        found: dict[str, dict[int, str]] = {}
        for line in self.ledger.read_text().splitlines():
            name, sequence, mark = line.split()
            marks = found.setdefault(name, {})
            assert int(sequence) not in marks, f"sequence {sequence} of {name} was given twice"
            marks[int(sequence)] = mark
        return found

    @property
    def errors(self) -> str:
        return self._errors.read_text()[-3000:]

    def _note(self, name: str, value: float) -> None:
        self.series.setdefault(name, Series()).note(value)

    def _start(self, name: str) -> None:
        # HOLDFAST_SOAK_MINUTES is ours; for the command line it would be a mistake.
        clean = {name: text for name, text in os.environ.items() if not name.startswith("HOLDFAST")}
        environment = {**clean, "PYTHONPATH": os.pathsep.join([str(PROGRAMS), *sys.path])}
        with self._errors.open("ab") as errors:
            self._running[name] = subprocess.Popen(
                self._commands[name],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                # A supervisor writes a line a look.
                stderr=subprocess.DEVNULL if "supervisor" in name else errors,
            )

    def _program(self, name: str, *arguments: object) -> list[str]:
        return [sys.executable, str(PROGRAMS / name), *map(str, arguments)]

    def _supervisor(self) -> list[str]:
        options = ["--store", self.target, "--app", "jobs:app", "supervise"]
        return [sys.executable, "-m", "holdfast", *options]


def _files_below(folder: Path) -> Iterator[Path]:
    # Not `rglob`, which raises when a folder goes while it looks.
    for inside, _, names in os.walk(folder):
        yield from (Path(inside, name) for name in names)


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
