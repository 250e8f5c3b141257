"""Writes checkpoints of one workflow within one transaction, one after the other in its chain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from ..domain.advice import OPEN_ANEW, START_AGAIN
from ..domain.checkpoint import DEFAULT_MAX_RETRIES, Checkpoint
from ..domain.checkpoint_id import CheckpointId
from ..domain.checkpoint_status import CheckpointStatus
from ..domain.checkpoint_type import CheckpointType
from ..domain.error_record import ErrorRecord
from ..domain.errors import IllegalTransition, InvalidRequest
from ..domain.events import DomainEvent, EventKind
from ..domain.json_value import JsonValue
from ..domain.lease import Credentials
from ..domain.name_part import check_part
from ..domain.payload import EMPTY, Payload
from ..domain.ports import UnitOfWork
from ..domain.scope import Scope
from ..domain.wording import shorten
from ..domain.workflow_summary import WorkflowStanding
from .admission import admit
from .environment import Environment

_MOST_RETRIES = 1_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What a caller wants to be written; the scribe adds sequence, time, parent and epoch.

    Raises:
        InvalidId: name or handler cannot be one: what they may be is what a part of an id may be.
        InvalidRequest: the number of retries cannot be one.
    """

    scope: Scope
    type: CheckpointType
    payload: Payload = EMPTY
    name: str | None = None
    kind: str | None = None
    resume_handler: str | None = None
    depends_on: tuple[CheckpointId, ...] = ()
    max_retries: int = DEFAULT_MAX_RETRIES
    metadata: dict[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name is not None:
            check_part("name", self.name)
        if self.resume_handler is not None:
            check_part("resume_handler", self.resume_handler)
        if type(self.max_retries) is not int or not 0 <= self.max_retries <= _MOST_RETRIES:
            raise InvalidRequest(
                f"max_retries of {self.scope} is {shorten(self.max_retries)}; give a number from 0 "
                f"to {_MOST_RETRIES:,}"
            )


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
        *,
        in_attempt: bool = False,
    ) -> None:
        self.uow = uow
        self.workflow_id = workflow_id
        self.epoch = epoch
        self.at = at
        self.correlation_id = correlation_id
        self._in_attempt = in_attempt or correlation_id is not None
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
        at = env.clock.moment().wall
        return cls(uow, workflow_id, epoch, at, in_attempt=credentials is not None)

    def require_unfinished(self, wanted: str = "written to", *, or_completed: bool = False) -> None:
        """Raise `IllegalTransition` when the workflow is completed or killed."""
        standing = self.standing
        if standing is None or standing.status is None or not standing.status.is_final:
            return
        if or_completed and standing.status is CheckpointStatus.COMPLETED:
            return
        done = standing.status is CheckpointStatus.COMPLETED
        advice = START_AGAIN if done else OPEN_ANEW
        if wanted == CheckpointStatus.KILLED:
            advice = "there is nothing to stop"
        raise IllegalTransition(Scope(self.workflow_id), standing.status, wanted, advice)

    def refresh(self) -> None:
        """Look again where the workflow stands."""
        self.standing = self.uow.checkpoints.standing(self.workflow_id)

    def write(
        self,
        entry: Entry,
        *,
        status: CheckpointStatus | None = None,
        error: ErrorRecord | None = None,
        epoch: int | None = None,
    ) -> Checkpoint:
        """Add a checkpoint after the head and make it the head.

        Args:
            epoch: that it counts as written under; the scribe's own unless given.
        """
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
            epoch=self.epoch if epoch is None else epoch,
            error=error,
            metadata=entry.metadata,
        )
        self.uow.checkpoints.add(checkpoint, entry.payload)
        self.head = checkpoint.id
        if entry.type is CheckpointType.WORKFLOW_START:
            self._forget_stop()
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

    def _forget_stop(self) -> None:
        """A workflow that is opened anew was not asked to stop, whatever an earlier owner was."""
        lease = self.uow.leases.get(self.workflow_id)
        if lease is not None and lease.stop_asked_at is not None:
            self.uow.leases.put(replace(lease, stop_asked_at=None))

    def _append(self, event: DomainEvent) -> None:
        if self._in_attempt and self.correlation_id is None:
            last = self.uow.attempts.last(self.workflow_id)
            self.correlation_id = last.correlation_id if last else None
        self.uow.events.append(replace(event, correlation_id=self.correlation_id))


def _first_status(type_: CheckpointType) -> CheckpointStatus:
    if type_.opens:
        return CheckpointStatus.ACTIVE
    if type_ is CheckpointType.ERROR_STATE:
        return CheckpointStatus.FAILED
    return CheckpointStatus.COMPLETED
