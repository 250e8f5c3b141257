"""The store in one SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from ...domain.errors import SchemaTooNew, StorageUnavailable
from ...domain.ports import UnitOfWork
from ..json_codec import JsonCodec
from .checkpoint_repository import SqliteCheckpointRepository
from .connection import (
    Durability,
    StoreFile,
    create_file,
    is_new,
    modes_in_force,
    refuse_strangers,
    require_file,
    require_schema,
    switch_to_wal,
)
from .connections import Connections
from .format import SCHEMA
from .logs import SqliteAttemptLog, SqliteEventLog, SqliteLeaseStore, SqliteSequences
from .transaction import Transaction
from .trouble import is_passing, translated

T = TypeVar("T")

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.5


class SqliteUnitOfWork:
    """What one transaction works on."""

    def __init__(self, transaction: Transaction) -> None:
        self.checkpoints = SqliteCheckpointRepository(transaction)
        self.sequences = SqliteSequences(transaction)
        self.leases = SqliteLeaseStore(transaction)
        self.attempts = SqliteAttemptLog(transaction)
        self.events = SqliteEventLog(transaction)


class SqliteStore:
    """A store in one SQLite file; any number of threads and processes may use it."""

    def __init__(self, file: StoreFile, codec: JsonCodec, *, write_timeout: float) -> None:
        self.codec = codec
        self.target = str(file.path)
        self._path = file.path
        self._connections = Connections(file)
        self._write_timeout = write_timeout

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
            NotAStore: there is something else; it was not touched.
            SchemaMismatch: it is of another schema; it was not touched.
            StorageUnavailable: there is no file, or it cannot be opened or made.
        """
        path = path.absolute()  # the program may change its folder later
        if upgrade:
            create_file(path)
        require_file(path)
        refuse_strangers(path)
        store = cls(StoreFile(path, durability), codec, write_timeout=write_timeout)
        try:
            if upgrade:
                store.upgrade()
            else:
                store.patiently(store._require_readable)
        except BaseException:
            store.close()
            raise
        return store

    def upgrade(self) -> int:
        """Bring the schema up to date; return the one that was found (0 for a new file)."""
        with self._connections.writing(self._write_timeout):
            return self.patiently(self._upgrade)

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        """Run *work* as one transaction and return what it returns, durably."""
        limit = self._write_timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        with self._connections.writing(limit):
            return self.patiently(lambda: self._transact(work), deadline)

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run *work* on one unchanging view of the store."""

        def look() -> T:
            with self._connections.reader() as connection:
                connection.execute("BEGIN")
                result = work(SqliteUnitOfWork(Transaction(self, connection)))
                connection.execute("ROLLBACK")
                return result

        return self.patiently(look)

    def modes_in_force(self) -> dict[str, object]:
        """Return journal mode, synchronous and so on, as read back from the writing connection."""
        with self._connections.writing(self._write_timeout):
            return self.patiently(lambda: modes_in_force(self._connections.writer()))

    def close(self) -> None:
        """Wait for the work that was accepted, then let go of the file. Twice does no harm."""
        self._connections.close()

    def before_fork(self) -> None:
        """Let go of the file until the fork is over."""
        self._connections.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._connections.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Go on with connections of our own."""
        self._connections.after_fork_in_child()

    def patiently(self, attempt: Callable[[], T], deadline: float | None = None) -> T:
        """Run *attempt*, again and again as long as the trouble with the file may pass."""
        if deadline is None:
            deadline = time.monotonic() + self._write_timeout
        pause = _FIRST_PAUSE
        while True:
            try:
                return attempt()
            except sqlite3.Error as error:
                if not is_passing(error) or time.monotonic() >= deadline:
                    raise translated(error, self.target) from error
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _transact(self, work: Callable[[UnitOfWork], T]) -> T:
        connection = self._connections.writer()
        transaction = Transaction(self, connection, self._connections.memory)
        try:
            # BEGIN IMMEDIATE: a read lock cannot be upgraded once another writer has committed, and
            # the loser gets SQLITE_BUSY at once, whatever the timeout.
            connection.execute("BEGIN IMMEDIATE")
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if not self._connections.memory.is_of(version):
                require_schema(connection, self._path)
            result = work(SqliteUnitOfWork(transaction))
        except BaseException as error:
            self._connections.memory.forget()
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            if not isinstance(error, sqlite3.OperationalError):
                self._connections.drop_writer()
            raise
        self._commit(connection, transaction)
        return result

    def _commit(self, connection: sqlite3.Connection, transaction: Transaction) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            # It may be in the file all the same, found by whoever opens it next: look.
            self._connections.drop_writer()
            if not self._has_landed(transaction, error):
                raise
        except BaseException:
            self._connections.drop_writer()
            raise

    def _has_landed(self, transaction: Transaction, failure: BaseException) -> bool:
        """Whether a transaction whose COMMIT failed is in the file, and safely so."""
        witness = transaction.witness
        if witness is None:
            return False  # nothing but what may be done twice
        try:
            connection = self._connections.writer()
            if not witness.is_in(connection):
                return False
            # What is in the -wal was not synced. Moved into the file itself it is, or this fails.
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        except sqlite3.Error as error:
            raise StorageUnavailable(
                f"{self.target}: a commit failed ({failure}) and looking whether it was written "
                f"failed as well ({error}); read it again before you repeat it",
                outcome="unknown",
            ) from failure
        if busy:
            raise StorageUnavailable(
                f"{self.target}: a commit failed ({failure}); it can be read, and could not be "
                "synced because another process is reading: a power cut may take it",
                outcome="unknown",
            ) from failure
        return True

    def _require_readable(self) -> None:
        with self._connections.reader() as connection:
            is_new(connection, self._path)  # refuses what is not a store
            require_schema(connection, self._path)

    def _upgrade(self) -> int:
        connection = self._connections.writer()
        if is_new(connection, self._path):
            switch_to_wal(connection, self._path)
            self._require_wal()
        # One SELECT tells whether the libraries that upgrade are needed at all.
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > SCHEMA:
            raise SchemaTooNew(self.target, found, SCHEMA)
        if found < SCHEMA:
            from .upgrade import upgrade

            return upgrade(connection, self._path)
        return SCHEMA

    def _require_wal(self) -> None:
        """Look through another connection: the switch can fail without an error on its own."""
        with self._connections.reader() as second:
            mode = modes_in_force(second)["journal_mode"]
        if mode != "wal":
            raise StorageUnavailable(f"{self.target} is in journal mode {mode}, not in WAL mode")
