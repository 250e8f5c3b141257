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
from .file_operations import Files
from .index import Entry, Index, IndexLost
from .index_rebuild import index_made_anew
from .journal import Effect, Journal, Put, Remove, TransactionDamaged
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
        self.folder = folder
        self._write_timeout = write_timeout
        self.index = Index(folder, self.files)
        self.journal = Journal(folder, self.files)
        self.lock = StoreLock(folder / layout.LOCK, self.target)
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
        with suppress(TransactionDamaged):  # told by whatever is called; a repair must get in
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
        if self._current is not None and self.lock.is_mine:
            # Within a transaction of this thread: what that has written is there.
            return work(JsonUnitOfWork(self, self.view_over(self._current)))
        deadline = self._deadline(None)
        return self.patiently(lambda: self._look(work, deadline), deadline)

    def give_back(self) -> bool:
        """Do nothing: files and folders that nobody needs are removed with what was in them."""
        return False

    def verify(self, *, repair: bool = False, at: datetime) -> VerifyReport:
        """Look everything through; see `StoreCare`."""
        from .care import verify

        return verify(self, self._deadline(None), repair=repair, at=at)

    def backup(self, path: Path) -> None:
        """Write a consistent copy; see `StoreCare`."""
        from .care import backup

        backup(self, path, self._deadline(None))

    def stats(self) -> StoreStats:
        """Return how much the store holds."""
        from .care import stats

        return stats(self, self._deadline(None))

    def in_force(self) -> Mapping[str, JsonValue]:
        """Return what is in force, as read back."""
        from .care import in_force

        return in_force(self, self._deadline(None))

    def close(self) -> None:
        """Wait for the work that was accepted, then let go. Twice does no harm."""
        self.lock.hold_threads()
        try:
            self._closed = True
        finally:
            self.lock.release_threads()

    def before_fork(self) -> None:
        """Wait for what is under way, so that the child does not come to hold the lock."""
        self.lock.hold_threads()  # its own hook has done so before; this counts

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self.lock.release_threads()

    def after_fork_in_child(self) -> None:
        """Go on with locks of our own."""
        self.lock.renew()
        self._begin()

    def patiently(self, attempt: Callable[[], T], deadline: float) -> T:
        """Run *attempt*, again and again as long as the trouble with files may pass."""
        pause = _FIRST_PAUSE
        rebuilt = 0
        while True:
            try:
                return attempt()
            except FileTrouble as trouble:
                self.index.forget()
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
            if not ticket.is_done:
                ticket.fail(error)

    def _look(self, work: Callable[[UnitOfWork], T], deadline: float) -> T:
        with self.locked(deadline):
            self.prepare()
            with self._seeing(self.view_over(None)) as view:
                result = work(JsonUnitOfWork(self, view))
            with suppress(FileTrouble, StorageUnavailable):
                self.commit(view)  # what had to be made anew; it can be made again
            return result

    def _transact(self, tickets: Sequence[Ticket], deadline: float) -> None:
        """Run the tickets' works as one act; one that raises takes nothing of the others along."""
        with self.locked(deadline):
            self.prepare()
            batch = self.view_over(None, is_reading=False)
            told: list[Callable[[], None]] = []
            self.journal.has_landed = False
            try:
                for ticket in tickets:
                    with self._seeing(self.view_over(batch, is_reading=False)) as view:
                        told.append(self._run(ticket, view, batch))
                self.commit(batch)
                _tell(told)
            except BaseException:
                # Whoever is without an outcome is performed again, by the next leader.
                if self.journal.has_landed:
                    _tell(told)
                raise

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

    def commit(self, view: View, whole_index: Sequence[Effect] | None = None) -> None:
        """Make durable what was written, and carry it out; *whole_index* makes the index anew."""
        self.journal.has_landed = False
        adding = self.index.adding(view.entries) if whole_index is None else whole_index
        effects = [*_effects(view), *adding]
        if not effects:
            return
        self.lock.require_intact()
        self.journal.commit(effects)
        if whole_index is not None:
            self.index.forget()
        self._carry_out([] if whole_index is not None else view.entries)

    def _carry_out(self, entries: Sequence[Entry]) -> None:
        """Do what is durable already: trouble with it is for the next to come."""
        try:
            self.journal.carry_out()
            self.index.added(entries)
        except FileTrouble:
            self.index.forget()

    def prepare(self) -> None:
        """See to it that the files are what the last transaction left."""
        if self._closed:
            raise StoreClosed(self.target)
        marker = self.files.identity(self.folder / layout.MARKER)
        if marker is None or marker != self._marked:
            if not read_marker(self.folder):
                raise self._gone()
            self._marked = marker
        if self.journal.carry_out():
            self.index.forget()
        self.index.refresh()

    def _rebuild_index(self, deadline: float) -> None:
        def rebuild() -> None:
            with self.locked(deadline):
                self.journal.carry_out()
                # What was carried out must not come back over the new index after a power cut.
                self.journal.forget_for_good()
                self.journal.commit(index_made_anew(self.folder, self.files))
                self._carry_out([])
                self.index.forget()

        self.patiently(rebuild, deadline)

    def _prepare_folder(self, *, is_there: bool) -> None:
        """See whether locks work here, and make a store of an empty folder; whoever comes first."""
        deadline = self._deadline(None)

        def prepare() -> None:
            with self.locked(deadline):
                self.lock.require_works()
                if not is_there and not require_folder(self.folder, create=True):
                    mark(self.folder, self.files)

        self.patiently(prepare, deadline)

    @contextmanager
    def locked(self, deadline: float) -> Iterator[None]:
        """Have the store for the length of the block."""
        if self._closed:
            raise StoreClosed(self.target)
        if not self.folder.is_dir():  # who locks would make it again
            raise self._gone()
        with self.lock.holding(max(0.0, deadline - time.monotonic())):
            yield

    @contextmanager
    def _seeing(self, view: View) -> Iterator[View]:
        self._current = view
        try:
            yield view
        finally:
            self._current = None

    def view_over(self, below: View | None, *, is_reading: bool = True) -> View:
        """Return a view over another one, or over the files; to be used under the lock."""
        return View(self.folder, self.files, self.index, below, is_reading=is_reading)

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
        self.index.forget()
        self._queue = CommitQueue(self._perform, self.target)


def _tell(told: Sequence[Callable[[], None]]) -> None:
    """Give the tickets their outcomes; twice does no harm."""
    for tell in told:
        tell()


def _effects(view: View) -> Iterator[Effect]:
    for path, content in view.changes.items():
        yield Remove(path) if content is None else Put(path, content)
