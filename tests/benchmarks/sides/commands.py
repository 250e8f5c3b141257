"""Timing whole processes: the interpreter, the command line, a peer's script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..stopwatch import seconds_of

INTERPRETER = [sys.executable, "-c", "pass"]


def holdfast_command() -> list[str]:
    """Return the installed command, or what does the same where it is not installed."""
    installed = Path(sys.executable).parent / "holdfast"
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "holdfast"]


def seconds_of_process(command: Sequence[str | Path], *, expect: bytes = b"") -> float:
    """Return how long a process takes from its start to its end; its output must hold *expect*."""
    done: list[subprocess.CompletedProcess[bytes]] = []

    def run() -> None:
        done.append(subprocess.run(command, capture_output=True, check=True))

    seconds = seconds_of(run)
    assert expect in done[0].stdout, f"{command} printed {done[0].stdout[:200]!r}"
    return seconds
