"""Writes that share a commit: each learns of its own outcome, whatever the others meet."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from holdfast.domain.errors import HoldfastError, StorageUnavailable, StoreBusy, StoreClosed
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.ports import UnitOfWork, Written
from holdfast.infrastructure.sqlite.store import SqliteStore

OpenStore = Callable[..., SqliteStore]
Work = Callable[[UnitOfWork], Any]

# Nothing here takes that long, unless it hangs; in seconds.
LONG = 10.0
CODES = [sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY]


class Meddler:
    """Does something before, or after, the nth statement of connections made while it is there."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.before: dict[int, Callable[[sqlite3.Connection], None]] = {}
        self.after: dict[int, Callable[[sqlite3.Connection], None]] = {}

    def begin(self) -> None:
        self.seen, self.before, self.after = [], {}, {}


@pytest.fixture
def meddler(monkeypatch: pytest.MonkeyPatch) -> Meddler:
    meddler = Meddler()
    connect = sqlite3.connect

    class Meddled(sqlite3.Connection):
        def execute(self, text: str, *values: Any) -> sqlite3.Cursor:
            number = len(meddler.seen)
            meddler.seen.append(" ".join(text.split(" ")[:2]))
            meddler.before.get(number, _nothing)(self)
            cursor = super().execute(text, *values)
            try:
                meddler.after.get(number, _nothing)(self)
            except BaseException:
                cursor.close()  # a frame of the traceback would keep it half read
                raise
            return cursor

    def connect_meddled(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=Meddled, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_meddled)
    return meddler


# Trouble at every statement of a batch.


def _statements_of_a_batch(meddler: Meddler, store: SqliteStore) -> list[str]:
    meddler.begin()
    written = store.write_each([partial(_log, number) for number in (901, 902, 903)])
    assert all(each.error is None for each in written)
    return meddler.seen


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("with_error", [False, True], ids=["all well", "one raises"])
def test_write_each_when_any_statement_meets_trouble_once_then_each_is_written_once_or_refused(
    meddler: Meddler, path: Path, open_store: OpenStore, code: int, when: str, with_error: bool
) -> None:
    store = open_store(path, durability="process")
    store.write(partial(_log, 900))
    statements = [*_statements_of_a_batch(meddler, store), "more", "more"]
    for number in range(len(statements)):
        meddler.begin()
        getattr(meddler, when)[number] = partial(_fail, code)
        runs = [10 * number + at for at in range(3)]
        works: list[Work] = [partial(_log, run) for run in runs]
        if with_error:
            works[1] = partial(_log_and_raise, runs[1])

        written = store.write_each(works)

        told = f"{when} {number}: {meddler.seen}: {written}"
        meddler.begin()
        _require_outcomes(store, runs, written, told)
        refused = [1] if with_error else []
        assert [at for at, each in enumerate(written) if each.error is not None] == refused, told
        assert all(isinstance(written[at].error, LookupError) for at in refused), told


