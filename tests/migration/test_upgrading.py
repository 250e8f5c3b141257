"""A store of every released schema opens, is brought up to date, and has kept what was in it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.errors import HoldfastError
from holdfast.domain.execution_context import context_of
from holdfast.domain.ports import CheckpointFilter
from holdfast.domain.scope import Scope
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.connection import is_new
from holdfast.infrastructure.sqlite.format import APPLICATION_ID, SCHEMA
from holdfast.infrastructure.sqlite.store import SqliteStore

MakeStore = Callable[[Path, int], None]

HEAD = CheckpointId("wf", "s", None, 3)
OLDER = list(range(1, SCHEMA))
THREADS = 6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def open_store() -> Iterator[Callable[[Path], SqliteStore]]:
    opened: list[SqliteStore] = []

    def open_it(path: Path) -> SqliteStore:
        opened.append(SqliteStore.open(path, JsonCodec(), write_timeout=10.0))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.mark.parametrize("version", [*OLDER, SCHEMA])
def test_open_when_the_store_is_of_an_older_schema_then_what_is_in_it_is_readable(
    path: Path, make_store_of: MakeStore, open_store: Callable[[Path], SqliteStore], version: int
) -> None:
    make_store_of(path, version)

    store = open_store(path)

    found = store.read(lambda uow: list(uow.checkpoints.find(CheckpointFilter())))
    assert [str(each.id) for each in found] == ["wf/s@3", "wf/s@2", "wf@1"]
    assert [(each.name, each.metadata) for each in found] == [
        (f"name {number}", {"k": number}) for number in (3, 2, 1)
    ]
    context = context_of(store.read(lambda uow: uow.checkpoints.replay(HEAD)), tuple)
    assert context.workflow_state == {"n": 1}
    assert context.stages == {"s": {"of": "stage"}}
    standing = store.read(lambda uow: uow.checkpoints.standing("wf"))
    assert standing is not None
    assert (standing.head, standing.handler) == (HEAD, "handler")
    end = store.read(lambda uow: uow.checkpoints.scope_last(Scope("wf", "s"), HEAD))
    assert end is not None
    assert end.id == HEAD
    events = store.read(lambda uow: uow.events.read())
    assert [each.kind.value for each in events] == ["created"] * 3 + ["resumed"]


@pytest.mark.parametrize("version", OLDER)
def test_open_when_the_store_is_of_an_older_schema_then_it_is_brought_up_to_date_once(
    path: Path, make_store_of: MakeStore, open_store: Callable[[Path], SqliteStore], version: int
) -> None:
    make_store_of(path, version)

    store = open_store(path)

    assert store.upgrade() == SCHEMA  # what it found: nothing left to do
    assert _look(path, "PRAGMA user_version") == [(SCHEMA,)]
    assert _look(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert _look(path, "SELECT version_num FROM alembic_version") == [(f"{SCHEMA:04d}",)]
    assert _look(path, "PRAGMA integrity_check") == [("ok",)]
    assert _look(path, "PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("version", OLDER)
def test_open_when_brought_up_to_date_then_it_can_be_written_to(
    path: Path, make_store_of: MakeStore, open_store: Callable[[Path], SqliteStore], version: int
) -> None:
    make_store_of(path, version)
    store = open_store(path)
    opening = store.read(lambda uow: uow.checkpoints.unfinished("wf"))[0]
    opening.complete(opening.updated_at)

    store.write(lambda uow: uow.checkpoints.update(opening))

    found = store.read(lambda uow: uow.checkpoints.get(opening.id))
    assert found.status.value == "completed"
    assert store.write(lambda uow: uow.sequences.next("wf")) == 4
    assert store.read(lambda uow: (uow.leases.get("wf"), uow.attempts.all("wf"))) == (None, [])


def test_open_when_the_file_is_new_then_it_is_up_to_date_and_empty(
    path: Path, open_store: Callable[[Path], SqliteStore]
) -> None:
    store = open_store(path)

    assert _look(path, "PRAGMA user_version") == [(SCHEMA,)]
    assert _look(path, "SELECT version_num FROM alembic_version") == [(f"{SCHEMA:04d}",)]
    assert store.read(lambda uow: uow.events.read()) == []


@pytest.mark.parametrize("version", OLDER)
def test_upgrade_when_it_fails_midway_then_the_store_is_as_it_was(
    path: Path, make_store_of: MakeStore, open_store: Callable[[Path], SqliteStore], version: int
) -> None:
    make_store_of(path, version)
    # The last thing that the newest revision makes is there already: it gets so far, and fails.
    _look(path, "CREATE TABLE purged (workflow)")
    before = _look(path, "SELECT name, sql FROM sqlite_master ORDER BY name")

    with pytest.raises(Exception, match="purged"):
        open_store(path)

    assert _look(path, "SELECT name, sql FROM sqlite_master ORDER BY name") == before
    assert _look(path, "PRAGMA user_version") == [(version,)]
    assert _look(path, "SELECT version_num FROM alembic_version") == [(f"{version:04d}",)]

    _look(path, "DROP TABLE purged")
    assert open_store(path).upgrade() == SCHEMA


@pytest.mark.parametrize("version", OLDER)
def test_upgrade_when_it_fails_then_the_error_is_of_our_tree(
    path: Path, make_store_of: MakeStore, open_store: Callable[[Path], SqliteStore], version: int
) -> None:
    make_store_of(path, version)
    _look(path, "CREATE TABLE purged (workflow)")

    with pytest.raises(HoldfastError, match=r"store\.db"):
        open_store(path)


@pytest.mark.parametrize("statements", [0, 1, 2, 3])
def test_open_when_another_process_makes_the_store_meanwhile_then_it_is_not_taken_for_foreign(
    path: Path, open_store: Callable[[Path], SqliteStore], statements: int
) -> None:
    _look(path, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        interrupted: Any = _Interrupted(raw, statements, lambda: open_store(path))

        # Whether it says that it is new is of no account: whoever upgrades looks again.
        assert is_new(interrupted, path) in (True, False)


def test_open_when_threads_of_one_process_make_several_stores_at_once_then_none_fails(
    tmp_path: Path,
) -> None:
    paths = [tmp_path / f"store-{number}.db" for number in range(THREADS)]

    assert _open_in_threads(paths) == []

    for path in paths:
        assert _look(path, "PRAGMA user_version") == [(SCHEMA,)]


def test_open_when_threads_of_one_process_make_one_store_at_once_then_none_fails(
    tmp_path: Path,
) -> None:
    assert _open_in_threads([tmp_path / "store.db"] * THREADS) == []

    assert _look(tmp_path / "store.db", "PRAGMA user_version") == [(SCHEMA,)]


def test_open_when_threads_of_one_process_upgrade_several_stores_at_once_then_none_fails(
    tmp_path: Path, make_store_of: MakeStore
) -> None:
    paths = [tmp_path / f"store-{number}.db" for number in range(THREADS)]
    for path in paths:
        make_store_of(path, 1)

    assert _open_in_threads(paths) == []

    for path in paths:
        assert _look(path, "PRAGMA user_version") == [(SCHEMA,)]
        assert _look(path, "SELECT count(*) FROM checkpoints") == [(3,)]


class _Interrupted:
    """A connection beside which something happens after some of its statements."""

    def __init__(
        self, connection: sqlite3.Connection, statements: int, meanwhile: Callable[[], object]
    ) -> None:
        self._connection = connection
        self._left = statements
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        if self._left == 0:
            self._meanwhile()
        self._left -= 1
        return self._connection.execute(*arguments)


def _open_in_threads(paths: list[Path]) -> list[BaseException]:
    """Open each path in a thread of its own, all at once; return what went wrong."""
    barrier = threading.Barrier(len(paths))
    errors: list[BaseException] = []

    def open_it(path: Path) -> None:
        barrier.wait()
        try:
            SqliteStore.open(path, JsonCodec(), write_timeout=10.0).close()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=open_it, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _look(path: Path, text: str) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        return raw.execute(text).fetchall()
