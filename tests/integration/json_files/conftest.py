"""Stores of JSON files in real folders, and what looks at their files from behind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
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
from holdfast.infrastructure.json_files.store import JsonFileStore

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
_CODEC = JsonCodec()
_PAYLOADS = ("state", "patch", "input", "output")


@pytest.fixture
def room() -> Iterator[Path]:
    """An empty folder, in memory where the system has room there: thousands of files are synced."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder)


@pytest.fixture
def folder(room: Path) -> Path:
    """Where a store is to be made."""
    return room / "store"


@pytest.fixture
def open_store() -> Iterator[Callable[..., JsonFileStore]]:
    """Open a store that is closed after the test."""
    opened: list[JsonFileStore] = []

    def open_it(folder: Path, **options: Any) -> JsonFileStore:
        options.setdefault("write_timeout", 5.0)
        opened.append(JsonFileStore.open(folder, _CODEC, **options))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(folder: Path, open_store: Callable[..., JsonFileStore]) -> JsonFileStore:
    return open_store(folder)


@pytest.fixture
def save() -> Callable[..., Checkpoint]:
    """Write one checkpoint after the head; what is said about it are fields and values."""
    return _save


@pytest.fixture
def put() -> Callable[..., Checkpoint]:
    """Write one checkpoint within a unit of work."""
    return _put


@pytest.fixture
def everything_in() -> Callable[[Store], dict[str, Any]]:
    """Return all that the reading calls of a store tell, so that two can be compared."""
    return lambda store: store.read(_everything)


def _save(store: Store, scope: str = "wf", type_: str = "progress", **about: Any) -> Checkpoint:
    return store.write(lambda uow: _put(uow, scope, type_, **about))


def _put(uow: UnitOfWork, scope: str = "wf", type_: str = "progress", **about: Any) -> Checkpoint:
    where = Scope.parse(scope)
    kind = CheckpointType(type_)
    values = {name: about.pop(name) for name in _PAYLOADS if name in about}
    payload = Payload(**{name: _CODEC.encode(value, name) for name, value in values.items()})
    standing = uow.checkpoints.standing(where.workflow_id)
    parent = about.pop("parent", standing.head if standing else None)
    checkpoint = Checkpoint(
        id=CheckpointId.of(where, uow.sequences.next(where.workflow_id)),
        type=kind,
        status=CheckpointStatus.ACTIVE if kind.opens else CheckpointStatus.COMPLETED,
        created_at=AT,
        updated_at=AT,
        parent_id=parent,
        **about,
    )
    uow.checkpoints.add(checkpoint, payload)
    return checkpoint


def _everything(uow: UnitOfWork) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in uow.checkpoints.find(CheckpointFilter()):
        found[str(each.id)] = (each.status, each.updated_at, each.epoch, each.parent_id)
        found[f"payload of {each.id}"] = uow.checkpoints.payload(each.id)
        if each.id.sequence % 16 not in (0, 1):  # of the others the heads speak
            continue
        replay = uow.checkpoints.replay(each.id)
        found[f"context of {each.id}"] = {
            str(scope): (record.state, record.is_open, record.output)
            for scope, record in replay.scopes.items()
        }
    for name in uow.checkpoints.workflow_ids(1000):
        standing = uow.checkpoints.standing(name)
        assert standing is not None
        found[f"standing of {name}"] = standing
        replay = uow.checkpoints.replay(standing.head)
        found[f"context of {name}"] = {
            str(scope): (record.state, record.is_open, record.output)
            for scope, record in replay.scopes.items()
        }
        found[f"unfinished of {name}"] = [str(each.id) for each in uow.checkpoints.unfinished(name)]
        found[f"lease of {name}"] = uow.leases.get(name)
        found[f"attempts of {name}"] = uow.attempts.all(name)
    found["summaries"] = list(uow.checkpoints.summaries())
    found["unfinished"] = sorted(str(each.id) for each in uow.checkpoints.unfinished_workflows())
    found["events"] = uow.events.read(limit=100_000)
    return found
