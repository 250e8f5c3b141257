"""A workflow over time: when what was open, who was at it, and what came between."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ...domain.attempt import Attempt, Outcome
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.lease import Standing
from ...domain.ports import CheckpointFilter, UnitOfWork
from ...domain.scope import Scope
from ..environment import Environment
from ..situation import look_at
from .get_checkpoint import require_workflow


@dataclass(frozen=True, slots=True)
class TraceWorkflow:
    """Trace a workflow from its first checkpoint on."""

    workflow_id: str


@dataclass(slots=True)
class Opened:
    """A scope from an opening to its end.

    Attributes:
        kind: of a stage, its kind; ``wait`` for a question.
        until: ``None`` as long as it is open.
        failures: when its work raised, and what; it may have been carried on since.
        why: the reason of a kill, or the error that it stands with.
    """

    since: datetime
    status: CheckpointStatus
    kind: str | None
    until: datetime | None = None
    failures: list[tuple[datetime, str]] = field(default_factory=list)
    why: str | None = None


@dataclass(slots=True)
class ScopeTrace:
    """A workflow, a stage or an agent over time.

    Attributes:
        facts: its named points, barriers among them, and when they were reached.
        inside: stages of a workflow, agents of a stage, in the order of first mention.
    """

    scope: Scope
    opened: list[Opened] = field(default_factory=list)
    facts: list[tuple[datetime, str]] = field(default_factory=list)
    inside: list[ScopeTrace] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TracedAttempt:
    """An attempt, and until when it gave signs of life.

    Attributes:
        died: its process is gone without a word, seen by a later attempt or not yet.
        until: the present for one that is under way.
    """

    attempt: Attempt
    until: datetime
    died: bool


@dataclass(frozen=True, slots=True)
class WorkflowTrace:
    """A workflow over time.

    Attributes:
        until: the last moment of which there is anything to tell; for a workflow that somebody is
            at, or that waits, the present.
    """

    root: ScopeTrace
    status: CheckpointStatus | None
    handler: str | None
    attempts: tuple[TracedAttempt, ...]
    since: datetime
    until: datetime


def trace_workflow(query: TraceWorkflow, *, uow: UnitOfWork, env: Environment) -> WorkflowTrace:
    """Handle `TraceWorkflow`; raises `NotFound` with near names."""
    require_workflow(query.workflow_id, uow)
    root = ScopeTrace(Scope(query.workflow_id))
    known = {root.scope: root}
    written: list[datetime] = []
    opening: Checkpoint | None = None
    for checkpoint in reversed(list(uow.checkpoints.find(CheckpointFilter(query.workflow_id)))):
        written.append(checkpoint.created_at)
        if checkpoint.type is CheckpointType.WORKFLOW_START:
            opening = checkpoint
        for scope in reversed(checkpoint.scope.lineage):
            if scope not in known:
                known[scope] = ScopeTrace(scope)
                known[scope.lineage[1]].inside.append(known[scope])
        _note(known[checkpoint.scope], checkpoint)
    now = env.clock.moment().wall
    situation = look_at(query.workflow_id, uow, env)
    signs = [*written, *([situation.lease.renewed.wall] if situation.lease else [])]
    status = opening.status if opening else None
    is_held = situation.standing is Standing.HELD
    last = now if is_held or status is CheckpointStatus.WAITING else max(signs)
    attempts = _traced(uow.attempts.all(query.workflow_id), max(signs), now if is_held else None)
    return WorkflowTrace(
        root,
        status,
        opening.resume_handler if opening else None,
        tuple(attempts),
        min([*written, *(each.attempt.begun_at for each in attempts)]),
        max([last, *(each.until for each in attempts)]),
    )


def _traced(
    attempts: list[Attempt], last_sign: datetime, now: datetime | None
) -> list[TracedAttempt]:
    return [
        TracedAttempt(
            each,
            each.ended_at or now or max(last_sign, each.begun_at),
            each.outcome is Outcome.DIED or (each.outcome is None and now is None),
        )
        for each in attempts
    ]


def _note(trace: ScopeTrace, checkpoint: Checkpoint) -> None:
    at = checkpoint.created_at
    if checkpoint.type.opens:
        error = checkpoint.error.summary if checkpoint.error else None
        opened = Opened(at, checkpoint.status, checkpoint.kind, why=checkpoint.reason or error)
        if checkpoint.status is CheckpointStatus.KILLED:
            opened.until = checkpoint.updated_at
        trace.opened.append(opened)
    elif checkpoint.type.closes and trace.opened:
        trace.opened[-1].until = at
    elif checkpoint.type is CheckpointType.ERROR_STATE and trace.opened:
        told = checkpoint.error.summary if checkpoint.error else "failed"
        trace.opened[-1].failures.append((at, told))
        if trace.opened[-1].status is CheckpointStatus.FAILED:
            trace.opened[-1].until = at
    else:
        trace.facts.append((at, checkpoint.name or checkpoint.type.value))
