"""How domain objects become rows, and rows domain objects; and the digests that guard them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.error_record import ErrorRecord
from ...domain.errors import CheckpointCorrupted, InvalidId
from ...domain.lease import Lease, Owner
from ...domain.moment import from_microseconds, to_microseconds
from ...domain.scope import Scope

# Half of SHA-256: damage is to be found, not an adversary who can write to the file anyway. Most
# processors have instructions for it.
_DIGEST_SIZE = 16


class CheckpointRow(NamedTuple):
    """A row of ``checkpoints`` without its body, column by column."""

    number: int
    workflow: int
    sequence: int
    stage_id: str | None
    agent_id: str | None
    type: str
    status: str
    name: str | None
    kind: str | None
    created_at: int
    updated_at: int
    parent: int | None
    parent_scope: str | None
    epoch: int
    taken_over: int | None
    resume_handler: str | None
    retry_count: int
    max_retries: int
    due_at: int | None
    reason: str | None
    error: str | None
    depends_on: str | None
    metadata: str | None
    schema_version: int
    keyframe: int | None
    since_rows: int
    since_bytes: int
    body_digest: bytes
    link: bytes
    seal: bytes


# What never changes of a row, whatever becomes of its scope or of the chain before it.
_fixed = itemgetter(
    *(
        CheckpointRow._fields.index(name)
        for name in (
            "sequence",
            "stage_id",
            "agent_id",
            "type",
            "name",
            "kind",
            "created_at",
            "parent",
            "parent_scope",
            "epoch",
            "max_retries",
            "depends_on",
            "metadata",
            "schema_version",
            "body_digest",
        )
    )
)


_row_of = CheckpointRow._make


class Parent(NamedTuple):
    """A checkpoint as far as the next one after it needs to know it."""

    id: CheckpointId
    link: bytes
    keyframe: int | None
    since_rows: int
    since_bytes: int

    @classmethod
    def of(cls, row: CheckpointRow, workflow_id: str) -> Parent:
        """Return what the row says."""
        identity = id_of(row, workflow_id)
        return cls(identity, row.link, row.keyframe, row.since_rows, row.since_bytes)


def digest(content: bytes) -> bytes:
    """Return the digest of bytes as they are stored."""
    return sha256(content).digest()[:_DIGEST_SIZE]


def seal_of(values: Sequence[Any]) -> bytes:
    """Return the digest of a row's columns other than the seal itself, in their order."""
    try:
        text = orjson.dumps(values, default=bytes.hex)
    except TypeError:  # damage: an integer beyond 64 bits cannot be there, nor text that is none
        return b""
    return digest(text)


def link_of(parent_link: bytes, workflow_id: str, row: Sequence[Any]) -> bytes:
    """Return the digest that ties a row to its parent: of what never changes of it.

    Args:
        row: its columns, as far as they come before the link.
    """
    return digest(parent_link + seal_of((workflow_id, *_fixed(row))))


def new_row(
    checkpoint: Checkpoint, number: int, workflow: int, body: bytes | None, parent: Parent | None
) -> CheckpointRow:
    """Return the row of a new checkpoint, without a keyframe of its own."""
    identity = checkpoint.id
    parent_id = checkpoint.parent_id
    created_at = to_microseconds(checkpoint.created_at)
    columns = (
        number,
        workflow,
        identity.sequence,
        identity.stage_id,
        identity.agent_id,
        checkpoint.type.value,
        checkpoint.status.value,
        checkpoint.name,
        checkpoint.kind,
        created_at,
        created_at
        if checkpoint.updated_at is checkpoint.created_at
        else to_microseconds(checkpoint.updated_at),
        parent_id.sequence if parent_id is not None else None,
        parent_id.scope.key if parent_id is not None and parent_id.stage_id is not None else None,
        checkpoint.epoch,
        None,
        checkpoint.resume_handler,
        checkpoint.retry_count,
        checkpoint.max_retries,
        to_microseconds(checkpoint.due_at) if checkpoint.due_at else None,
        checkpoint.reason,
        error_text(checkpoint.error) if checkpoint.error is not None else None,
        _dependencies_text(checkpoint.depends_on) if checkpoint.depends_on else None,
        orjson.dumps(checkpoint.metadata).decode() if checkpoint.metadata else None,
        checkpoint.schema_version,
        parent.keyframe if parent else None,
        parent.since_rows + 1 if parent else 1,
        (parent.since_bytes if parent else 0) + len(body or b""),
        digest(body or b""),
    )
    link = link_of(parent.link if parent else b"", identity.workflow_id, columns)
    linked = (*columns, link)
    return _row_of((*linked, seal_of(linked)))


def row_with_keyframe(row: CheckpointRow) -> CheckpointRow:
    """Return the row as one that has a keyframe of its own."""
    row = row._replace(keyframe=row.number, since_rows=0, since_bytes=0)
    return row._replace(seal=seal_of(row[:-1]))


