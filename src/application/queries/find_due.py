"""Find what can be carried on now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.errors import Damaged
from ...domain.ports import HandlerRegistry, UnitOfWork
from ...domain.recoverability import FATAL, Obstacle, is_backing_off, is_due, obstacle_of_handler
from ...domain.staleness import DEFAULT_THRESHOLD, stale_because
from ..environment import Environment
from ..situation import Situation, look_at


@dataclass(frozen=True, slots=True)
class FindDue:
    """Find what can be carried on now: stale, failed and due, answered or waited out.

    Attributes:
        threshold: how long a workflow that never had a lease may be silent.
        besides: workflows that are not looked at.
    """

    registry: HandlerRegistry
    threshold: timedelta = DEFAULT_THRESHOLD
    besides: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DueWorkflow:
    """A workflow that can be carried on now, or that would be but for what stands in the way."""

    workflow_id: str
    handler: str | None
    obstacles: tuple[Obstacle, ...]


@dataclass(slots=True)
class Due:
    """What was found.

    Attributes:
        ready: what can be carried on, or is to be closed as killed.
        blocked: what nobody carries on, and cannot be carried on by this program.
        damaged: the workflows that could not be read, and why.
    """

    ready: list[DueWorkflow] = field(default_factory=list)
    blocked: list[DueWorkflow] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)


def find_due(query: FindDue, *, uow: UnitOfWork, env: Environment) -> Due:
    """Handle `FindDue`; takes no lock, and reads an index over unfinished workflows alone."""
    due = Due()

    def note(damage: Damaged) -> None:
        due.damaged[getattr(damage, "subject", str(damage))] = str(damage)

    for opening in uow.checkpoints.unfinished_workflows(on_damage=note):
        workflow = opening.id.workflow_id
        if workflow in query.besides:
            continue
        try:
            found = _examine(opening, query, uow, env)
        except Damaged as damage:
            due.damaged[workflow] = str(damage)
            continue
        if found is None:
            continue
        fatal = all(each.kind in FATAL for each in found.obstacles)
        (due.ready if fatal else due.blocked).append(found)
    return due


def _examine(
    opening: Checkpoint, query: FindDue, uow: UnitOfWork, env: Environment
) -> DueWorkflow | None:
    now = env.clock.moment().wall
    if opening.status is CheckpointStatus.WAITING and not is_due(opening, now):
        return None
    longest_pause = timedelta(seconds=env.back_off.cap)
    if opening.status is CheckpointStatus.FAILED and is_backing_off(opening, now, longest_pause):
        return None
    found = look_at(opening.id.workflow_id, uow, env)
    if found.is_held or (opening.status.is_in_flight and not _is_abandoned(found, query, uow, env)):
        return None
    if opening.resume_handler is None and found.lease is None:
        return None  # a record: carried on only when somebody names a handler
    no_handler = obstacle_of_handler(opening.resume_handler, query.registry.names())
    obstacles = (*found.obstacles(env), *([no_handler] if no_handler else []))
    return DueWorkflow(opening.id.workflow_id, opening.resume_handler, obstacles)


def _is_abandoned(found: Situation, query: FindDue, uow: UnitOfWork, env: Environment) -> bool:
    if found.opening is None:
        return False
    signs = [found.opening.updated_at]
    standing = uow.checkpoints.standing(found.opening.id.workflow_id)
    if standing is not None:
        signs.append(uow.checkpoints.get(standing.head).created_at)
    now = env.clock.moment().wall
    return stale_because(found.standing, max(signs), now, query.threshold) is not None
