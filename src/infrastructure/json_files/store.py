"""The store in a folder of JSON files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from ...domain.errors import HoldfastError, StorageUnavailable, StoreClosed
from ...domain.json_value import JsonValue
from ...domain.ports import StoreStats, UnitOfWork, Written
from ...domain.verification import VerifyReport
from ..commit_queue import CommitQueue, Ticket
from ..json_codec import JsonCodec
from . import layout
from .care import no_backup, no_repair
from .file_operations import Files
from .index import Entry, Index, IndexLost
from .index_rebuild import index_made_anew
from .journal import Effect, Journal, Put, Remove
from .opening import mark, read_marker, require_folder, require_writable
from .store_lock import StoreLock
from .trouble import FileTrouble
from .unit_of_work import JsonUnitOfWork
from .view import View

T = TypeVar("T")

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.5
# Of the index, for one transaction: more often it is lost for a reason that stays.
_MOST_REBUILDS = 3


class JsonFileStore:
    """A store in a folder; any number of threads and processes may use it.

    Who reads or writes has it for itself, for the length of one transaction.
    """

    def __init__(
        self, folder: Path, codec: JsonCodec, *, write_timeout: float, files: Files | None = None
    ) -> None:
        self.codec = codec
        self.target = f"json:{folder}"
        self.files = files or Files()
        self._folder = folder
        self._write_timeout = write_timeout
        self._index = Index(folder, self.files)
        self._journal = Journal(folder, self.files)
        self._lock = StoreLock(folder / layout.LOCK, self.target)
        self._closed = False
        self._marked: object = None
        self._current: View | None = None
        self._begin()

    @classmethod
    def open(
        cls,
        folder: Path,
        codec: JsonCodec,
        *,
        write_timeout: float = 30.0,
        upgrade: bool = True,
        create: bool = True,
        files: Files | None = None,
    ) -> JsonFileStore:
        """Open a store's folder.

        Args:
            write_timeout: seconds for which trouble with the lock and the disk is waited out.
            upgrade: without, the store must be there and is not changed by opening it.
            create: when it may be upgraded, make the store if there is none.
            files: what reads and changes files; tests look over its shoulder.

        Raises:
            NotAStore: there is something else; it was not touched.
            SchemaTooNew: a newer version wrote it; it was not touched.
            StorageUnavailable: there is no store, or it cannot be opened or made.
        """
        folder = folder.absolute()  # the program may change its folder later
        is_there = require_folder(folder, create=create and upgrade)
        require_writable(folder)
        store = cls(folder, codec, write_timeout=write_timeout, files=files)
        store._prepare_folder(is_there=is_there)
        store.read(lambda _: None)  # so that what is wrong shows now
        return store

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
        if self._current is not None and self._lock.is_mine:
            # Within a transaction of this thread: what that has written is there.
            return work(JsonUnitOfWork(self, self._view(self._current, is_reading=True)))
        deadline = self._deadline(None)
        return self.patiently(lambda: self._look(work, deadline), deadline)

    def give_back(self) -> bool:
        """Do nothing: files and folders that nobody needs are removed with what was in them."""
        return False

    def verify(self, *, repair: bool = False, at: datetime) -> VerifyReport:
        """Read everything, and return what is damaged; repairs nothing yet."""
        from ..verification_by_reading import verified_by_reading

        del at
        report = self.read(lambda uow: verified_by_reading(uow, self.target))
        if repair and not report.intact:
            raise no_repair(self.target)
        return report

    def backup(self, path: Path) -> None:
        """Refuse: its files are copied as files."""
        raise no_backup(path)

    def stats(self) -> StoreStats:
        """Return how much the store holds; reads all of it."""
        from ..verification_by_reading import counted_by_reading

        return self.read(lambda uow: counted_by_reading(uow, self.target))

    def in_force(self) -> Mapping[str, JsonValue]:
        """Return what is in force."""
        return {"durability": "power", "warnings": []}

    def close(self) -> None:
        """Wait for the work that was accepted, then let go. Twice does no harm."""
        self._lock.hold_threads()
        self._closed = True
        self._lock.release_threads()

    def before_fork(self) -> None:
        """Wait for what is under way, so that the child does not come to hold the lock."""
        self._lock.hold_threads()  # its own hook has done so before; this counts

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release_threads()

    def after_fork_in_child(self) -> None:
        """Go on with locks of our own."""
        self._lock.renew()
        self._begin()

    def patiently(self, attempt: Callable[[], T], deadline: float) -> T:
        """Run *attempt*, again and again as long as the trouble with files may pass."""
        pause = _FIRST_PAUSE
        rebuilt = 0
        while True:
            try:
                return attempt()
            except FileTrouble as trouble:
                self._index.forget()
                if not trouble.is_passing or time.monotonic() >= deadline:
                    raise self._translated(trouble) from trouble.error
            except IndexLost as lost:
                rebuilt += 1
                if rebuilt > _MOST_REBUILDS:
                    raise StorageUnavailable(
                        f"{self.target}: its index stays lost: {lost}"
                    ) from lost
                self._rebuild_index(deadline)
                continue
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _perform(self, tickets: Sequence[Ticket]) -> None:
        """Give each ticket its outcome: together if that goes well, else one by one."""
        try:
            if len(tickets) > 1:
                # Whatever the trouble was: each meets it alone, and learns of its own.
                with suppress(FileTrouble, IndexLost):
                    self._transact(tickets, max(ticket.deadline for ticket in tickets))
        except HoldfastError as error:
            for ticket in tickets:
                if not ticket.is_done:
                    ticket.fail(error)
        for ticket in tickets:
            if not ticket.is_done:
                self._perform_alone(ticket)

    def _perform_alone(self, ticket: Ticket) -> None:
        deadline = ticket.deadline
        try:
            self.patiently(lambda: self._transact([ticket], deadline), deadline)
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it
            ticket.fail(error)

    def _look(self, work: Callable[[UnitOfWork], T], deadline: float) -> T:
        with self._locked(deadline):
            self._prepare()
            with self._seeing(self._view(is_reading=True)) as view:
                result = work(JsonUnitOfWork(self, view))
            with suppress(FileTrouble, StorageUnavailable):
                self._commit(view)  # what had to be made anew; it can be made again
            return result

    def _transact(self, tickets: Sequence[Ticket], deadline: float) -> None:
        """Run the tickets' works as one act; one that raises takes nothing of the others along."""
        with self._locked(deadline):
            self._prepare()
            batch = self._view()
            told: list[Callable[[], None]] = []
            for ticket in tickets:
                with self._seeing(self._view(batch)) as view:
                    told.append(self._run(ticket, view, batch))
            try:
                self._commit(batch)
            except BaseException:
                # Whoever is interrupted is not told; the others must be.
                if self._journal.has_landed:
                    for tell in told:
                        tell()
                raise
        for tell in told:
            tell()

    def _run(self, ticket: Ticket, view: View, batch: View) -> Callable[[], None]:
        try:
            result = ticket.work(JsonUnitOfWork(self, view))
        except (FileTrouble, IndexLost):
            raise
        except Exception as failure:  # noqa: BLE001 - told to whoever waits for it
            error = failure
            return lambda: ticket.fail(error)
        batch.absorb(view)
        return lambda: ticket.succeed(result)

    def _commit(self, view: View) -> None:
        """Make durable what was written, and carry it out."""
        self._journal.has_landed = False
        effects = [*_effects(view), *self._index.adding(view.entries)]
        if not effects:
            return
        self._lock.require_intact()
        self._journal.commit(effects)
        self._carry_out(view.entries)

    def _carry_out(self, entries: Sequence[Entry]) -> None:
        """Do what is durable already: trouble with it is for the next to come."""
        try:
            self._journal.carry_out()
            self._index.added(entries)
        except FileTrouble:
            self._index.forget()

    def _prepare(self) -> None:
        """See to it that the files are what the last transaction left."""
        if self._closed:
            raise StoreClosed(self.target)
        marker = self.files.identity(self._folder / layout.MARKER)
        if marker is None or marker != self._marked:
            if not read_marker(self._folder):
                raise self._gone()
            self._marked = marker
        if self._journal.carry_out():
            self._index.forget()
        self._index.refresh()

    def _rebuild_index(self, deadline: float) -> None:
        def rebuild() -> None:
            with self._locked(deadline):
                self._journal.carry_out()
                # What was carried out must not come back over the new index after a power cut.
                self._journal.forget_for_good()
                self._journal.commit(index_made_anew(self._folder, self.files))
                self._carry_out([])
                self._index.forget()

        self.patiently(rebuild, deadline)

    def _prepare_folder(self, *, is_there: bool) -> None:
        """See whether locks work here, and make a store of an empty folder; whoever comes first."""
        deadline = self._deadline(None)

        def prepare() -> None:
            with self._locked(deadline):
                self._lock.require_works()
                if not is_there and not require_folder(self._folder, create=True):
                    mark(self._folder, self.files)

        self.patiently(prepare, deadline)

    @contextmanager
    def _locked(self, deadline: float) -> Iterator[None]:
        if self._closed:
            raise StoreClosed(self.target)
        if not self._folder.is_dir():  # who locks would make it again
            raise self._gone()
        with self._lock.holding(max(0.0, deadline - time.monotonic())):
            yield

    @contextmanager
    def _seeing(self, view: View) -> Iterator[View]:
        self._current = view
        try:
            yield view
        finally:
            self._current = None

    def _view(self, below: View | None = None, *, is_reading: bool = False) -> View:
        return View(self._folder, self.files, self._index, below, is_reading=is_reading)

    def _deadline(self, timeout: float | None) -> float:
        return time.monotonic() + (self._write_timeout if timeout is None else timeout)

    def _gone(self) -> StorageUnavailable:
        return StorageUnavailable(
            f"{self.target} was removed while it was open; nothing more is written to what is "
            "gone: open the store again"
        )

    def _translated(self, trouble: FileTrouble) -> HoldfastError:
        return trouble.translated(self.target)

    def _begin(self) -> None:
        """Begin with nobody at work: those who were are in the other process."""
        self._current = None
        self._index.forget()
        self._queue = CommitQueue(self._perform, self.target)


def _effects(view: View) -> Iterator[Effect]:
    for path, content in view.changes.items():
        yield Remove(path) if content is None else Put(path, content)
