"""Stores in real files, and what looks at them from behind and from other processes."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.payload import Payload
from holdfast.domain.ports import CheckpointFilter, Store, UnitOfWork
from holdfast.domain.scope import Scope
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.sqlite.format import APPLICATION_ID
from holdfast.infrastructure.sqlite.store import SqliteStore
from holdfast.infrastructure.sqlite.upgrade import run_revisions

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
HERE = Path(__file__).parent
_CODEC = JsonCodec()
_PAYLOADS = ("state", "patch", "input", "output")


@pytest.fixture(scope="session")
def empty_store_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without content, closed: copied for each test, so that Alembic runs once."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    SqliteStore.open(path, _CODEC).close()
    return path


@pytest.fixture
def path(tmp_path: Path, empty_store_file: Path) -> Path:
    """The path of an empty store that nobody has open, alone in its folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    target = folder / "store.db"
    shutil.copyfile(empty_store_file, target)
    target.chmod(0o600)
    return target


@pytest.fixture
def open_store() -> Iterator[Callable[..., SqliteStore]]:
    """Open a store that is closed after the test."""
    opened: list[SqliteStore] = []

    def open_it(path: Path, **options: Any) -> SqliteStore:
        options.setdefault("write_timeout", 5.0)
        opened.append(SqliteStore.open(path, options.pop("codec", _CODEC), **options))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(path: Path, open_store: Callable[..., SqliteStore]) -> SqliteStore:
    return open_store(path)


@pytest.fixture
def make_old_store() -> Callable[[Path], None]:
    """Make the file of a store of schema 1, without content."""

    def make(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("PRAGMA auto_vacuum = INCREMENTAL")
            raw.execute("PRAGMA journal_mode = WAL")
            raw.execute("BEGIN IMMEDIATE")
            run_revisions(raw, to="0001")
            raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            raw.execute("PRAGMA user_version = 1")
            raw.execute("COMMIT")

    return make


@pytest.fixture
def behind(path: Path) -> Callable[..., list[Any]]:
    """Run SQL on the store's file behind the store's back, on a connection of its own."""

    def execute(text: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("PRAGMA synchronous = OFF")
            return raw.execute(text, values).fetchall()

    return execute


@pytest.fixture
def save() -> Callable[..., Checkpoint]:
    """Write one checkpoint after the head; what is said about it are fields and values."""
    return save_checkpoint


@pytest.fixture
def ids_in() -> Callable[[Store], list[str]]:
    """Return the ids of everything in a store, the newest first."""
    return lambda store: store.read(
        lambda uow: [str(each.id) for each in uow.checkpoints.find(CheckpointFilter())]
    )


@pytest.fixture
def contents_of() -> Callable[[Path], dict[str, bytes]]:
    """Return the bytes of every file in a folder that no store has open."""
    return lambda folder: {each.name: each.read_bytes() for each in sorted(folder.iterdir())}


@pytest.fixture
def lock_holder(path: Path) -> Callable[[], Any]:
    """Hold the store's write lock from another process, as long as the block lasts."""

    @contextmanager
    def hold() -> Iterator[LockHolder]:
        holder = LockHolder(path)
        try:
            yield holder
        finally:
            holder.kill()

    return hold


class LockHolder:
    """Another process, inside a write transaction on a store."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "lock_holding.py"), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._expect("locked")

    def let_go(self) -> None:
        """Return when it has ended its transaction."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._expect("free")

    def kill(self) -> None:
        """End it, wherever it is; return when it is gone."""
        self._process.kill()
        self._process.communicate()

    def _expect(self, line: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == f"{line}\n"


def save_checkpoint(
    store: Store, scope: str = "wf", type_: str = "progress", **about: Any
) -> Checkpoint:
    """Write one checkpoint after the head; what is said about it are fields and values."""
    about = {name: _encoded(name, value) for name, value in about.items()}
    return store.write(lambda uow: put_checkpoint(uow, scope, type_, **about))


def put_checkpoint(
    uow: UnitOfWork, scope: str = "wf", type_: str = "progress", **about: Any
) -> Checkpoint:
    """Write one checkpoint within a unit of work."""
    where = Scope.parse(scope)
    kind = CheckpointType(type_)
    about = {name: _encoded(name, value) for name, value in about.items()}
    payload = Payload(**{name: about.pop(name) for name in _PAYLOADS if name in about})
    standing = uow.checkpoints.standing(where.workflow_id)
    checkpoint = Checkpoint(
        id=CheckpointId.of(where, uow.sequences.next(where.workflow_id)),
        type=kind,
        status=CheckpointStatus.ACTIVE if kind.opens else CheckpointStatus.COMPLETED,
        created_at=AT,
        updated_at=AT,
        parent_id=about.get("parent", standing.head if standing else None),
        **{name: value for name, value in about.items() if name != "parent"},
    )
    uow.checkpoints.add(checkpoint, payload)
    return checkpoint


def _encoded(name: str, value: Any) -> Any:
    return _CODEC.encode(value, name) if name in _PAYLOADS and type(value) is not bytes else value
