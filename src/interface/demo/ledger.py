"""A file outside the store in which agents note that they run: the demo's independent witness."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: an agent has begun, or ended, in a process, at a time (seconds since 1970)."""

    agent: str
    what: str
    pid: int
    at: float


class Ledger:
    """Lines that many threads and processes append to, one system call each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, agent: str, what: str) -> None:
        """Append a line; it is there even if the process is killed in the next moment."""
        line = json.dumps([agent, what, os.getpid(), time.time()]) + "\n"
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def read(self) -> list[Entry]:
        """Return the lines so far."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="utf-8").splitlines()
        return [Entry(*json.loads(line)) for line in lines]
