"""What becomes of SQLite's errors: trouble that may pass is waited out, the rest is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.errors import (
    CheckpointCorrupted,
    HoldfastError,
    StorageUnavailable,
    StoreBusy,
)
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.ports import Store, UnitOfWork
from holdfast.infrastructure.sqlite.landing import has_landed
from holdfast.infrastructure.sqlite.store import SqliteStore
from holdfast.infrastructure.sqlite.transaction import Witness

Save = Callable[..., Checkpoint]
OpenStore = Callable[..., SqliteStore]
IdsIn = Callable[[Store], list[str]]

PASSING = {
    "busy": sqlite3.SQLITE_BUSY,
    "busy, snapshot": sqlite3.SQLITE_BUSY_SNAPSHOT,
    "locked": sqlite3.SQLITE_LOCKED,
    "input/output": sqlite3.SQLITE_IOERR,
    "input/output, sync": sqlite3.SQLITE_IOERR_FSYNC,
    "full disk": sqlite3.SQLITE_FULL,
}


class Troubled:
    """Work that meets trouble the first times it is run, after it has written."""

    def __init__(self, code: int, times: int) -> None:
        self.runs = 0
        self._code = code
        self._times = times

    def __call__(self, uow: UnitOfWork) -> int:
        self.runs += 1
        uow.events.append(_event(self.runs))
        if self.runs <= self._times:
            raise _error(self._code)
        return self.runs


@pytest.mark.parametrize("code", PASSING.values(), ids=PASSING.keys())
def test_write_when_trouble_passes_then_its_work_is_run_again_and_its_effects_are_there_once(
    store: SqliteStore, code: int
) -> None:
    work = Troubled(code, times=3)

    assert store.write(work) == 4

    events = store.read(lambda uow: uow.events.read())
    assert [each.detail for each in events] == [{"run": 4}]


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy, "stayed locked"),
        (sqlite3.SQLITE_IOERR_FSYNC, StorageUnavailable, "as SQLite says it"),
        (sqlite3.SQLITE_FULL, StorageUnavailable, "no space left"),
    ],
)
def test_write_when_trouble_lasts_then_it_is_told_and_nothing_is_written(
    store: SqliteStore, path: Path, code: int, kind: type[HoldfastError], told: str
) -> None:
    work = Troubled(code, times=1000)

    with pytest.raises(kind, match=told) as caught:
        store.write(work, timeout=0.02)

    assert str(path) in str(caught.value)
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert work.runs >= 2
    assert store.read(lambda uow: uow.events.read()) == []


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        (sqlite3.SQLITE_CORRUPT, CheckpointCorrupted, "recover"),
        (sqlite3.SQLITE_READONLY, StorageUnavailable, "permissions"),
        (sqlite3.SQLITE_CANTOPEN, StorageUnavailable, "permissions"),
        (sqlite3.SQLITE_ERROR, StorageUnavailable, "as SQLite says it"),
    ],
)
def test_write_when_trouble_cannot_pass_then_it_is_told_at_once(
    store: SqliteStore, path: Path, code: int, kind: type[HoldfastError], told: str
) -> None:
    work = Troubled(code, times=1000)

    with pytest.raises(kind, match=told) as caught:
        store.write(work)

    assert work.runs == 1
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY])
def test_read_when_a_lock_passes_then_its_work_is_run_again(store: SqliteStore, code: int) -> None:
    # Readers meet locks too: while a store is recovered after a crash, or closed by its last user.
    runs: list[int] = []

    def work(uow: UnitOfWork) -> int:
        runs.append(1)
        if len(runs) < 3:
            raise _error(code)
        return len(runs)

    assert store.read(work) == 3


def test_write_when_the_work_itself_raises_then_it_is_run_once(store: SqliteStore) -> None:
    runs: list[int] = []

    def work(uow: UnitOfWork) -> None:
        runs.append(1)
        raise OSError("not the store's")

    with pytest.raises(OSError, match="not the store's"):
        store.write(work)

    assert runs == [1]


@pytest.mark.parametrize("page", [1, 2, 5])
def test_reading_when_pages_are_overwritten_then_it_is_damage_and_never_a_result(
    path: Path, open_store: OpenStore, save: Save, ids_in: IdsIn, page: int
) -> None:
    store = open_store(path)
    for number in range(30):
        save(store, state={"text": f"{number}" * 500})
    wanted = ids_in(store)
    store.close()
    content = bytearray(path.read_bytes())
    content[page * 4096 + 100 : page * 4096 + 4096] = b"\xa5" * 3996
    path.write_bytes(content)

    try:
        found = ids_in(open_store(path, upgrade=False))
    except (CheckpointCorrupted, StorageUnavailable):
        return
    assert found == wanted  # the page was of no use for this


# Trouble at every statement of a write.

STATEMENTS_OF_A_WRITE = ["BEGIN", "PRAGMA", "INSERT", "COMMIT"]
# After somebody else's commit the schema is looked at again, and what was known is read again.
STATEMENTS_AFTER_ANOTHER = ["BEGIN", "PRAGMA", "PRAGMA", "SELECT", "INSERT", "COMMIT"]
EVERY_STATEMENT = [
    *((False, number) for number in range(len(STATEMENTS_OF_A_WRITE))),
    *((True, number) for number in range(len(STATEMENTS_AFTER_ANOTHER))),
]


class Meddler:
    """Does something before, or after, the statement of a write that has that number."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.before: dict[int, BaseException] = {}
        self.after: dict[int, BaseException] = {}

    def begin(self) -> None:
        self.seen, self.before, self.after = [], {}, {}