def changed_row(row: CheckpointRow, checkpoint: Checkpoint) -> CheckpointRow:
    """Return the row with what can change of a checkpoint."""
    changed = row._replace(
        status=checkpoint.status.value,
        updated_at=to_microseconds(checkpoint.updated_at),
        taken_over=checkpoint.epoch if checkpoint.epoch != row.epoch else None,
        resume_handler=checkpoint.resume_handler,
        retry_count=checkpoint.retry_count,
        due_at=to_microseconds(checkpoint.due_at) if checkpoint.due_at else None,
        reason=checkpoint.reason,
        error=error_text(checkpoint.error),
    )
    return changed._replace(seal=seal_of(changed[:-1]))


def to_checkpoint(row: CheckpointRow, workflow_id: str) -> Checkpoint:
    """Return the checkpoint that a row, found intact, holds."""
    return Checkpoint(
        id=id_of(row, workflow_id),
        type=CheckpointType(row.type),
        status=CheckpointStatus(row.status),
        created_at=from_microseconds(row.created_at),
        updated_at=from_microseconds(row.updated_at),
        parent_id=parent_of(row, workflow_id),
        name=row.name,
        kind=row.kind,
        depends_on=_dependencies(row.depends_on),
        resume_handler=row.resume_handler,
        retry_count=row.retry_count,
        max_retries=row.max_retries,
        epoch=row.taken_over or row.epoch,
        error=error_of(row.error),
        reason=row.reason,
        due_at=from_microseconds(row.due_at) if row.due_at is not None else None,
        schema_version=row.schema_version,
        metadata=orjson.loads(row.metadata) if row.metadata else {},
    )


def intact_row(
    found: Sequence[Any], workflow_id: str, wanted: CheckpointId | None = None
) -> CheckpointRow:
    """Return a row as it was read; raises `CheckpointCorrupted` when it is not what was written.

    The error names *wanted* where that was asked for, else the id that the row claims to have.
    """
    row = CheckpointRow._make(found)
    if seal_of(found[:-1]) != row.seal:
        subject = wanted or claimed_id(row, workflow_id)
        raise CheckpointCorrupted(subject, "its seal does not match")
    return row


class RowName:
    """The id of a row's checkpoint, as text, made when somebody wants to read it."""

    __slots__ = ("_row", "_workflow_id")

    def __init__(self, row: CheckpointRow, workflow_id: str) -> None:
        self._row = row
        self._workflow_id = workflow_id

    def __str__(self) -> str:
        return str(claimed_id(self._row, self._workflow_id))


def claimed_id(row: CheckpointRow, workflow_id: str) -> object:
    """Return the id that a row claims to have, if what it claims can be one."""
    try:
        return id_of(row, workflow_id)
    except InvalidId:
        return f"checkpoint {row.sequence} of {Scope(workflow_id)}"


def id_of(row: CheckpointRow, workflow_id: str) -> CheckpointId:
    """Return the id of a row's checkpoint."""
    return CheckpointId(workflow_id, row.stage_id, row.agent_id, row.sequence)


def parent_of(row: CheckpointRow, workflow_id: str) -> CheckpointId | None:
    """Return the id of the parent of a row's checkpoint."""
    if row.parent is None:
        return None
    scope = Scope.within(workflow_id, row.parent_scope or "")
    return CheckpointId.of(scope, row.parent)


def error_text(error: ErrorRecord | None) -> str | None:
    """Return an error record as it stands in a column."""
    if error is None:
        return None
    return orjson.dumps([error.type, error.message, error.traceback]).decode()


def error_of(text: str | None) -> ErrorRecord | None:
    """Return the error record that `error_text` wrote."""
    return ErrorRecord(*orjson.loads(text)) if text is not None else None


def owner_text(owner: Owner) -> str:
    """Return an owner as it stands in a column."""
    return orjson.dumps(
        [owner.host, owner.boot_id, owner.pid_namespace, owner.pid, owner.started]
    ).decode()


def owner_of(text: str) -> Owner:
    """Return the owner that `owner_text` wrote."""
    return Owner(*orjson.loads(text))


def lease_columns(lease: Lease) -> tuple[Any, ...]:
    """Return the columns of a lease's row as far as they come before its seal."""
    return (
        lease.resource,
        lease.epoch,
        lease.token,
        owner_text(lease.owner),
        float(lease.duration),
        to_microseconds(lease.taken_at),
        to_microseconds(lease.renewed.wall),
        lease.renewed.boot_id,
        lease.renewed.uptime_ns,
        to_microseconds(lease.stop_asked_at) if lease.stop_asked_at else None,
    )


def _dependencies_text(ids: tuple[CheckpointId, ...]) -> str:
    return orjson.dumps([str(each) for each in ids]).decode()


def _dependencies(text: str | None) -> tuple[CheckpointId, ...]:
    return tuple(map(CheckpointId.parse, orjson.loads(text))) if text is not None else ()
