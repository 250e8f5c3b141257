"""Writes checkpoints of one workflow within one transaction, one after the other in its chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..domain.checkpoint import DEFAULT_MAX_RETRIES, Checkpoint
from ..domain.checkpoint_id import CheckpointId
from ..domain.checkpoint_status import CheckpointStatus
from ..domain.checkpoint_type import CheckpointType
from ..domain.error_record import ErrorRecord
from ..domain.errors import IllegalTransition
from ..domain.events import DomainEvent, EventKind
from ..domain.json_value import JsonValue
from ..domain.lease import Credentials
from ..domain.payload import EMPTY, Payload
from ..domain.ports import UnitOfWork
from ..domain.scope import Scope
from ..domain.workflow_summary import WorkflowStanding
from .admission import admit
from .environment import Environment


@dataclass(frozen=True, slots=True)
class Entry:
    """What a caller wants to be written; the scribe adds sequence, time, parent and epoch."""

    scope: Scope
    type: CheckpointType
    payload: Payload = EMPTY
    name: str | None = None
    kind: str | None = None
    resume_handler: str | None = None
    depends_on: tuple[CheckpointId, ...] = ()
    max_retries: int = DEFAULT_MAX_RETRIES
    metadata: dict[str, JsonValue] = field(default_factory=dict)


class Scribe:
    """Appends to one workflow's chain under one epoch.

    Attributes:
        head: what the next checkpoint's parent will be.
        standing: where the workflow stood when the transaction began; ``None`` for a new one.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        workflow_id: str,
        epoch: int,
        at: datetime,
        correlation_id: str | None = None,
    ) -> None:
        self.uow = uow
        self.workflow_id = workflow_id
        self.epoch = epoch
        self.at = at
        self.correlation_id = correlation_id
        self.standing: WorkflowStanding | None = uow.checkpoints.standing(workflow_id)
        self.head: CheckpointId | None = self.standing.head if self.standing else None

    @classmethod
    def admitted(
        cls,
        workflow_id: str,
        credentials: Credentials | None,
        *,
        uow: UnitOfWork,
        env: Environment,
    ) -> Scribe:
        """Return a scribe for a writer that may write; raises `Fenced` or `LeaseHeld`."""
        epoch = admit(workflow_id, credentials, uow=uow, env=env)
        return cls(uow, workflow_id, epoch, env.clock.moment().wall)

    def require_unfinished(self) -> None:
        """Raise `IllegalTransition` when the workflow is completed or killed."""
        standing = self.standing
        if standing is None or standing.status is None or not standing.status.is_final:
            return
        advice = (
            "name an older parent or fork it to start again"
            if standing.status is CheckpointStatus.COMPLETED
            else "open it anew with engine.retry or `holdfast retry`"
        )
        raise IllegalTransition(self.workflow_id, standing.status, "written to", advice)

    def write(
        self,
        entry: Entry,
        *,
        status: CheckpointStatus | None = None,
        error: ErrorRecord | None = None,
    ) -> Checkpoint:
        """Add a checkpoint after the head and make it the head."""
        sequence = self.uow.sequences.next(self.workflow_id)
        checkpoint = Checkpoint(
            id=CheckpointId.of(entry.scope, sequence),
            type=entry.type,
            status=status or _first_status(entry.type),
            created_at=self.at,
            updated_at=self.at,
            parent_id=self.head,
            name=entry.name,
            kind=entry.kind,
            depends_on=entry.depends_on,
            resume_handler=entry.resume_handler,
            max_retries=entry.max_retries,
            epoch=self.epoch,
            error=error,
            metadata=entry.metadata,
        )
        self.uow.checkpoints.add(checkpoint, entry.payload)
        self.head = checkpoint.id
        return checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep what changed on a checkpoint that is there, and log the facts of it."""
        self.uow.checkpoints.update(checkpoint)
        for event in checkpoint.release_events():
            self._append(event)

    def note(
        self, kind: EventKind, checkpoint_id: CheckpointId | None = None, **detail: JsonValue
    ) -> None:
        """Log a fact that no checkpoint's change tells."""
        self._append(
            DomainEvent(kind, self.workflow_id, self.at, checkpoint_id, self.epoch, detail=detail)
        )

    def _append(self, event: DomainEvent) -> None:
        if self.correlation_id is not None:
            event = DomainEvent(
                event.kind,
                event.workflow_id,
                event.at,
                event.checkpoint_id,
                event.epoch,
                self.correlation_id,
                event.detail,
            )
        self.uow.events.append(event)


def _first_status(type_: CheckpointType) -> CheckpointStatus:
    if type_.opens:
        return CheckpointStatus.ACTIVE
    if type_ is CheckpointType.ERROR_STATE:
        return CheckpointStatus.FAILED
    return CheckpointStatus.COMPLETED
