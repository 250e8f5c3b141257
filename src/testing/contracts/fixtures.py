"""What fills a store: fixtures that the suites ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.json_value import JsonValue
from ...domain.payload import Payload
from ...domain.ports import Store, UnitOfWork
from ...domain.scope import Scope
from ...infrastructure.json_codec import JsonCodec

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
_CODEC = JsonCodec()
_HEAD: Any = object()


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
