"""The connections of one store in one process: one that writes, and a few that read."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ...domain.errors import StorageUnavailable, StoreBusy, StoreClosed
from .connection import StoreFile
from .turns import Turns
from .writer_memory import WriterMemory

_IDLE_READERS = 8


class Connections:
    """One connection that writes, behind a lock, and as many as are needed that read.

    A connection that met an exception is closed, not kept: a traceback that somebody holds on to
    may hold a half-read statement, and with it an old view of the file.

    Attributes:
        memory: what the connection that writes knows of the file; only within `writing`.
        turns: where processes queue before they write; only within `writing`.
        write_lock: what `writing` holds, for who cannot afford it at each save.
    """

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        self.memory = WriterMemory()
        self.turns = Turns(file.path)
        self._closed = False
        self._identity: tuple[int, int] | None = None
        self._writing: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []
        self._reading = 0
        self._make_locks()

    @contextmanager
    def writing(self, timeout: float) -> Iterator[None]:
        """Hold the right to use `writer`; raises `StoreBusy` after so many seconds."""
        lock = self.write_lock
        try:
            if not lock.acquire(timeout=max(0.0, timeout)):
                raise self.busy()
            yield
        finally:
            # Whether it was got is what the lock says: an interrupt may come before it is noted.
            try:  # noqa: SIM105 - at once: a moment in between could lose the lock
                lock.release()
            except RuntimeError:
                pass

    def busy(self) -> StoreBusy:
        """Return the error that says that another thread has that right."""
        return StoreBusy(
            f"{self.file.path} stayed locked by another thread of this process; try again, or "
            "allow more with Settings(write_timeout=…)"
        )

    def writer(self) -> sqlite3.Connection:
        """Return the connection that writes; only within `writing`."""
        self._require_open()
        if self._writing is None:
            self._writing = self.file.connect(writable=True)
            self._identity = self.file.identity()
        elif self.file.identity() != self._identity:
            raise StorageUnavailable(
                f"{self.file.path} was removed or replaced while it was open; nothing more is "
                "written to what is gone: open the store again"
            )
        return self._writing

    def drop_writer(self) -> None:
        """Close the connection that writes; the next use opens another. Only within `writing`."""
        # Forgotten before it is closed: who is interrupted here leaves no closed one behind.
        connection, self._writing = self._writing, None
        try:
            self.memory.forget()  # versions are counted a connection
        finally:
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that cannot write, for as long as the block lasts."""
        with self._readers:
            self._require_open()
            connection = self._idle.pop() if self._idle else None
            self._reading += 1
        intact = False
        try:
            if connection is None:
                connection = self.file.connect(writable=False)
            yield connection
            intact = True
        finally:
            with self._readers:
                self._reading -= 1
                keep = intact and not self._closed and len(self._idle) < _IDLE_READERS
                if connection is not None and keep:
                    self._idle.append(connection)
                elif connection is not None:
                    connection.close()
                self._readers.notify_all()

    def close(self) -> None:
        """Wait for what is under way, then close everything. Twice does no harm."""
        with self.write_lock:
            self._closed = True
            self._close_all()
            self.turns.remove()

    # A fork copies SQLite's own account of the locks that it holds, and not the locks: a child that
    # used the file in any way while it has that account would take itself for a holder, and drop
    # the parent's locks or its -wal. So nothing is open while a process forks.

    def before_fork(self) -> None:
        """Wait for what is under way and close every connection; hold the locks."""
        self.write_lock.acquire()
        self._close_all()
        self.turns.close()
        self._readers.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on: connections are opened again when they are needed."""
        self._readers.release()
        self.write_lock.release()

    def after_fork_in_child(self) -> None:
        """Go on with locks of our own."""
        self._make_locks()

    def _close_all(self) -> None:
        with self._readers:
            self._readers.wait_for(lambda: self._reading == 0)
            while self._idle:
                self._idle.pop().close()
            self.drop_writer()

    def _make_locks(self) -> None:
        self.write_lock = threading.RLock()  # not to be taken twice, but to know its owner
        self._readers = threading.Condition(threading.Lock())

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosed(str(self.file.path))
