"""What a recovery would do, and everything that stands in its way: its first four phases."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.advice import NOTHING_TO_DO
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.errors import CheckpointCorrupted, Damaged
from ...domain.lease import Lease, Standing
from ...domain.ports import HandlerRegistry, UnitOfWork
from ...domain.recoverability import FATAL, Obstacle, ObstacleKind, obstacle_of_handler
from ...domain.replay import Replay
from ...domain.scope import Scope
from ..environment import Environment
from ..situation import look_at
from .get_checkpoint import GetCheckpoint, get_checkpoint, require_workflow


@dataclass(frozen=True, slots=True)
class PlanRecovery:
    """Go through the phases load, validate, rebuild and resolve.

    Attributes:
        target: a workflow, or a checkpoint of it: whose handler runs.
        handler: an override.
        strict: raise on damage instead of falling back to the newest intact ancestor.
        force: pass over a living lease, over back-off and over used-up retries.
    """

    target: CheckpointId | Scope
    registry: HandlerRegistry
    handler: str | None = None
    strict: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """What a recovery would do.

    Attributes:
        target: what was named.
        scope: whose handler it is, and what becomes completed when it returns.
        checkpoint_id: where the context is rebuilt.
        fell_back_from: the head, where it or an ancestor of it is damaged.
        damage: what is damaged.
        obstacles: why nothing would be run; empty when it would.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     saved = engine.checkpoint("nightly", resume_handler="rebuild")
    ...     plan = engine.recover("nightly", explain=True)
    >>> plan.handler, [each.kind.value for each in plan.obstacles]
    ('rebuild', ['unknown_handler'])
    """

    workflow_id: str
    target: CheckpointId | Scope
    scope: Scope
    handler: str | None
    status: CheckpointStatus | None
    checkpoint_id: CheckpointId
    replay: Replay
    fell_back_from: CheckpointId | None
    damage: str | None
    lease: Lease | None
    standing: Standing | None
    attempts: int
    retry_count: int
    max_retries: int
    obstacles: tuple[Obstacle, ...]

    @property
    def would_kill(self) -> bool:
        """Whether it would be closed as killed: nothing else is in the way."""
        return bool(self.obstacles) and all(each.kind in FATAL for each in self.obstacles)

    @property
    def verdict(self) -> str:
        """What would happen, and why, in a sentence."""
        if not self.obstacles:
            where = f", falling back from {self.fell_back_from}" if self.fell_back_from else ""
            return f"would resume {self.scope} with handler {self.handler!r}{where}"
        subject = Scope(self.workflow_id)
        act = f"kill {subject}" if self.would_kill else f"not resume {subject}"
        return f"would {act}: {'; '.join(map(str, self.obstacles))}"

    @property
    def target_scope(self) -> Scope:
        """The scope of what was named."""
        return self.target if isinstance(self.target, Scope) else self.target.scope

    @property
    def open_scopes(self) -> tuple[Scope, ...]:
        """What was opened and not closed, in the order of opening."""
        return tuple(scope for scope, _ in self.replay.open_scopes())


def plan_recovery(query: PlanRecovery, *, uow: UnitOfWork, env: Environment) -> RecoveryPlan:
    """Handle `PlanRecovery`; nothing is changed.

    Raises:
        NotFound: no such checkpoint or workflow; with near names.
        Damaged: there is damage, and *strict*, or no intact ancestor.
    """
    workflow = query.target.workflow_id
    head, replay, damage = _load(query, uow, env)
    scope, handler = _resolve(query, replay)
    found = look_at(workflow, uow, env)
    obstacles = found.obstacles(env)
    told_by_opening = scope.kind == "workflow" and found.opening is not None
    if replay.record(scope).is_finished and not told_by_opening:
        obstacles.append(Obstacle(ObstacleKind.COMPLETED, f"{scope} is completed; {NOTHING_TO_DO}"))
    no_handler = obstacle_of_handler(handler, query.registry.names())
    if no_handler is not None:
        obstacles.append(no_handler)
    # What is done needs no handler: nothing else is worth saying of it.
    done = [each for each in obstacles if each.kind is ObstacleKind.COMPLETED]
    obstacles = done or obstacles
    return RecoveryPlan(
        workflow_id=workflow,
        target=query.target,
        scope=scope,
        handler=handler,
        status=found.opening.status if found.opening else None,
        checkpoint_id=replay.head or head,
        replay=replay,
        fell_back_from=head if damage else None,
        damage=str(damage) if damage else None,
        lease=found.lease,
        standing=found.standing,
        attempts=found.last.number if found.last else 0,
        retry_count=found.opening.retry_count if found.opening else 0,
        max_retries=found.opening.max_retries if found.opening else 0,
        obstacles=tuple(each for each in obstacles if not (query.force and each.yields_to_force)),
    )


def _load(
    query: PlanRecovery, uow: UnitOfWork, env: Environment
) -> tuple[CheckpointId, Replay, Damaged | None]:
    """Return the head, what the chain adds up to, and the damage that was passed over."""
    target = query.target
    if isinstance(target, CheckpointId):
        _load_target(target, query.strict, uow, env)
    head = require_workflow(target.workflow_id, uow).head
    try:
        return head, uow.checkpoints.replay(head), None
    except Damaged as damage:
        intact = None if query.strict else uow.checkpoints.newest_intact(head)
        if intact is None:
            raise
        return head, uow.checkpoints.replay(intact), damage


def _load_target(
    target: CheckpointId, strict: bool, uow: UnitOfWork, env: Environment
) -> Checkpoint | None:
    try:
        return get_checkpoint(GetCheckpoint(target), uow=uow, env=env)
    except CheckpointCorrupted:
        # Its scope, all that is needed of it, is in its name.
        if strict:
            raise
        return None


def _resolve(query: PlanRecovery, replay: Replay) -> tuple[Scope, str | None]:
    """Return whose handler runs: by scope, never along the chain."""
    target = query.target if isinstance(query.target, Scope) else query.target.scope
    if query.handler is not None:
        return target, query.handler
    for scope in target.lineage:
        handler = replay.record(scope).handler
        if handler is not None:
            return scope, handler
    return target.workflow, None