@pytest.fixture
def meddler(monkeypatch: pytest.MonkeyPatch) -> Meddler:
    """Meddle with the statements of all connections that are made from now on."""
    meddler = Meddler()
    connect = sqlite3.connect

    class Meddled(sqlite3.Connection):
        def execute(self, text: str, *values: Any) -> sqlite3.Cursor:
            number = len(meddler.seen)
            meddler.seen.append(text.partition(" ")[0])
            if number in meddler.before:
                raise meddler.before[number]
            cursor = super().execute(text, *values)
            if number in meddler.after:
                raise meddler.after[number]
            return cursor

    def connect_meddled(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, factory=Meddled, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_meddled)
    return meddler


@pytest.mark.parametrize(("after_another", "number"), EVERY_STATEMENT)
def test_write_when_interrupted_after_any_statement_then_it_is_whole_or_nothing_and_lets_go(
    meddler: Meddler, path: Path, open_store: OpenStore, after_another: bool, number: int
) -> None:
    store, other = open_store(path), open_store(path)
    seed = _seed(store, other if after_another else None)
    statements = STATEMENTS_AFTER_ANOTHER if after_another else STATEMENTS_OF_A_WRITE
    meddler.begin()
    meddler.after[number] = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        store.write(lambda uow: uow.events.append(_event(1)))

    assert meddler.seen[number] == statements[number]
    meddler.begin()
    kept = [*seed, 1] if statements[number] == "COMMIT" else seed
    assert _runs_in(other) == kept
    other.write(lambda uow: uow.events.append(_event(2)), timeout=0.0)
    store.write(lambda uow: uow.events.append(_event(3)), timeout=0.0)
    assert _runs_in(other) == [*kept, 2, 3]


@pytest.mark.parametrize(("after_another", "number"), EVERY_STATEMENT)
@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_FULL])
def test_write_when_any_statement_meets_trouble_once_then_it_is_written_once(
    meddler: Meddler,
    path: Path,
    open_store: OpenStore,
    after_another: bool,
    number: int,
    code: int,
) -> None:
    store, other = open_store(path), open_store(path)
    seed = _seed(store, other if after_another else None)
    statements = STATEMENTS_AFTER_ANOTHER if after_another else STATEMENTS_OF_A_WRITE
    meddler.begin()
    meddler.before[number] = _error(code)

    store.write(lambda uow: uow.events.append(_event(1)))

    assert meddler.seen[number] == statements[number]
    meddler.begin()
    assert _runs_in(store) == [*seed, 1]


