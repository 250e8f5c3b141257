"""The stores that every contract is held against, and what fills them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.json_value import JsonValue
from holdfast.domain.payload import Payload
from holdfast.domain.ports import Store, UnitOfWork
from holdfast.domain.scope import Scope
from holdfast.infrastructure.json_codec import JsonCodec
from holdfast.infrastructure.json_files.store import JsonFileStore
from holdfast.infrastructure.memory import MemoryStore
from holdfast.infrastructure.sqlite.store import SqliteStore

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
_CODEC = JsonCodec()
_HEAD: Any = object()


@pytest.fixture(scope="session")
def empty_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without content, closed: copied for each test, so that Alembic runs once."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    SqliteStore.open(path, _CODEC).close()
    return path


@pytest.fixture
def sqlite_store(tmp_path: Path, empty_sqlite_file: Path) -> Iterator[SqliteStore]:
    path = tmp_path / "checkpoints.db"
    shutil.copyfile(empty_sqlite_file, path)
    store = SqliteStore.open(path, _CODEC, write_timeout=5.0)
    yield store
    store.close()


@pytest.fixture
def json_store() -> Iterator[JsonFileStore]:
    # Hundreds of tests, each with some hundred syncs: in memory where the system has room there.
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        store = JsonFileStore.open(Path(folder) / "store", _CODEC, write_timeout=5.0)
        yield store
        store.close()


@pytest.fixture
def memory_store() -> Iterator[MemoryStore]:
    store = MemoryStore(_CODEC)
    yield store
    store.close()


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture
def save() -> Callable[..., Checkpoint]:
    """Write one checkpoint; see `_save` for what can be said about it."""
    return _save


@pytest.fixture
def put() -> Callable[..., Checkpoint]:
    """Write one checkpoint within a unit of work; see `_put`."""
    return _put


@pytest.fixture
def fields_of() -> Callable[[Checkpoint], dict[str, Any]]:
    """Return the stored fields of a checkpoint by name, so that two can be compared."""
    return _fields_of


@pytest.fixture
def payload_of() -> Callable[..., Payload]:
    return _payload_of


def _save(store: Store, scope: str = "wf", type_: str = "progress", **about: Any) -> Checkpoint:
    return store.write(lambda uow: _put(uow, scope, type_, **about))


def _put(
    uow: UnitOfWork,
    scope: str = "wf",
    type_: str = "progress",
    *,
    parent: CheckpointId | None = _HEAD,
    status: CheckpointStatus | None = None,
    state: JsonValue = None,
    patch: JsonValue = None,
    input: JsonValue = None,
    output: JsonValue = None,
    at: datetime = AT,
    **more: Any,
) -> Checkpoint:
    """Write a checkpoint after the head, or after *parent*; *more* are fields of `Checkpoint`."""
    where = Scope.parse(scope)
    kind = CheckpointType(type_)
    if parent is _HEAD:
        standing = uow.checkpoints.standing(where.workflow_id)
        parent = standing.head if standing else None
    checkpoint = Checkpoint(
        id=CheckpointId.of(where, uow.sequences.next(where.workflow_id)),
        type=kind,
        status=status or _first_status(kind),
        created_at=at,
        updated_at=at,
        parent_id=parent,
        **more,
    )
    uow.checkpoints.add(
        checkpoint, _payload_of(state=state, patch=patch, input=input, output=output)
    )
    return checkpoint


def _payload_of(**members: JsonValue) -> Payload:
    return Payload(
        **{name: _CODEC.encode(value, name) for name, value in members.items() if value is not None}
    )


def _first_status(kind: CheckpointType) -> CheckpointStatus:
    if kind.opens:
        return CheckpointStatus.ACTIVE
    if kind is CheckpointType.ERROR_STATE:
        return CheckpointStatus.FAILED
    return CheckpointStatus.COMPLETED


def _fields_of(checkpoint: Checkpoint) -> dict[str, Any]:
    names = [each.name for each in fields(checkpoint) if not each.name.startswith("_")]
    return {name: getattr(checkpoint, name) for name in names}
