"""The one lock of a store: between processes a locked file, between threads a lock in memory."""

from __future__ import annotations

import errno
import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from ...domain.errors import StorageUnavailable, StoreBusy
from .trouble import FileTrouble, troubles

_PAUSE = 0.002


class StoreLock:
    """Lets one thread of one process at a time use a store; a thread that has it gets it again.

    The system lets go of it when its holder dies.
    """

    def __init__(self, path: Path, target: str) -> None:
        self._path = path
        self._target = target
        self._descriptor = -1
        self._holder = 0
        _locks.add(self)
        self.renew()

    def renew(self) -> None:
        """Begin with nobody holding it: those who did are in another process."""
        self._depth = 0
        self._threads = threading.RLock()
        self._file = self._new_file()

    @property
    def is_mine(self) -> bool:
        """Whether this thread holds it."""
        return self._depth > 0 and self._holder == threading.get_ident()

    @contextmanager
    def holding(self, timeout: float) -> Iterator[None]:
        """Hold the lock for the length of the block.

        Raises:
            StoreBusy: somebody else held it for that long.
            FileTrouble: the file cannot be locked.
        """
        # An interrupt may come after any call: who does not know what it has, lets go of all.
        is_out = False
        try:
            try:
                if not self.is_mine:
                    self._take(timeout)
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
            finally:
                self._let_go()
                is_out = True
        finally:
            if not is_out:
                self._let_go()  # interrupted even in that

    def _take(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        if not self._threads.acquire(timeout=max(0.0, timeout)):
            raise StoreBusy(
                f"{self._target} stayed locked by another thread of this process; "
                "try again, or allow more with Settings(write_timeout=…)"
            )
        self._holder = threading.get_ident()
        self._lock_file(max(0.0, until - time.monotonic()))

    def _let_go(self) -> None:
        """Let go of whatever this thread has, unless a block around this one needs it.

        Twice does no harm.
        """
        if self.is_mine or not self._threads.acquire(blocking=False):
            return  # another thread's
        # It was this thread's already, or nobody's; then nobody has the file.
        try:
            self._file.release(force=True)
            if self._file.lock_counter:  # interrupted in there; it would count on from that
                self._file = self._new_file()
        finally:
            with suppress(RuntimeError):  # it is not ours any more, however often it was taken
                while True:
                    self._threads.release()

    def hold_threads(self) -> None:
        """Let no other thread in, as long as the process forks."""
        self._threads.acquire()

    def release_threads(self) -> None:
        """Let the others in again."""
        self._threads.release()

    def require_intact(self) -> None:
        """Raise when the locked file was taken away: somebody else may have locked another one."""
        with troubles():
            held = os.fstat(self._descriptor)
            found = os.stat(self._path)  # noqa: PTH116 - with each commit, and twice as fast
            if (held.st_dev, held.st_ino) != (found.st_dev, found.st_ino):
                raise OSError(errno.ESTALE, "the lock was taken away while it was held")

    def is_honoured(self) -> bool:
        """Whether nobody else gets the lock; to be called by who has it."""
        second = FileLock(self._path, mode=0o600, fallback_to_soft=False)
        try:
            second.acquire(timeout=0)
        except (Timeout, RuntimeError):
            return True
        second.release()
        return False

    def require_works(self) -> None:
        """Raise when this file system lets two have the lock; to be called by who has it."""
        if not self.is_honoured():
            raise StorageUnavailable(
                f"{self._target} is on a file system whose locks do not work; it cannot hold a "
                "store"
            )

    def _note_descriptor(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def _new_file(self) -> BaseFileLock:
        # No soft lock where the file system has no locks: that one would outlive its holder.
        return FileLock(
            self._path,
            mode=0o600,
            thread_local=False,
            poll_interval=_PAUSE,
            fallback_to_soft=False,
            on_acquired=self._note_descriptor,
        )

    def _lock_file(self, timeout: float) -> None:
        try:
            self._file.acquire(timeout=timeout)
        except Timeout:
            raise StoreBusy(
                f"{self._target} stayed locked by another process: a doctor or a backup of a large "
                "store keeps the others waiting, and a process stopped inside a transaction until "
                "it goes on or ends; try again, or allow more with Settings(write_timeout=…)"
            ) from None
        except OSError as error:
            raise FileTrouble(error) from error


# Hooks before a fork run the last registered first. Those of the lock library hold up whoever lets
# go of a lock, and must not run before all have: so ours are registered here, after its import.
_locks: weakref.WeakSet[StoreLock] = weakref.WeakSet()
_held: list[StoreLock] = []


def _before_fork() -> None:
    _held[:] = _locks
    for each in _held:
        each.hold_threads()


def _after_fork_in_parent() -> None:
    for each in _held:
        each.release_threads()
    _held.clear()


def _after_fork_in_child() -> None:
    for each in _held:
        each.renew()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
