"""The store in one SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from ...domain.errors import HoldfastError, SchemaTooNew, StorageUnavailable
from ...domain.json_value import JsonValue
from ...domain.ports import StoreStats, UnitOfWork, Written
from ...domain.verification import VerifyReport
from ..commit_queue import CommitQueue, Ticket
from ..json_codec import JsonCodec
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
from .transaction import Transaction
from .trouble import is_passing, malformed, translated
from .unit_of_work import SqliteUnitOfWork
from .writer import WorkFailed, Writer

T = TypeVar("T")

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.5


class SqliteStore:
    """A store in one SQLite file; any number of threads and processes may use it."""

    def __init__(
        self, file: StoreFile, codec: JsonCodec, *, write_timeout: float, together: bool = True
    ) -> None:
        self.codec = codec
        self.target = str(file.path)
        self._path = file.path
        self._connections = Connections(file)
        self.found_schema = SCHEMA  # before it was brought up to date
        self._write_timeout = write_timeout
        self._together = together
        self._after_forks()

    @classmethod
    def open(
        cls,
        path: Path,
        codec: JsonCodec,
        *,
        durability: Durability = "power",
        write_timeout: float = 30.0,
        upgrade: bool = True,
        create: bool = True,
        together: bool = True,
    ) -> SqliteStore:
        """Open a store's file.

        Args:
            write_timeout: seconds for which trouble with locks and disks is waited out.
            upgrade: bring the schema up to date; otherwise the store must be there, up to date,
                and is not changed by opening it.
            create: when it is opened to be upgraded, make the store if there is none.
            together: writes that arrive together share a commit; to be turned off for comparison.

        Raises:
            NotAStore: there is something else; it was not touched.
            SchemaMismatch: it is of another schema; it was not touched.
            StorageUnavailable: there is no file, or it cannot be opened or made.
        """
        path = path.absolute()  # the program may change its folder later
        if upgrade and create:
            create_file(path)
        require_file(path, may_be_empty=create)
        refuse_strangers(path)
        file = StoreFile(path, durability)
        store = cls(file, codec, write_timeout=write_timeout, together=together)
        try:
            if upgrade:
                store.found_schema = store.upgrade()
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
        return self._queue.write(work, self._deadline(timeout))

    def write_each(
        self, works: Sequence[Callable[[UnitOfWork], T]], *, timeout: float | None = None
    ) -> list[Written[T]]:
        """Run each as a transaction of its own; return what became of each, durably."""
        return self._queue.write_each(works, self._deadline(timeout))

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

    def give_back(self) -> bool:
        """Give some of the space that is not used any more back to the file system."""
        with self._connections.writing(self._write_timeout):
            return self.patiently(lambda: self._writer.give_back(self._deadline(None)))

    def verify(self, *, repair: bool = False, at: datetime) -> VerifyReport:
        """Look everything through; see `StoreCare`."""
        from .care import verify

        report = self.read(lambda uow: verify(uow, repair=False, at=at))
        if not repair or report.intact or any(each.kind == "file" for each in report.findings):
            return report  # writing into damaged pages would destroy more
        return self.write(lambda uow: verify(uow, repair=True, at=at))

    def backup(self, path: Path) -> None:
        """Write a consistent copy; see `StoreCare`."""
        from .care import backup

        backup(self._connections, path)

    def stats(self) -> StoreStats:
        """Return how much the store holds."""
        from .care import stats

        return self.read(lambda uow: stats(uow, self.target, self._path))

    def in_force(self) -> Mapping[str, JsonValue]:
        """Return what is in force, as read back."""
        from .care import in_force

        def look() -> Mapping[str, JsonValue]:
            connection = self._connections.writer()
            return in_force(modes_in_force(connection), connection, self._path)

        with self._connections.writing(self._write_timeout):
            return self.patiently(look)

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
        self._after_forks()

    def patiently(
        self, attempt: Callable[..., T], deadline: float | None = None, *given: object
    ) -> T:
        """Run *attempt* with what is *given*, again as long as the trouble may pass."""
        if deadline is None:
            deadline = self._deadline(None)
        pause = _FIRST_PAUSE
        while True:
            try:
                return attempt(*given)
            except sqlite3.Error as error:
                if not is_passing(error) or time.monotonic() >= deadline:
                    raise translated(error, self.target) from error
            except UnicodeDecodeError as error:
                raise malformed(self.target) from error
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _deadline(self, timeout: float | None) -> float:
        return time.monotonic() + (self._write_timeout if timeout is None else timeout)

    def _perform(self, tickets: Sequence[Ticket]) -> None:
        """Give each ticket its outcome: together if that goes well, else one by one."""
        is_alone = len(tickets) == 1
        last = tickets[0].deadline if is_alone else max(each.deadline for each in tickets)
        connections = self._connections
        lock = connections.write_lock
        try:
            if not lock.acquire(timeout=max(0.0, last - time.monotonic())):
                raise connections.busy()
            if not is_alone:
                # Whatever the trouble was: each meets it alone, and learns of its own. Without
                # savepoints, which would cost the others more than a refusal is worth, and which a
                # full disk takes away with the whole transaction.
                with suppress(sqlite3.Error, WorkFailed):
                    self._writer.write(tickets, min(ticket.deadline for ticket in tickets))
                # Who has least time left comes first, and waits for nobody who has more.
                tickets = sorted(tickets, key=_deadline_of)
            for ticket in tickets:
                if not ticket.is_done:
                    self._perform_alone(ticket)
        except HoldfastError as error:
            for ticket in tickets:
                if not ticket.is_done:
                    ticket.fail(error)
        finally:
            # It is let go of if it was got, which nobody can note without a moment in between.
            try:  # noqa: SIM105 - nor is there one before it is let go of
                lock.release()
            except RuntimeError:
                pass

    def _perform_alone(self, ticket: Ticket) -> None:
        try:
            self.patiently(self._writer.write, ticket.deadline, [ticket], ticket.deadline)
        except WorkFailed as failed:
            ticket.fail(failed.__cause__)  # type: ignore[arg-type]
        except HoldfastError as error:
            ticket.fail(error)

    def _after_forks(self) -> None:
        """Begin with nobody at work: those who were are in the other process."""
        self._writer = Writer(self, self._connections, self._path)
        self._queue = CommitQueue(self._perform, self.target, together=self._together)

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


def _deadline_of(ticket: Ticket) -> float:
    return ticket.deadline
