"""The checkpoint: a durable point in a workflow's history that recovery can stand on."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from .advice import OPEN_ANEW, START_AGAIN
from .checkpoint_id import CheckpointId
from .checkpoint_status import CheckpointStatus
from .checkpoint_type import CheckpointType
from .error_record import ErrorRecord
from .errors import IllegalTransition
from .events import DomainEvent, EventKind
from .json_value import JsonObject, JsonValue
from .scope import Scope
from .snapshots import AgentStateSnapshot, StageStateSnapshot, WorkflowStateSnapshot
from .staleness import DEFAULT_THRESHOLD

SCHEMA_VERSION = 1
DEFAULT_MAX_RETRIES = 3

# What can change of a checkpoint once it is stored; everything else is as first written.
CHANGEABLE = (
    "status",
    "updated_at",
    "epoch",
    "resume_handler",
    "retry_count",
    "due_at",
    "reason",
    "error",
)

_ADVICE = {
    CheckpointStatus.COMPLETED: f"it is done; {START_AGAIN}",
    CheckpointStatus.KILLED: OPEN_ANEW,
}


class Contents(Protocol):
    """What a checkpoint holds and adds up to: read from the store when asked for."""

    # What each of them is stands with `Checkpoint`.
    @property
    def input(self) -> JsonValue: ...  # noqa: D102
    @property
    def output(self) -> JsonValue: ...  # noqa: D102
    @property
    def state(self) -> JsonObject: ...  # noqa: D102
    @property
    def workflow(self) -> WorkflowStateSnapshot: ...  # noqa: D102
    @property
    def stage(self) -> StageStateSnapshot | None: ...  # noqa: D102
    @property
    def agent(self) -> AgentStateSnapshot | None: ...  # noqa: D102


@dataclass(slots=True, eq=False)
class Checkpoint:
    """A durable point in a workflow's history.

    Attributes:
        status: of an opening checkpoint, also the state of the scope that it opened.
        name: what a progress or a barrier is known by; the title of an opened scope.
        updated_at: when its status last changed; of a workflow's opening, also its heartbeat.
        parent_id: the checkpoint before it in the chain.
        depends_on: checkpoints of the same workflow whose results it builds on: lineage, not
            part of the replay.
        retry_count: retries without progress; counted on the workflow's opening.
        epoch: the workflow's epoch under which it was written, or last taken over.
        due_at: not to be carried on before that time.
        reason: why it was killed.
        kind: of a stage's opening, its kind; of an agent's, its family.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     saved = engine.checkpoint("nightly", name="loaded", state={"rows": 3})
    ...     print(saved.id, saved.type, saved.status, saved.name, saved.state)
    nightly@1 progress completed loaded {'rows': 3}
    """

    id: CheckpointId
    type: CheckpointType
    status: CheckpointStatus
    created_at: datetime
    updated_at: datetime
    parent_id: CheckpointId | None = None
    name: str | None = None
    kind: str | None = None
    depends_on: tuple[CheckpointId, ...] = ()
    resume_handler: str | None = None
    retry_count: int = 0
    max_retries: int = DEFAULT_MAX_RETRIES
    epoch: int = 0
    error: ErrorRecord | None = None
    reason: str | None = None
    due_at: datetime | None = None
    schema_version: int = SCHEMA_VERSION
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
    _contents: Contents | None = None
    _events: list[DomainEvent] = field(default_factory=list)

    # What it holds, read from the store when asked for.

    @property
    def state(self) -> JsonObject:
        """The state of its own scope as of this checkpoint."""
        return self._read().state

    @property
    def input(self) -> JsonValue:
        """What the scope was given, as recorded with this checkpoint."""
        return self._read().input

    @property
    def output(self) -> JsonValue:
        """What the scope gave, as recorded with this checkpoint."""
        return self._read().output

    @property
    def workflow(self) -> WorkflowStateSnapshot:
        """The workflow as of this checkpoint."""
        return self._read().workflow

    @property
    def stage(self) -> StageStateSnapshot | None:
        """The checkpoint's stage as of this checkpoint, where it has one."""
        return self._read().stage

    @property
    def agent(self) -> AgentStateSnapshot | None:
        """The checkpoint's agent as of this checkpoint, where it has one."""
        return self._read().agent

    @property
    def scope(self) -> Scope:
        """The workflow, stage or agent that it is about."""
        return self.id.scope

    def is_stale(self, now: datetime, threshold: timedelta = DEFAULT_THRESHOLD) -> bool:
        """Whether it is in flight and has been silent for longer than *threshold*."""
        return self.status.is_in_flight and now - self.updated_at > threshold

    # Changes: each goes through the transition table and leaves a fact behind.

    def complete(self, at: datetime) -> None:
        """Record that the work of the scope that it opened is done."""
        self._move_to(CheckpointStatus.COMPLETED, at)
        self.due_at = None
        self._record(EventKind.COMPLETED, at)

    def fail(self, error: ErrorRecord, at: datetime) -> None:
        """Record that the work of the scope that it opened raised *error*."""
        self._move_to(CheckpointStatus.FAILED, at)
        self.error = error
        self._record(EventKind.FAILED, at, error=error.summary)

    def kill(self, reason: str, at: datetime) -> None:
        """Record that nobody will finish the work of the scope that it opened."""
        self._move_to(CheckpointStatus.KILLED, at)
        self.reason = reason
        self.due_at = None
        self._record(EventKind.KILLED, at, reason=reason)

    def wait(self, until: datetime | None, at: datetime) -> None:
        """Record that the scope that it opened waits for an answer, *until* then at the most."""
        self._move_to(CheckpointStatus.WAITING, at)
        self.due_at = until
        self._record(EventKind.WAITING, at, until=until.isoformat() if until else None)

    def take_over(self, epoch: int, at: datetime) -> None:
        """Record that the owner of *epoch* carries the work on; epochs only grow."""
        if epoch < self.epoch:
            raise ValueError(f"epoch {epoch} cannot take {self.id} over from epoch {self.epoch}")
        self._move_to(CheckpointStatus.RECOVERING, at)
        self.epoch = epoch
        self._record(EventKind.RESUMED, at)

    def touch(self, at: datetime) -> None:
        """Record a sign of life; time does not run backwards for it."""
        self.updated_at = max(self.updated_at, at)

    def attach(self, contents: Contents) -> Checkpoint:
        """Say where what it holds is to be read from; return the checkpoint itself."""
        self._contents = contents
        return self

    def copy(self) -> Checkpoint:
        """Return one that can be changed by itself, without the facts not yet released."""
        return replace(self, metadata=deepcopy(dict(self.metadata)), _events=[])

    def release_events(self) -> tuple[DomainEvent, ...]:
        """Hand the facts of the changes so far to whoever stores them, once."""
        released = tuple(self._events)
        self._events.clear()
        return released

    def _move_to(self, status: CheckpointStatus, at: datetime) -> None:
        if not self.status.may_become(status):
            raise IllegalTransition(self.id, self.status, status, _ADVICE.get(self.status, ""))
        self.status = status
        self.touch(at)

    def _record(self, kind: EventKind, at: datetime, **detail: JsonValue) -> None:
        event = DomainEvent(kind, self.id.workflow_id, at, self.id, self.epoch, detail=detail)
        self._events.append(event)

    def _read(self) -> Contents:
        if self._contents is None:
            raise RuntimeError(f"{self.id} was not read from a store and has no contents yet")
        return self._contents

    def __repr__(self) -> str:
        return f"<Checkpoint {self.id} {self.type.value} {self.status.value}>"
