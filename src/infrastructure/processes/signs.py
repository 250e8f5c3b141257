"""Signs of life, from whatever runs under a lease to the process that watches over it.

Through a named pipe: it reaches through shells and programs that pass no descriptors on.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ...domain.ports.processes import Sign


class SignSender:
    """Gives signs of life to whoever listens at a named pipe; silently none when nobody does."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._told: float | None = 0.0

    def give(self, allowance: float | None = None) -> None:
        """Give a sign of life.

        Args:
            allowance: seconds for which the caller may be silent from now on, where that is more
                than usual; 0 ends it.
        """
        is_new = allowance is not None and allowance != self._told
        told = repr(float(allowance)) if allowance is not None and is_new else "-"
        with contextlib.suppress(OSError):  # nobody listens, or has not read the last ones yet
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(pipe, f"{os.getpid()} {told}\n".encode())
                self._told = allowance if is_new else self._told
            finally:
                os.close(pipe)


class SignPipe:
    """The end at which signs of life come out."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "signs")
        os.mkfifo(self.path, 0o600)
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # With a writer of our own the pipe does not end whenever a sender closes it.
        self._writer = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def read(self) -> list[Sign]:
        """Return what came since the last call."""
        try:
            lines = os.read(self.descriptor, 1 << 16).splitlines()
        except BlockingIOError:
            return []
        return [sign for sign in map(_parsed, lines) if sign is not None]

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self.descriptor)
        os.close(self._writer)


def _parsed(line: bytes) -> Sign | None:
    sender, _, told = line.partition(b" ")
    try:
        return Sign(int(sender), None if told == b"-" else float(told))
    except ValueError:
        return None  # whatever a stranger wrote there
