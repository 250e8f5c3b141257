"""Processes that save on a store, begun at one moment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Saved:
    """What one process did: how many saves, in how many seconds, and the longest of them."""

    saves: int
    longest: float
    seconds: float


class SaverProcess:
    """A process that saves once it is told to begin."""

    def __init__(self, path: Path, workflow: str, seconds: float) -> None:
        program = [sys.executable, "-m", "tests.benchmarks.programs.saver"]
        self._process = subprocess.Popen(
            [*program, str(path), workflow, str(seconds)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Wait until it has opened the store and saved once."""
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("a saving process ended before it began")

    def tell(self) -> None:
        """Let it begin; told a second time, one without a set time stops."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def result(self) -> Saved:
        """Wait for its end and return what it did."""
        assert self._process.stdout is not None
        said = self._process.stdout.read()
        if self._process.wait():
            raise RuntimeError(f"a saving process failed ({self._process.returncode})")
        return Saved(**json.loads(said))

    def end(self) -> None:
        """Kill it if it still runs, and let go of its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def savers(path: Path, count: int, seconds: float) -> Iterator[list[SaverProcess]]:
    """Give processes that are ready to save, each on its own workflow; ended afterwards."""
    started = [SaverProcess(path, f"run-{number}", seconds) for number in range(count)]
    try:
        for each in started:
            each.wait_until_ready()
        yield started
    finally:
        for each in started:
            each.end()


def save_together(path: Path, count: int, seconds: float) -> list[Saved]:
    """Let *count* processes save for *seconds* at once, and return what each did."""
    with savers(path, count, seconds) as started:
        for each in started:
            each.tell()
        return [each.result() for each in started]
