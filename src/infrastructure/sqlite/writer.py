"""Performs the works of tickets as one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ...domain.errors import StorageUnavailable
from .commit_queue import Ticket
from .connection import require_schema
from .connections import Connections
from .transaction import Transaction
from .trouble import is_busy
from .unit_of_work import SqliteUnitOfWork

if TYPE_CHECKING:
    from .store import SqliteStore

Outcome: TypeAlias = tuple[Any, Exception | None]

_FIRST_PAUSE = 0.00005
_LONGEST_PAUSE = 0.01


class Writer:
    """Performs the works of tickets as one transaction; only within `Connections.writing`."""

    def __init__(self, store: SqliteStore, connections: Connections, path: Path) -> None:
        self._store = store
        self._connections = connections
        self._path = path

    def write(self, tickets: Sequence[Ticket], deadline: float) -> None:
        """Run the tickets' works as one transaction; each has its outcome once that is durable.

        One that raises takes nothing of the others with it.

        Args:
            deadline: until when another writer is waited for, by the monotonic clock.

        Raises:
            sqlite3.Error: there was trouble with the file; nothing of any is written.
            StorageUnavailable: it cannot be told whether they are written.
        """
        connection = self._connections.writer()
        memory = self._connections.memory
        transaction = Transaction(self._store, connection, memory)
        outcomes: list[Outcome] = []
        try:
            self._begin(connection, deadline)
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if not memory.is_of(version):
                require_schema(connection, self._path)
            if len(tickets) == 1:
                outcomes = [(tickets[0].work(SqliteUnitOfWork(transaction)), None)]
            else:
                outcomes = [self._run(ticket, transaction) for ticket in tickets]
            self._commit(connection, transaction)
            _tell(tickets, outcomes)
        except BaseException as error:
            # A COMMIT is never cut short. Whoever was interrupted after it is not told that it
            # went well, and the others must be: they would write again.
            if outcomes and not isinstance(error, Exception) and _has_ended(connection):
                _tell(tickets, outcomes)
            self._give_up(connection, error)
            raise
        if any(failure is not None for _, failure in outcomes):
            # A traceback that somebody keeps may hold a half-read statement.
            self._connections.drop_writer()

    def _begin(self, connection: sqlite3.Connection, deadline: float) -> None:
        """Begin, in turn with the writers of other processes."""
        turns = self._connections.turns
        try:
            turns.wait()
            pause = _FIRST_PAUSE
            while True:
                try:
                    # BEGIN IMMEDIATE: a read lock cannot be upgraded once another writer has
                    # committed, and the loser gets SQLITE_BUSY at once, whatever the timeout.
                    connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if not is_busy(error) or time.monotonic() >= deadline:
                        raise
                time.sleep(pause)
                pause = min(pause * 1.25, _LONGEST_PAUSE)
        finally:
            turns.give()

    def _run(self, ticket: Ticket, transaction: Transaction) -> Outcome:
        """Run one of several works; undo what it wrote if it raises."""
        execute = transaction.connection.execute
        witness = transaction.witness
        execute("SAVEPOINT work")
        try:
            result, failure = ticket.work(SqliteUnitOfWork(transaction)), None
        except sqlite3.Error:
            # A full disk rolls the whole transaction back, and what follows would be written alone.
            raise
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it
            result, failure = None, error
            transaction.memory.forget()
            transaction.witness = witness
            execute("ROLLBACK TO work")
        execute("RELEASE work")
        return result, failure

    def _commit(self, connection: sqlite3.Connection, transaction: Transaction) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            # It may be in the file all the same, found by whoever opens it next: look.
            self._connections.drop_writer()
            if not self._has_landed(transaction, error):
                raise

    def _give_up(self, connection: sqlite3.Connection, error: BaseException) -> None:
        """Leave nothing of a transaction behind, neither in the file nor in what is remembered."""
        self._connections.memory.forget()
        self._connections.turns.give()
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if not (isinstance(error, sqlite3.OperationalError) and _has_ended(connection)):
            self._connections.drop_writer()

    def _has_landed(self, transaction: Transaction, failure: sqlite3.Error) -> bool:
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
                f"{self._path}: a commit failed ({failure}) and looking whether it was written "
                f"failed as well ({error}); read it again before you repeat it",
                outcome="unknown",
            ) from failure
        if busy:
            raise StorageUnavailable(
                f"{self._path}: a commit failed ({failure}); it can be read, and could not be "
                "synced because another process is reading: a power cut may take it",
                outcome="unknown",
            ) from failure
        return True


def _has_ended(connection: sqlite3.Connection) -> bool:
    try:
        return not connection.in_transaction
    except sqlite3.ProgrammingError:  # it was closed, after a COMMIT that failed
        return False


def _tell(tickets: Sequence[Ticket], outcomes: Sequence[Outcome]) -> None:
    for ticket, (result, failure) in zip(tickets, outcomes, strict=True):
        if failure is None:
            ticket.succeed(result)
        else:
            ticket.fail(failure)
