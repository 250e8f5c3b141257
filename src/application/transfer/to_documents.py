"""The whole of a store as documents, in an order of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.error_record import ErrorRecord
from ...domain.errors import ChainBroken, NotFound
from ...domain.events import DomainEvent, EventKind
from ...domain.json_value import JsonObject, JsonValue
from ...domain.lease import Lease, Owner
from ...domain.payload import Payload
from ...domain.ports import Codec, UnitOfWork
from ..retention.claim import PURGE_RESOURCE
from .document import Document, Kind
from .members import time_text

_PAGE = 500


def documents(uow: UnitOfWork, codec: Codec) -> Iterator[Document]:
    """Iterate over the documents of a store, in flat memory.

    First checkpoints and events by number, then what is kept of each name, sorted: its workflow,
    its lease, its attempts. Equal stores give equal documents.

    Raises:
        Damaged: something is not what was written; nothing damaged is handed on.
        ChainBroken: an ancestor of a checkpoint is not kept.
    """
    yield from _history(uow, codec)
    for name in uow.transfer.names():
        if name != PURGE_RESOURCE:  # the right to purge is of the store, not of what is in it
            yield from _kept_of(name, uow)


def _history(uow: UnitOfWork, codec: Codec) -> Iterator[Document]:
    number = 0
    while page := uow.events.read(after=number, limit=_PAGE):
        for event in page:
            if event.kind is EventKind.CREATED and event.checkpoint_id is not None:
                checkpoint = uow.checkpoints.get(event.checkpoint_id)
                _require_parent(checkpoint, uow)
                payload = uow.checkpoints.payload(event.checkpoint_id)
                data = _checkpoint(checkpoint, payload, event, codec)
                yield Document(Kind.CHECKPOINT, data, payload.size)
            else:
                yield Document(Kind.EVENT, _event(event))
        number = page[-1].number


def _kept_of(name: str, uow: UnitOfWork) -> Iterator[Document]:
    last = uow.transfer.last_sequence(name)
    policy = uow.retention.policy(name)
    if last or not policy.says_nothing:
        standing = uow.checkpoints.standing(name)
        opening = str(standing.opening) if standing and standing.opening else None
        data: JsonObject = {
            "workflow_id": name,
            "last_sequence": last,
            "opening": opening,
            "retention_days": float(policy.days) if policy.days is not None else None,
            "retention_count": policy.count,
        }
        yield Document(Kind.WORKFLOW, data)
    lease = uow.leases.get(name)
    if lease is not None:
        yield Document(Kind.LEASE, _lease(lease))
    for attempt in uow.attempts.all(name):
        yield Document(Kind.ATTEMPT, _attempt(attempt))


def _require_parent(checkpoint: Checkpoint, uow: UnitOfWork) -> None:
    parent = checkpoint.parent_id
    if parent is None:
        return
    try:
        uow.checkpoints.get(parent)
    except NotFound:
        raise ChainBroken(checkpoint.id, parent) from None


def _checkpoint(
    checkpoint: Checkpoint, payload: Payload, created: DomainEvent, codec: Codec
) -> JsonObject:
    data: JsonObject = {
        "number": created.number,
        "id": str(checkpoint.id),
        "type": checkpoint.type.value,
        "status": checkpoint.status.value,
        "name": checkpoint.name,
        "kind": checkpoint.kind,
        "created_at": time_text(checkpoint.created_at),
        "updated_at": time_text(checkpoint.updated_at),
        "parent_id": _text(checkpoint.parent_id),
        "depends_on": [str(each) for each in checkpoint.depends_on],
        "resume_handler": checkpoint.resume_handler,
        "retry_count": checkpoint.retry_count,
        "max_retries": checkpoint.max_retries,
        "written_in": created.epoch,
        "epoch": checkpoint.epoch,
        "error": _error(checkpoint.error),
        "reason": checkpoint.reason,
        "due_at": _time(checkpoint.due_at),
        "schema_version": checkpoint.schema_version,
        "metadata": dict(checkpoint.metadata),
    }
    for name in ("state", "patch", "input", "output"):
        text = getattr(payload, name)
        if text is not None:
            data[name] = codec.decode(text)
    return data


def _event(event: DomainEvent) -> JsonObject:
    return {
        "number": event.number,
        "kind": event.kind.value,
        "workflow_id": event.workflow_id,
        "at": time_text(event.at),
        "checkpoint_id": _text(event.checkpoint_id),
        "epoch": event.epoch,
        "correlation_id": event.correlation_id,
        "detail": dict(event.detail),
    }


def _lease(lease: Lease) -> JsonObject:
    return {
        "resource": lease.resource,
        "epoch": lease.epoch,
        "token": lease.token,
        "owner": _owner(lease.owner),
        "duration": float(lease.duration),
        "taken_at": time_text(lease.taken_at),
        "renewed": {
            "wall": time_text(lease.renewed.wall),
            "boot_id": lease.renewed.boot_id,
            "uptime_ns": lease.renewed.uptime_ns,
        },
        "stop_asked_at": _time(lease.stop_asked_at),
    }


def _attempt(attempt: Attempt) -> JsonObject:
    return {
        "workflow_id": attempt.workflow_id,
        "number": attempt.number,
        "epoch": attempt.epoch,
        "handler": attempt.handler,
        "owner": _owner(attempt.owner),
        "correlation_id": attempt.correlation_id,
        "begun_at": time_text(attempt.begun_at),
        "begun_after": attempt.begun_after,
        "target": _text(attempt.target),
        "ended_at": _time(attempt.ended_at),
        "outcome": attempt.outcome.value if attempt.outcome else None,
        "error": _error(attempt.error),
        "output_tail": attempt.output_tail,
    }


def _owner(owner: Owner) -> JsonObject:
    return {
        "host": owner.host,
        "boot_id": owner.boot_id,
        "pid_namespace": owner.pid_namespace,
        "pid": owner.pid,
        "started": owner.started,
    }


def _error(error: ErrorRecord | None) -> JsonValue:
    if error is None:
        return None
    return {"type": error.type, "message": error.message, "traceback": error.traceback}


def _text(value: object) -> str | None:
    return str(value) if value is not None else None


def _time(at: datetime | None) -> str | None:
    return time_text(at) if at is not None else None
