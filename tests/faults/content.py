"""All that a store tells, as one digest: equal ones are of stores that no reader can tell apart."""

from __future__ import annotations

from hashlib import sha256

import orjson
from holdfast import Engine
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.ports import CheckpointFilter, UnitOfWork


def content_of(engine: Engine) -> str:
    """Return a digest of everything in an engine's store, contexts and counts included."""
    return engine._kernel.store.read(_content)


def _content(uow: UnitOfWork) -> str:
    told: list[object] = [uow.transfer.last_number()]
    told += [_checkpoint(each, uow) for each in uow.checkpoints.find(CheckpointFilter())]
    told += [repr(each) for each in uow.events.read(limit=10_000)]
    told += [_workflow(each, uow) for each in uow.transfer.names()]
    return sha256(orjson.dumps(told, default=str)).hexdigest()[:20]


def _checkpoint(checkpoint: Checkpoint, uow: UnitOfWork) -> object:
    payload = uow.checkpoints.payload(checkpoint.id)
    return [
        str(checkpoint.id),
        checkpoint.type,
        checkpoint.status,
        checkpoint.name,
        checkpoint.created_at,
        checkpoint.updated_at,
        str(checkpoint.parent_id),
        checkpoint.resume_handler,
        checkpoint.retry_count,
        checkpoint.epoch,
        checkpoint.reason,
        checkpoint.due_at,
        repr(checkpoint.error),
        sorted(checkpoint.metadata.items()),
        [str(each) for each in (payload.state, payload.patch, payload.input, payload.output)],
    ]


def _workflow(name: str, uow: UnitOfWork) -> object:
    if not name.isprintable():  # of the store itself, which has a lease and nothing else
        return [name, repr(uow.leases.get(name))]
    standing = uow.checkpoints.standing(name)
    head = standing.head if standing is not None else None
    return [
        name,
        repr(standing),
        uow.transfer.last_sequence(name),
        repr(uow.retention.policy(name)),
        uow.retention.purged_at(name),
        repr(uow.leases.get(name)),
        [repr(each) for each in uow.attempts.all(name)],
        [str(each.id) for each in uow.checkpoints.unfinished(name)],
        [
            [str(scope), str(record.state), record.is_open, str(record.output)]
            for scope, record in uow.checkpoints.replay(head).scopes.items()
        ]
        if head is not None
        else [],
    ]
