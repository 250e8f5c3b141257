"""The store in one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ...domain.errors import SchemaTooNew, StorageUnavailable, StoreClosed
from ...domain.ports import UnitOfWork
from ..json_codec import JsonCodec
from .checkpoint_repository import SqliteCheckpointRepository
from .connection import (
    Durability,
    StoreFile,
    create_file,
    is_new,
    modes_in_force,
    require_file,
    require_schema,
    switch_to_wal,
)
from .format import SCHEMA
from .logs import SqliteAttemptLog, SqliteEventLog, SqliteLeaseStore, SqliteSequences
from .transaction import Transaction
from .trouble import is_passing, translated

T = TypeVar("T")

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.5
_IDLE_READERS = 8

# Connections that came along through a fork. Closing one would touch the parent's file locks and
# shared memory, and so would its collection: they are kept, and never used.
_inherited: list[object] = []


class SqliteUnitOfWork:
    """What one transaction works on."""

    def __init__(self, transaction: Transaction) -> None:
        self.checkpoints = SqliteCheckpointRepository(transaction)
        self.sequences = SqliteSequences(transaction)
        self.leases = SqliteLeaseStore(transaction)
        self.attempts = SqliteAttemptLog(transaction)
        self.events = SqliteEventLog(transaction)


class SqliteStore:
    """A store in one SQLite file; any number of processes may open it.

    One connection writes, guarded by a lock; readers have connections of their own, taken from a
    few that are kept.
    """

    def __init__(self, file: StoreFile, codec: JsonCodec, *, write_timeout: float) -> None:
        self.codec = codec
        self.target = str(file.path)
        self._file = file
        self._write_timeout = write_timeout
        self._closed = False
        self._write_lock = threading.Lock()
        self._reader_lock = threading.Lock()
        self._writing: sqlite3.Connection | None = None
        self._idle_readers: list[sqlite3.Connection] = []

    @classmethod
    def open(
        cls,
        path: Path,
        codec: JsonCodec,
        *,
        durability: Durability = "power",
        write_timeout: float = 30.0,
        upgrade: bool = True,
    ) -> SqliteStore:
        """Open a store's file.

        Args:
            write_timeout: seconds for which trouble with locks and disks is waited out.
            upgrade: make the file if there is none, and bring its schema up to date; otherwise it
                must be there, up to date, and is not changed by opening it.

        Raises:
            NotAStore: there is something else.
            SchemaMismatch: it is of another schema.
            StorageUnavailable: there is no file, or it cannot be opened or made.
        """
        if upgrade and not path.is_dir():
            create_file(path)
        require_file(path)
        store = cls(StoreFile(path, durability), codec, write_timeout=write_timeout)
        try:
            if upgrade:
                store.upgrade()
            else:
                with store._reader() as connection:
                    is_new(connection, path)  # refuses what is not a store
                    require_schema(connection, path)
        except sqlite3.Error as error:
            raise translated(error, store.target) from error
        return store

    def upgrade(self) -> int:
        """Bring the schema up to date; return the one that was found (0 for a new file)."""
        with self._write_lock:
            return self._patiently(self._upgrade)

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        """Run *work* as one transaction and return what it returns, durably."""
        with self._write_lock:
            return self._patiently(lambda: self._transact(work), timeout)

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run *work* on one unchanging view of the store."""
        with self._reader() as connection:
            try:
                connection.execute("BEGIN")
                return work(SqliteUnitOfWork(Transaction(self, connection)))
            except sqlite3.Error as error:
                raise translated(error, self.target) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def modes_in_force(self) -> dict[str, object]:
        """Return journal mode, synchronous and so on, as read back from the writing connection."""
        with self._write_lock:
            return modes_in_force(self._writer())

    def close(self) -> None:
        """Wait for the work that was accepted, then let go of the file. Twice does no harm."""
        with self._write_lock, self._reader_lock:
            self._closed = True
            connections = [*self._idle_readers]
            self._idle_readers.clear()
            if self._writing is not None:
                connections.append(self._writing)
                self._writing = None
            for connection in connections:
                with suppress(sqlite3.Error):
                    connection.close()

    def _upgrade(self) -> int:
        connection, path = self._writer(), self._file.path
        if is_new(connection, path):
            switch_to_wal(connection, path)
            self._require_wal()
        # One SELECT tells whether the libraries that upgrade are needed at all.
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > SCHEMA:
            raise SchemaTooNew(self.target, found, SCHEMA)
        if found < SCHEMA:
            from .upgrade import upgrade

            return upgrade(connection, path)
        return SCHEMA

    def _require_wal(self) -> None:
        """Look through another connection: the switch can fail without an error on its own."""
        second = self._file.connect(writable=False)
        try:
            mode = modes_in_force(second)["journal_mode"]
        finally:
            second.close()
        if mode != "wal":
            raise StorageUnavailable(f"{self.target} is in journal mode {mode}, not in WAL mode")

    def _transact(self, work: Callable[[UnitOfWork], T]) -> T:
        connection = self._writer()
        # BEGIN IMMEDIATE: a read lock cannot be upgraded once another writer has committed, and
        # the loser gets SQLITE_BUSY at once, whatever the timeout.
        connection.execute("BEGIN IMMEDIATE")
        try:
            require_schema(connection, self._file.path)
            result = work(SqliteUnitOfWork(Transaction(self, connection)))
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            raise
        return result

    def _patiently(self, attempt: Callable[[], T], timeout: float | None = None) -> T:
        """Run *attempt*, again and again as long as the trouble may pass."""
        deadline = time.monotonic() + (self._write_timeout if timeout is None else timeout)
        pause = _FIRST_PAUSE
        while True:
            try:
                return attempt()
            except sqlite3.Error as error:
                if not is_passing(error) or time.monotonic() >= deadline:
                    raise translated(error, self.target) from error
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _writer(self) -> sqlite3.Connection:
        self._require_open()
        if self._writing is None:
            self._writing = self._file.connect(writable=True)
        return self._writing

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._reader_lock:
            self._require_open()
            connection = self._idle_readers.pop() if self._idle_readers else None
        if connection is None:
            connection = self._file.connect(writable=False)
        try:
            yield connection
        finally:
            with self._reader_lock:
                if self._closed or len(self._idle_readers) >= _IDLE_READERS:
                    connection.close()
                else:
                    self._idle_readers.append(connection)

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosed(self.target)

    def after_fork(self) -> None:
        """In a forked child: open connections of our own, and touch none that came along."""
        _inherited.append((self._writing, self._idle_readers))
        self._write_lock = threading.Lock()
        self._reader_lock = threading.Lock()
        self._writing = None
        self._idle_readers = []
