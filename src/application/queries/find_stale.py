"""Find what is supposedly in flight, and nobody is carrying on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.errors import Damaged
from ...domain.lease import Lease, Owner, Standing
from ...domain.ports import HandlerRegistry, OnDamage, UnitOfWork
from ...domain.recoverability import Obstacle, is_due, obstacle_of_handler
from ...domain.scope import Scope
from ...domain.staleness import DEFAULT_THRESHOLD, StaleBecause, stale_because
from ..environment import Environment
from ..situation import look_at


@dataclass(frozen=True, slots=True)
class FindStale:
    """Find the stale workflows.

    Attributes:
        threshold: how long a workflow that never had a lease may be silent.
    """

    registry: HandlerRegistry
    threshold: timedelta = DEFAULT_THRESHOLD
    on_damage: OnDamage | None = None


@dataclass(frozen=True, slots=True)
class StaleWorkflow:
    """A workflow that is supposedly in flight, and nobody is carrying on.

    Attributes:
        since: its last sign of life.
        owner: who had it; ``None`` when it never was under a lease.
        because: why it counts as stale.
        open_scopes: what is open, in the order of opening.
        handler: which handler would carry it on.
        obstacles: whatever stands in the way.

    >>> from datetime import timedelta
    >>> from holdfast.testing import ManualClock, fresh_engine
    >>> clock = ManualClock()
    >>> with fresh_engine(clock=clock) as engine:
    ...     saved = engine.checkpoint("nightly", resume_handler="rebuild")
    ...     clock.advance(timedelta(hours=1))
    ...     (found,) = engine.stale()
    >>> found.workflow_id, found.handler
    ('nightly', 'rebuild')
    """

    workflow_id: str
    status: CheckpointStatus
    since: datetime
    owner: Owner | None
    epoch: int
    because: StaleBecause
    open_scopes: tuple[Scope, ...]
    handler: str | None
    obstacles: tuple[Obstacle, ...]


def find_stale(query: FindStale, *, uow: UnitOfWork, env: Environment) -> list[StaleWorkflow]:
    """Handle `FindStale`; the one that is silent for longest comes first."""
    openings = uow.checkpoints.unfinished_workflows(on_damage=query.on_damage)
    found = (_examined(opening, query, uow, env) for opening in openings)
    return sorted((each for each in found if each is not None), key=lambda each: each.since)


def _examined(
    opening: Checkpoint, query: FindStale, uow: UnitOfWork, env: Environment
) -> StaleWorkflow | None:
    try:
        return _examine(opening, query, uow, env)
    except Damaged as damage:
        if query.on_damage is None:
            raise
        query.on_damage(damage)
        return None


def _examine(
    opening: Checkpoint, query: FindStale, uow: UnitOfWork, env: Environment
) -> StaleWorkflow | None:
    workflow = opening.id.workflow_id
    found = look_at(workflow, uow, env)
    if opening.resume_handler is None and found.lease is None:
        return None  # a record: carried on only when somebody names a handler
    since = _last_sign(opening, found.lease, uow)
    now = env.clock.moment().wall
    because = _because(opening, found.standing, since, now, query.threshold)
    if because is None:
        return None
    no_handler = obstacle_of_handler(opening.resume_handler, query.registry.names())
    return StaleWorkflow(
        workflow_id=workflow,
        status=opening.status,
        since=since,
        owner=found.lease.owner if found.lease else None,
        epoch=found.epoch,
        because=because,
        open_scopes=tuple(each.scope for each in uow.checkpoints.unfinished(workflow)),
        handler=opening.resume_handler,
        obstacles=(*found.obstacles(env), *([no_handler] if no_handler else [])),
    )


def _because(
    opening: Checkpoint,
    standing: Standing | None,
    since: datetime,
    now: datetime,
    threshold: timedelta,
) -> StaleBecause | None:
    if opening.status is CheckpointStatus.WAITING:
        return StaleBecause.WAIT_IS_OVER if is_due(opening, now) else None
    if not opening.status.is_in_flight:
        return None  # failed: due again by itself
    return stale_because(standing, since, now, threshold)


def _last_sign(opening: Checkpoint, lease: Lease | None, uow: UnitOfWork) -> datetime:
    signs = [opening.updated_at]
    standing = uow.checkpoints.standing(opening.id.workflow_id)
    if standing is not None:
        signs.append(uow.checkpoints.get(standing.head).created_at)
    if lease is not None:
        signs.append(lease.renewed.wall)
    return max(signs)
