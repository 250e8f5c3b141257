"""The whole of a store as documents, in an order of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.error_record import ErrorRecord
from ...domain.errors import InvalidId, NotFound
from ...domain.events import DomainEvent, EventKind
from ...domain.gone import joined
from ...domain.json_value import JsonObject, JsonValue
from ...domain.lease import Lease, Owner
from ...domain.payload import Payload
from ...domain.ports import Codec, UnitOfWork
from ...domain.replay import Replay
from ...domain.retention import PURGE_RESOURCE
from ...domain.scope import Scope
from ...domain.scope_record import ScopeRecord
from .document import Document, Kind
from .members import days_value, time_text

_PAGE = 500


def documents(uow: UnitOfWork, codec: Codec) -> Iterator[Document]:
    """Iterate over the documents of a store, in flat memory.

    First checkpoints and events by number, then what is kept of each name, sorted: its workflow,
    its lease, its attempts. Equal stores give equal documents.

    Raises:
        Damaged: something is not what was written; nothing damaged is handed on.
        ChainBroken: an ancestor that a checkpoint needs for its context is missing.
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
                payload = uow.checkpoints.payload(event.checkpoint_id)
                data = _checkpoint(checkpoint, payload, event, codec)
                if checkpoint.parent_id is not None and not _is_kept(checkpoint.parent_id, uow):
                    data["base"] = _base(uow.checkpoints.replay(checkpoint.id))
                yield Document(Kind.CHECKPOINT, data, payload.size)
            else:
                yield Document(Kind.EVENT, _event(event))
        number = page[-1].number


def _kept_of(name: str, uow: UnitOfWork) -> Iterator[Document]:
    if _names_workflow(name):
        yield from _workflow(name, uow)
    lease = uow.leases.get(name)
    if lease is not None:
        yield Document(Kind.LEASE, _lease(lease))
    for attempt in uow.attempts.all(name):
        yield Document(Kind.ATTEMPT, _attempt(attempt))


def _names_workflow(name: str) -> bool:
    """Leases are also taken of what no workflow can be called, a purge for example."""
    with suppress(InvalidId):
        return bool(Scope(name))
    return False


def _workflow(name: str, uow: UnitOfWork) -> Iterator[Document]:
    last = uow.transfer.last_sequence(name)
    policy = uow.retention.policy(name)
    gone = joined(uow.transfer.purges(name))
    if not last and not gone and policy.says_nothing:
        return
    standing = uow.checkpoints.standing(name)
    data: JsonObject = {
        "workflow_id": name,
        "last_sequence": last,
        "opening": str(standing.opening) if standing and standing.opening else None,
        "retention_days": days_value(policy.days),
        "retention_count": policy.count,
        "purged": [[each.first, each.last, time_text(each.at)] for each in gone],
    }
    yield Document(Kind.WORKFLOW, data)


def _is_kept(checkpoint_id: CheckpointId, uow: UnitOfWork) -> bool:
    try:
        uow.checkpoints.get(checkpoint_id)
    except NotFound:
        return False
    return True


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


def _base(replay: Replay) -> list[JsonValue]:
    """Return what a chain adds up to, scope by scope, in the order that the replay has."""
    return [_scope(scope, record) for scope, record in replay.scopes.items()]


def _scope(scope: Scope, record: ScopeRecord) -> JsonObject:
    return {
        "stage_id": scope.stage_id,
        "agent_id": scope.agent_id,
        "state": record.state,
        "title": record.title,
        "kind": record.kind,
        "handler": record.handler,
        "input": record.input,
        "output": record.output,
        "opening": record.opening.sequence if record.opening else None,
        "since": _time(record.since),
        "until": _time(record.until),
        "is_open": record.is_open,
        "is_finished": record.is_finished,
    }


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
