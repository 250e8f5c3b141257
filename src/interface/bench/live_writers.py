"""Processes that save to the store that is measured, meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from .samples import Samples


class LiveWriters:
    """Processes that save all the time; after `stop` the seconds that each save took."""

    def __init__(self, path: Path, count: int) -> None:
        command = [sys.executable, "-m", f"{__package__}.live_writer", str(path)]
        self._processes = [_Writer([*command, f"writer-{number}"]) for number in range(count)]
        self.waits = Samples()

    def wait_until_ready(self) -> None:
        """Wait until each has saved once."""
        for process in self._processes:
            if process.said.readline().strip() != "saving":
                raise RuntimeError("a process that was to save meanwhile ended before it began")

    def stop(self) -> None:
        """Let them come to an end, and collect what each save took."""
        for process in self._processes:
            process.told.close()
        for process in self._processes:
            self.waits.seconds += json.loads(process.said.read() or "[]")

    def kill(self) -> None:
        """End those that still run."""
        for process in self._processes:
            process.end()


class _Writer:
    """A process, and the two ends of its pipes."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.told = cast("IO[str]", self._process.stdin)
        self.said = cast("IO[str]", self._process.stdout)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self.told.close()
        self.said.close()


@contextmanager
def live_writers(path: Path, count: int) -> Iterator[LiveWriters]:
    """Give processes that save until they are stopped, or the block ends."""
    writers = LiveWriters(path, count)
    try:
        writers.wait_until_ready()
        yield writers
    finally:
        writers.kill()
