"""Performs the works of tickets as one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...domain.errors import StorageUnavailable
from ..commit_queue import Ticket
from .connection import require_schema
from .connections import Connections
from .landing import has_landed
from .space import cut_off, free_pages, truncate_log
from .transaction import Transaction
from .trouble import is_busy
from .unit_of_work import SqliteUnitOfWork

if TYPE_CHECKING:
    from .store import SqliteStore

# Whoever has the turn is the only one that tries to begin, and can do so often.
_FIRST_PAUSE = 0.00001
_LONGEST_PAUSE = 0.01
_OFTEN = 0.001


class WorkFailed(Exception):
    """A work raised, which is its cause; nothing of its transaction is written."""


class Writer:
    """Performs the works of tickets as one transaction; only within `Connections.writing`."""

    def __init__(self, store: SqliteStore, connections: Connections, path: Path) -> None:
        self._store = store
        self._connections = connections
        self._path = path
        self._transaction: Transaction | None = None
        self._unit_of_work: SqliteUnitOfWork

    def write(self, tickets: Sequence[Ticket], deadline: float) -> None:
        """Run the tickets' works as one transaction; each has its result once that is durable.

        Where one of them raises, nothing of any is written, and that is raised.

        Args:
            deadline: until when another writer is waited for, by the monotonic clock.

        Raises:
            WorkFailed: one of the works raised; from that.
            sqlite3.Error: there was trouble with the file; nothing of any is written.
            StorageUnavailable: it cannot be told whether they are written.
        """
        connection = self._connections.writer()
        if connection.in_transaction:  # of somebody who was interrupted twice
            self._connections.drop_writer()
            connection = self._connections.writer()
        memory = self._connections.memory
        transaction, work_on = self._transaction_on(connection)
        results: list[Any] = []
        try:
            self._begin(connection, deadline)
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if not memory.is_of(version):
                require_schema(connection, self._path)
            results += [_result_of(ticket, work_on) for ticket in tickets]
            self._commit(connection, transaction, deadline)
            _tell(tickets, results)
        except BaseException as error:
            # A COMMIT is never cut short. Whoever was interrupted after it is not told that it
            # went well, and the others must be: they would write again.
            try:
                cut_short = len(results) == len(tickets) and not isinstance(error, Exception)
                if cut_short and self._has_committed(connection, transaction, tickets, deadline):
                    _tell(tickets, results)
                self._give_up(connection, error)
            except BaseException:
                self._connections.drop_writer()  # an open transaction would lock everybody out
                raise
            raise

    def _transaction_on(
        self, connection: sqlite3.Connection
    ) -> tuple[Transaction, SqliteUnitOfWork]:
        """Return a transaction; made once a connection, since that takes as long as an insert."""
        if self._transaction is None or self._transaction.connection is not connection:
            memory = self._connections.memory
            made = Transaction(self._store, connection, memory)
            # In one line, which no interrupt divides.
            self._transaction, self._unit_of_work = made, SqliteUnitOfWork(made)
        self._transaction.begin_anew()
        return self._transaction, self._unit_of_work

    def give_back(self, deadline: float) -> bool:
        """Give some free pages back to the file system; return whether there are more."""
        connection = self._connections.writer()
        before = free_pages(connection)
        if before:
            self._begin(connection, deadline)
            try:
                cut_off(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._connections.drop_writer()
                raise
            left = free_pages(connection)
            if 0 < left < before:
                return True
        truncate_log(connection)
        return False

    def _begin(self, connection: sqlite3.Connection, deadline: float) -> None:
        """Begin, in turn with the writers of other processes."""
        turns = self._connections.turns
        try:
            turns.wait(deadline)
            pause = _FIRST_PAUSE
            often_until = time.monotonic() + _OFTEN
            while True:
                try:
                    # BEGIN IMMEDIATE: a read lock cannot be upgraded once another writer has
                    # committed, and the loser gets SQLITE_BUSY at once, whatever the timeout.
                    connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    now = time.monotonic()
                    if not is_busy(error) or now >= deadline:
                        raise
                time.sleep(pause)
                if now >= often_until:
                    pause = min(pause * 1.25, _LONGEST_PAUSE)
        finally:
            turns.give()

    def _commit(
        self, connection: sqlite3.Connection, transaction: Transaction, deadline: float
    ) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            # First of all: whoever is interrupted from here on must not be taken for committed,
            # though SQLite may have ended the transaction by itself.
            transaction.failure = error
            if not self._has_landed(transaction, error, deadline):
                raise

    def _has_landed(
        self, transaction: Transaction, failure: sqlite3.Error, deadline: float
    ) -> bool:
        """Whether what failed to commit is in the file all the same; then that is certain."""
        witness = transaction.witness
        if witness is None:  # nothing but what may be done twice
            self._connections.drop_writer()
            return False
        # It may be found by whoever opens the file next: look.
        return has_landed(witness, self._connections, failure, deadline)

    def _has_committed(
        self,
        connection: sqlite3.Connection,
        transaction: Transaction,
        tickets: Sequence[Ticket],
        deadline: float,
    ) -> bool:
        """Whether all that was done is written, of a writer that was interrupted.

        Where that cannot be told, the tickets fail with it.
        """
        if transaction.failure is None:
            return _has_ended(connection)
        try:
            return self._has_landed(transaction, transaction.failure, deadline)
        except StorageUnavailable as unknown:
            for ticket in tickets:
                ticket.fail(unknown)
            return False

    def _give_up(self, connection: sqlite3.Connection, error: BaseException) -> None:
        """Leave nothing of a transaction behind, neither in the file nor in what is remembered."""
        self._connections.memory.forget()
        self._connections.turns.give()
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if not (isinstance(error, sqlite3.OperationalError) and _has_ended(connection)):
            self._connections.drop_writer()


def _has_ended(connection: sqlite3.Connection) -> bool:
    try:
        return not connection.in_transaction
    except sqlite3.ProgrammingError:  # it was closed, after a COMMIT that failed
        return False


def _result_of(ticket: Ticket, work_on: SqliteUnitOfWork) -> Any:
    try:
        return ticket.work(work_on)
    except sqlite3.Error:
        raise
    except Exception as error:
        raise WorkFailed from error


def _tell(tickets: Sequence[Ticket], results: Sequence[Any]) -> None:
    for ticket, result in zip(tickets, results, strict=True):
        ticket.succeed(result)
