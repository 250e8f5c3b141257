"""The command line as people meet it: on a terminal of some width, or in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_AS_IT_IS = ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "LINES", "TTY_COMPATIBLE")
ORCHARD = (sys.executable, "-m", "tests.pictures.command")
"""The command line on the orchard's clock."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it showed."""

    code: int
    text: str


def on_terminal(
    command: Sequence[str], columns: int, folder: Path, environment: Mapping[str, str]
) -> Ended:
    """Run a command on a terminal so wide; standard error is on it, too."""
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=_environment({"TERM": "xterm-256color", **environment}),
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    shown = b""
    with suppress(OSError):  # EIO: nobody has the terminal any more
        while part := os.read(ours, 1 << 16):
            shown += part
    os.close(ours)
    return Ended(process.wait(), shown.decode().replace("\r\n", "\n"))


def in_pipe(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run a command in a pipe; standard error is in it, too."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(environment),
    )
    return Ended(done.returncode, done.stdout.decode())


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _AS_IT_IS}
    kept = {name: value for name, value in kept.items() if not name.startswith("HOLDFAST_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}