def test_write_when_its_commit_fails_for_good_and_nothing_of_it_is_found_then_it_is_not_written(
    meddler: Meddler, path: Path, open_store: OpenStore
) -> None:
    store = open_store(path)
    store.write(lambda uow: uow.events.append(_event(0)))
    meddler.begin()
    meddler.before[STATEMENTS_OF_A_WRITE.index("COMMIT")] = _error(sqlite3.SQLITE_IOERR_FSYNC)

    with pytest.raises(StorageUnavailable) as caught:
        store.write(lambda uow: uow.events.append(_event(1)), timeout=0.0)

    assert caught.value.outcome == "not written"
    assert _runs_in(store) == [0]


def test_write_when_its_commit_fails_and_is_found_in_the_file_then_it_counts_once(
    meddler: Meddler, path: Path, open_store: OpenStore
) -> None:
    # What was to be committed may be found in the file after it is opened again.
    store = open_store(path)
    store.write(lambda uow: uow.events.append(_event(0)))
    meddler.begin()
    meddler.after[STATEMENTS_OF_A_WRITE.index("COMMIT")] = _error(sqlite3.SQLITE_IOERR_FSYNC)

    store.write(lambda uow: uow.events.append(_event(1)))

    assert "PRAGMA" in meddler.seen[STATEMENTS_OF_A_WRITE.index("COMMIT") :], "it was synced again"
    meddler.begin()
    assert _runs_in(store) == [0, 1]


def test_write_when_its_commit_fails_after_an_upgrade_by_another_then_the_schema_stays_so(
    meddler: Meddler, path: Path, open_store: OpenStore, behind: Callable[..., list[Any]]
) -> None:
    store = open_store(path)
    store.write(lambda uow: uow.events.append(_event(0)))
    failure = _error(sqlite3.SQLITE_IOERR_FSYNC)
    behind("PRAGMA user_version = 99")

    with store._connections.writing(1.0):
        assert not has_landed(Witness("events", 999, b""), store._connections, failure, 0.0)

    assert behind("PRAGMA user_version") == [(99,)]


def test_write_when_its_commit_fails_and_it_cannot_be_looked_up_then_the_outcome_is_unknown(
    meddler: Meddler, path: Path, open_store: OpenStore
) -> None:
    store = open_store(path)
    store.write(lambda uow: uow.events.append(_event(0)))
    meddler.begin()
    commit = STATEMENTS_OF_A_WRITE.index("COMMIT")
    meddler.after[commit] = _error(sqlite3.SQLITE_IOERR_FSYNC)
    for later in range(commit + 1, commit + 9):
        meddler.before[later] = _error(sqlite3.SQLITE_IOERR_READ)

    with pytest.raises(StorageUnavailable, match="looking whether it was written") as caught:
        store.write(lambda uow: uow.events.append(_event(1)), timeout=0.0)

    assert caught.value.outcome == "unknown"


def test_read_when_somebody_writes_meanwhile_then_neither_waits_and_the_view_stands_still(
    store: SqliteStore, save: Save
) -> None:
    def work(uow: UnitOfWork) -> list[str]:
        heads = []
        for _ in range(2):
            standing = uow.checkpoints.standing("wf")
            assert standing is not None
            heads.append(str(standing.head))
            save(store)
        return heads

    save(store)

    assert store.read(work) == ["wf@1", "wf@1"]
    standing = store.read(lambda uow: uow.checkpoints.standing("wf"))
    assert standing is not None
    assert str(standing.head) == "wf@3"


def test_read_when_its_work_writes_then_it_is_refused(store: SqliteStore) -> None:
    with pytest.raises(StorageUnavailable):
        store.read(lambda uow: uow.events.append(_event(1)))

    assert store.read(lambda uow: uow.events.read()) == []


def _error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


def _seed(store: SqliteStore, other: SqliteStore | None) -> list[int]:
    """Write through *store*, then through *other*; return what was written."""
    store.write(lambda uow: uow.events.append(_event(0)))
    if other is None:
        return [0]
    other.write(lambda uow: uow.events.append(_event(9)))
    return [0, 9]


def _runs_in(store: SqliteStore) -> list[Any]:
    return store.read(lambda uow: [each.detail["run"] for each in uow.events.read()])


def _event(run: int) -> DomainEvent:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return DomainEvent(EventKind.RESUMED, "wf", at, detail={"run": run})
