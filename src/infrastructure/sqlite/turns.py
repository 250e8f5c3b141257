"""Fair turns between the processes that write to one store.

SQLite's own waiting is a lottery: whoever has just committed is the first to try again. So writers
queue at a gate, a lock file beside the store: whoever holds it is next, and holds it only until its
transaction has begun. It is a courtesy, and `BEGIN IMMEDIATE` is the lock: whoever has waited a
second goes past the gate, so that no process that was stopped there can hold the others up for
long; where files cannot be locked there is no gate.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from math import inf
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there SQLite's lottery has to do
    fcntl = None  # type: ignore[assignment]

_LONGEST_WAIT = 1.0
# All look equally often, whoever has waited longest no less than others: then all are served alike.
_PAUSE = 0.0002
# After so many seconds the disk is slow, or somebody was stopped.
_SLOW = 0.05
_SLOW_PAUSE = 0.001


class Turns:
    """The gate of one store, for one writer at a time. Made anew after a fork."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(f"{store.name}-turn")
        self._file: int | None = None
        self._is_stuck = False

    def wait(self, deadline: float = inf) -> bool:
        """Wait for the turn, for a second at most; return whether it has come.

        Args:
            deadline: until when it is waited for at most, by the monotonic clock.
        """
        if fcntl is None or not self._open():
            return False
        begun = time.monotonic()
        # Whoever found it stuck asks once each time, until it moves again.
        patience = 0.0 if self._is_stuck else _LONGEST_WAIT
        while not self._try():
            waited = time.monotonic() - begun
            if waited >= patience:
                self._is_stuck = True
                return False
            if begun + waited >= deadline:
                return False
            time.sleep(_PAUSE if waited < _SLOW else _SLOW_PAUSE)
        self._is_stuck = False
        return True

    def give(self) -> None:
        """Let the next one have its turn. Does no harm to who has none."""
        if self._file is not None:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the gate; it is opened again when it is needed."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Let go of the gate and take its file away; others that use it make another."""
        if self._file is not None:
            self.close()
            with suppress(OSError):
                self._path.unlink()

    def _open(self) -> bool:
        if self._file is not None and os.fstat(self._file).st_nlink == 0:
            self.close()  # somebody took it away
        if self._file is None:
            try:
                flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW
                self._file = os.open(self._path, flags, 0o600)
            except OSError:
                return False
        return True

    def _try(self) -> bool:
        if self._file is None:
            return False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # no locks on this file system
            return True
        return True