@pytest.mark.parametrize("number", range(12))
def test_write_each_when_the_disk_is_full_and_takes_the_transaction_with_it_then_nothing_is_twice(
    meddler: Meddler, path: Path, open_store: OpenStore, number: int
) -> None:
    # SQLite rolls the whole transaction back then; what came next would be a transaction alone.
    def fill_up(connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            sqlite3.Connection.execute(connection, "ROLLBACK")
        _fail(sqlite3.SQLITE_FULL, connection)

    store = open_store(path, durability="process")
    store.write(partial(_log, 900))
    meddler.begin()
    meddler.before[number] = fill_up

    written = store.write_each([partial(_log, run) for run in (1, 2, 3)])

    meddler.begin()
    assert [each.error for each in written] == [None] * 3
    _require_outcomes(store, [1, 2, 3], written, str(number))
    assert _runs_in(store) == [900, 1, 2, 3]


def test_write_each_when_the_disk_is_really_full_then_each_is_there_or_refused(
    path: Path, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 60  # pages
    connect = sqlite3.connect

    def connect_to_little(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.execute(f"PRAGMA max_page_count = {limit}")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_to_little)
    store = open_store(path, durability="process")
    sizes = [100, 30_000, 100, 400_000, 100, 90_000, 100, 60_000, 100]

    written = store.write_each(
        [partial(_log, run, text="x" * size) for run, size in enumerate(sizes)], timeout=0.0
    )

    assert isinstance(written[3].error, StorageUnavailable)
    assert "no space left" in str(written[3].error)
    assert written[0].error is None
    _require_outcomes(store, list(range(len(sizes))), written, "full")


def test_write_each_when_trouble_lasts_then_each_is_refused_and_none_is_there(
    meddler: Meddler, path: Path, open_store: OpenStore
) -> None:
    store = open_store(path, durability="process")
    meddler.begin()
    for number in range(400):
        meddler.before[number] = partial(_fail, sqlite3.SQLITE_IOERR_WRITE)

    written = store.write_each([partial(_log, run) for run in range(3)], timeout=0.01)

    meddler.begin()
    assert [type(each.error) for each in written] == [StorageUnavailable] * 3
    assert _runs_in(store) == []


def test_write_when_a_rollback_fails_too_then_the_next_write_is_not_caught_in_it(
    meddler: Meddler, path: Path, open_store: OpenStore
) -> None:
    store = open_store(path, durability="process")
    store.write(partial(_log, 1))
    meddler.begin()
    meddler.before[2] = partial(_fail, sqlite3.SQLITE_IOERR_WRITE)
    meddler.before[3] = partial(_fail, sqlite3.SQLITE_IOERR_WRITE)

    with pytest.raises(StorageUnavailable):
        store.write(partial(_log, 2), timeout=0.0)

    assert meddler.seen[3] == "ROLLBACK"
    meddler.begin()
    store.write(partial(_log, 3), timeout=0.0)
    assert _runs_in(store) == [1, 3]


# Callers in threads.


class Caller(threading.Thread):
    """Writes in a thread; keeps what came of it."""

    def __init__(self, store: SqliteStore, work: Work, *, timeout: float = LONG) -> None:
        super().__init__(daemon=True)
        self._call = partial(store.write, work, timeout=timeout)
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001 - it is what came of it
            self.error = error

    def done(self) -> Caller:
        self.join(LONG)
        assert not self.is_alive(), "it hangs"
        return self


class Holder:
    """Somebody who writes, and goes on only when told to."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._inside, self._go = threading.Event(), threading.Event()
        self._caller = Caller(store, self._hold)
        self._caller.start()
        assert self._inside.wait(LONG)

    def let_go(self) -> None:
        self._go.set()
        self._caller.done()

    def behind(self, *works: Work, timeout: float = LONG) -> list[Caller]:
        """Let works queue, in their order."""
        callers = []
        for work in works:
            waiting = len(self._store._queue._queue)
            callers.append(Caller(self._store, work, timeout=timeout))
            callers[-1].start()
            while len(self._store._queue._queue) == waiting and callers[-1].is_alive():
                callers[-1].join(0.0005)
        return callers

    def _hold(self, _: UnitOfWork) -> None:
        self._inside.set()
        assert self._go.wait(LONG)


def test_write_when_others_raise_then_each_caller_learns_of_its_own(store: SqliteStore) -> None:
    holder = Holder(store)
    works: list[Work] = [partial(_log_and_raise if run % 2 else _log, run) for run in range(8)]
    callers = holder.behind(*works)
    holder.let_go()

    for run, caller in enumerate(callers):
        caller.done()
        if run % 2:
            assert repr(caller.error) == f"LookupError({run})"
        else:
            assert (caller.error, caller.result) == (None, run)
    assert _runs_in(store) == [0, 2, 4, 6]


def test_write_when_it_has_waited_too_long_in_the_queue_then_it_is_busy_and_not_written(
    store: SqliteStore,
) -> None:
    holder = Holder(store)
    (late,) = holder.behind(partial(_log, 1), timeout=0.02)

    late.done()
    (patient,) = holder.behind(partial(_log, 2))
    holder.let_go()

    assert isinstance(late.error, StoreBusy)
    assert store.target in str(late.error)
    assert patient.done().error is None
    assert _runs_in(store) == [2]


def test_write_when_one_of_a_batch_stops_the_whole_then_the_others_are_written_once(
    store: SqliteStore,
) -> None:
    def interrupted(uow: UnitOfWork) -> None:
        _log(7, uow)
        raise KeyboardInterrupt

    holder = Holder(store)
    callers = holder.behind(interrupted, *(partial(_log, run) for run in range(3)))
    holder.let_go()

    assert isinstance(callers[0].done().error, KeyboardInterrupt)
    assert [each.done().error for each in callers[1:]] == [None] * 3
    assert _runs_in(store) == [0, 1, 2]


def test_close_when_writers_queue_then_each_is_written_or_told_that_it_is_closed(
    store: SqliteStore, path: Path, open_store: OpenStore
) -> None:
    holder = Holder(store)
    callers = holder.behind(*(partial(_log, run) for run in range(6)))
    closing = threading.Thread(target=store.close)
    closing.start()
    holder.let_go()
    closing.join(LONG)

    assert not closing.is_alive()
    written = {run for run, caller in enumerate(callers) if caller.done().error is None}
    assert all(isinstance(each.error, StoreClosed | None) for each in callers)
    assert set(_runs_in(open_store(path))) == written


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_when_writers_queue_then_both_sides_go_on(
    store: SqliteStore, path: Path, open_store: OpenStore
) -> None:
    holder = Holder(store)
    callers = holder.behind(*(partial(_log, run) for run in range(4)))
    threading.Timer(0.05, holder.let_go).start()
    store.before_fork()
    pid = os.fork()
    if pid == 0:
        try:
            store.after_fork_in_child()
            store.write(partial(_log, 100), timeout=LONG)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child must not go on in its parent's code
            os._exit(1)
    store.after_fork_in_parent()
    _, status = os.waitpid(pid, 0)

    assert status == 0
    assert [each.done().error for each in callers] == [None] * 4
    assert sorted(_runs_in(store)) == [0, 1, 2, 3, 100]


def test_write_when_eight_threads_meet_errors_at_random_then_only_what_was_acknowledged_is_there(
    meddler: Meddler, path: Path, open_store: OpenStore
) -> None:
    _hammer(meddler, open_store(path, durability="process"), each=20)


@pytest.mark.deep
def test_write_when_eight_threads_meet_errors_for_long_then_only_what_was_acknowledged_is_there(
    meddler: Meddler, path: Path, open_store: OpenStore
) -> None:
    _hammer(meddler, open_store(path, durability="process"), each=3000)


def _hammer(meddler: Meddler, store: SqliteStore, *, each: int) -> None:
    random = Random(5)
    acknowledged: list[int] = []
    refused: list[int] = []
    unknown: list[int] = []

    def maybe(connection: sqlite3.Connection) -> None:
        if random.randrange(60) == 0:
            _fail(random.choice(CODES), connection)

    class Always(dict[int, Any]):
        def get(self, _: int, default: Any = None) -> Any:
            return maybe

    def call(thread: int) -> None:
        for number in range(each):
            run = thread * 100_000 + number
            work = _log_and_raise if number % 7 == 3 else _log
            try:
                store.write(partial(work, run), timeout=LONG)
            except StorageUnavailable as error:
                (unknown if error.outcome == "unknown" else refused).append(run)
            except (LookupError, HoldfastError):
                refused.append(run)
            else:
                acknowledged.append(run)

    meddler.begin()
    meddler.before, meddler.after = Always(), Always()
    threads = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG * 12)
        assert not thread.is_alive(), "it hangs"
    meddler.begin()

    found = _runs_in(store)
    assert len(found) == len(set(found)), "nothing is written twice"
    assert sorted(set(found) - set(unknown)) == sorted(acknowledged)
    assert len(acknowledged) + len(refused) + len(unknown) == 8 * each
    assert len(acknowledged) > 6 * each


def _require_outcomes(
    store: SqliteStore, runs: list[int], written: list[Written[Any]], told: str
) -> None:
    found = _runs_in(store)
    for run, each in zip(runs, written, strict=True):
        assert found.count(run) == (each.error is None), told
        assert each.error is not None or each.result == run, told


def _log(run: int, uow: UnitOfWork, *, text: str = "") -> int:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    detail = {"run": run, "text": text}
    uow.events.append(DomainEvent(EventKind.RESUMED, "wf", at, detail=detail))
    return run


def _log_and_raise(run: int, uow: UnitOfWork) -> None:
    _log(run, uow)
    raise LookupError(run)


def _runs_in(store: SqliteStore) -> list[int]:
    def work(uow: UnitOfWork) -> list[int]:
        found: list[DomainEvent] = []
        while more := uow.events.read(after=found[-1].number if found else 0):
            found += more
        return [each.detail["run"] for each in found]

    return store.read(work)


def _fail(code: int, _: sqlite3.Connection) -> None:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    raise error


def _nothing(_: sqlite3.Connection) -> None:
    pass


def test_write_when_it_is_performed_with_one_that_may_wait_longer_then_it_keeps_to_its_own_time(
    path: Path, open_store: OpenStore, lock_holder: Callable[[], Any]
) -> None:
    store = open_store(path)
    learnt: list[str] = []

    def write(name: str, timeout: float) -> None:
        with pytest.raises(StoreBusy):
            store.write(lambda uow: uow.sequences.next(name), timeout=timeout)
        learnt.append(name)

    waits = {"first": 0.3, "long": 2.0, "short": 0.5}
    threads = [threading.Thread(target=write, args=each) for each in waits.items()]
    with lock_holder():
        for waiting, each in enumerate(threads):
            each.start()
            while len(store._queue._queue) < waiting:
                each.join(0.001)
        for each in threads:
            each.join(LONG)

    assert learnt == ["first", "short", "long"]
