"""A workflow at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .checkpoint_id import CheckpointId
from .checkpoint_status import CheckpointStatus


@dataclass(frozen=True, slots=True)
class WorkflowStanding:
    """Where a workflow stands, as far as a writer must know.

    Attributes:
        head: its newest checkpoint.
        opening: the checkpoint that opened it last; ``None`` for a record.
        status: the status of that opening; ``None`` for a record.
        handler: the resume handler that its opening names.
    """

    head: CheckpointId
    opening: CheckpointId | None
    status: CheckpointStatus | None
    handler: str | None


@dataclass(frozen=True, slots=True)
class WorkflowSummary:
    """A workflow at a glance.

    Attributes:
        status: ``None`` for a record, that is, a workflow whose checkpoints name no handler and
            open nothing.
        checkpoints: how many of its checkpoints are kept.
        updated_at: when its newest checkpoint was written, or its last heartbeat.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     saved = engine.checkpoint("nightly", resume_handler="rebuild")
    ...     (found,) = engine.workflows()
    >>> found.workflow_id, str(found.status), found.checkpoints
    ('nightly', 'active', 2)
    """

    workflow_id: str
    name: str | None
    status: CheckpointStatus | None
    handler: str | None
    head: CheckpointId
    checkpoints: int
    retry_count: int
    max_retries: int
    epoch: int
    created_at: datetime
    updated_at: datetime
