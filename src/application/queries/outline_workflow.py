"""A workflow with its stages and agents: what each is, since when and until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.error_record import ErrorRecord
from ...domain.ports import CheckpointFilter, UnitOfWork
from ...domain.scope import Scope
from ..environment import Environment
from .get_checkpoint import require_workflow

Span: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class OutlineWorkflow:
    """Outline a workflow, with its stages and agents."""

    workflow_id: str


@dataclass(slots=True)
class ScopeOutline:
    """A workflow, a stage or an agent, with what is inside it, in the order of first mention.

    Attributes:
        status: of its newest opening; ``None`` where nothing opened it.
        opened: how often it was opened anew.
        epoch: that of its newest opening, or of the last taking over.
        idle: how much of the time between ``since`` and ``until`` nobody carried it on.
        checkpoints: how many of its own are kept.
        inside: stages of a workflow, agents of a stage.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     with engine.run("nightly") as run:
    ...         size = run.step("load", len, "abc")
    ...     outline = engine.outline("nightly")
    >>> str(outline.status), [(str(each.scope), str(each.status)) for each in outline.inside]
    ('completed', [('nightly/load', 'completed')])
    """

    scope: Scope
    status: CheckpointStatus | None = None
    kind: str | None = None
    opening: CheckpointId | None = None
    opened: int = 0
    since: datetime | None = None
    until: datetime | None = None
    idle: timedelta = timedelta()
    epoch: int = 0
    error: ErrorRecord | None = None
    reason: str | None = None
    checkpoints: int = 0
    inside: list[ScopeOutline] = field(default_factory=list)

    @property
    def worked(self) -> timedelta | None:
        """How long it was carried on until its end; ``None`` as long as it has none."""
        if self.since is None or self.until is None:
            return None
        return max(self.until - self.since - self.idle, timedelta())


def outline_workflow(
    query: OutlineWorkflow,
    *,
    uow: UnitOfWork,
    env: Environment,  # noqa: ARG001
) -> ScopeOutline:
    """Handle `OutlineWorkflow`; raises `NotFound` with near names."""
    require_workflow(query.workflow_id, uow)
    root = ScopeOutline(Scope(query.workflow_id))
    known = {root.scope: root}
    newest_first = uow.checkpoints.find(CheckpointFilter(query.workflow_id))
    for checkpoint in reversed(list(newest_first)):
        for scope in reversed(checkpoint.scope.lineage):
            if scope not in known:
                known[scope] = ScopeOutline(scope)
                known[scope.lineage[1]].inside.append(known[scope])
        _add(known[checkpoint.scope], checkpoint)
    pauses = _pauses(uow.attempts.all(query.workflow_id))
    for outline in known.values():
        if outline.since is not None and outline.until is not None:
            spans = (_overlap(each, (outline.since, outline.until)) for each in pauses)
            outline.idle = sum(spans, timedelta())
    return root


def _pauses(attempts: list[Attempt]) -> list[Span]:
    """Return the times between an attempt's end and the next one's beginning."""
    return [
        (earlier.ended_at, later.begun_at)
        for earlier, later in pairwise(attempts)
        if earlier.ended_at is not None
    ]


def _overlap(one: Span, other: Span) -> timedelta:
    return max(min(one[1], other[1]) - max(one[0], other[0]), timedelta())


def _add(outline: ScopeOutline, checkpoint: Checkpoint) -> None:
    outline.checkpoints += 1
    if checkpoint.type.opens:
        outline.status, outline.kind = checkpoint.status, checkpoint.kind
        outline.opening, outline.opened = checkpoint.id, outline.opened + 1
        outline.since, outline.until = checkpoint.created_at, None
        outline.epoch = checkpoint.epoch
        outline.error, outline.reason = checkpoint.error, checkpoint.reason
        if checkpoint.status is CheckpointStatus.KILLED:
            outline.until = checkpoint.updated_at
    elif checkpoint.type.closes:
        outline.status = checkpoint.status
        outline.until = checkpoint.created_at
