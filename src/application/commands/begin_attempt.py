"""Take a workflow's lease and begin an attempt under it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from ...domain.attempt import Attempt, Outcome
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_type import CheckpointType
from ...domain.events import EventKind
from ...domain.json_value import JsonValue
from ...domain.lease import Credentials, Lease, Standing
from ...domain.ports import UnitOfWork
from ...domain.recoverability import FATAL, Obstacle, ObstacleKind
from ...domain.retention import OwnRetention
from ...domain.scope import Scope
from ...domain.workflow_summary import WorkflowStanding
from ..admission import admit
from ..environment import Environment
from ..restart import start_from
from ..scopes import kill_scopes
from ..scribe import Entry, Scribe
from ..situation import Situation, last_sign_of, look_at
from ..verdict import kill_exhausted
from .cancel_workflow import CANCELLED


@dataclass(frozen=True, slots=True)
class FallBack:
    """Start again from an older checkpoint, because what came after it is damaged.

    Attributes:
        damaged: the head as it was found; should it have moved since, nothing is begun.
        intact: where to start again.
    """

    damaged: CheckpointId
    intact: CheckpointId


@dataclass(frozen=True, slots=True)
class BeginAttempt:
    """Take the lease, validate again, open the workflow or take it over, begin an attempt.

    Attributes:
        entry: the opening that is written when the workflow has none; its input and state count
            only then.
        handler: what carries the workflow on; ``None`` for a block of code.
        duration: of the lease, in seconds.
        force: pass over a living lease, over back-off and over used-up retries.
        heeds_back_off: whether back-off stands in the way.
        scope: whose handler it is, where that is not the workflow's: it must be unfinished.
        retention: what the workflow says of it from now on, where it says something.
    """

    entry: Entry
    handler: str | None
    correlation_id: str
    duration: float
    force: bool = False
    heeds_back_off: bool = True
    target: CheckpointId | None = None
    fall_back: FallBack | None = None
    scope: Scope | None = None
    retention: OwnRetention = field(default_factory=OwnRetention)


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that has begun: everything that follows is written with its credentials."""

    attempt: Attempt
    credentials: Credentials
    opening: Checkpoint
    head: CheckpointId


@dataclass(frozen=True, slots=True)
class Obstructed:
    """Nothing was begun, for all these reasons.

    Attributes:
        killed_because: where the workflow was killed instead, the reason that is recorded.
        waits: what it waits for, and ``due_at``, until when at the most.
    """

    obstacles: tuple[Obstacle, ...]
    held_by: Lease | None
    killed_because: str | None = None
    waits: tuple[str, ...] = ()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Nothing was begun: the head is not the one that was found damaged. Plan again."""


def begin_attempt(
    command: BeginAttempt, *, uow: UnitOfWork, env: Environment
) -> Begun | Obstructed | Moved:
    """Handle `BeginAttempt`, as one change.

    Where the only thing in the way is that retries are used up, or that its last owner ended before
    it could heed that it was asked to stop, the workflow is killed.
    """
    workflow = command.entry.scope.workflow_id
    found = look_at(workflow, uow, env)
    where = uow.checkpoints.standing(workflow)
    if command.fall_back is not None and (where is None or where.head != command.fall_back.damaged):
        return Moved()
    obstacles = _in_the_way(command, found, env) + _finished_target(command, where, uow)
    if obstacles:
        killed_because = None
        if all(each.kind in FATAL for each in obstacles):
            killed_because = _kill(workflow, found, uow, env)
        held_by = found.lease if found.is_held else None
        due_at = found.opening.due_at if found.opening else None
        return Obstructed(tuple(obstacles), held_by, killed_because, found.waits, due_at)
    lease = _take_lease(command, found, uow, env)
    scribe = Scribe(uow, workflow, lease.epoch, lease.taken_at, command.correlation_id)
    _log_taking(scribe, found, lease)
    opening = _open_or_take_over(command, found, scribe)
    if command.fall_back is not None:
        _fall_back(command.fall_back, scribe)
    if not command.retention.says_nothing:
        uow.retention.set_policy(workflow, command.retention)
    attempt = _begin(command, found, lease, scribe)
    head = scribe.head or opening.id
    return Begun(attempt, lease.credentials, opening, head)


def _in_the_way(command: BeginAttempt, found: Situation, env: Environment) -> list[Obstacle]:
    obstacles = found.obstacles(env)
    if not command.heeds_back_off:
        obstacles = [each for each in obstacles if each.kind is not ObstacleKind.NOT_DUE]
    return [each for each in obstacles if not (command.force and each.yields_to_force)]


def _finished_target(
    command: BeginAttempt, where: WorkflowStanding | None, uow: UnitOfWork
) -> list[Obstacle]:
    """Return what is in the way where the handler's scope, or a record, is finished."""
    if where is None:
        return []
    scope = command.scope or command.entry.scope
    if scope.kind == "workflow" and where.opening is not None:
        return []  # its opening tells
    last = uow.checkpoints.scope_last(scope, where.head)
    if last is None or not last.type.closes:
        return []
    return [Obstacle(ObstacleKind.COMPLETED, f"{scope} is completed ({last.id})")]


def _kill(workflow: str, found: Situation, uow: UnitOfWork, env: Environment) -> str | None:
    """Kill a workflow that nobody is to carry on; return the reason that is recorded."""
    # Its lease is ended with it: its last owner may wake up, and must not write its end anew.
    epoch = admit(workflow, None, uow=uow, env=env)
    scribe = Scribe(uow, workflow, epoch, env.clock.moment().wall)
    _end_last(found, scribe, Outcome.DIED)
    if found.opening is None:
        return None
    if found.is_cancel_asked:
        kill_scopes(scribe, CANCELLED, found.opening.scope)
        return CANCELLED
    error = found.last.error if found.last else None
    return kill_exhausted(scribe, found.opening, error, env)


def _take_lease(
    command: BeginAttempt, found: Situation, uow: UnitOfWork, env: Environment
) -> Lease:
    now = env.clock.moment()
    lease = Lease(
        resource=command.entry.scope.workflow_id,
        epoch=found.epoch + 1,
        token=env.randomness.token(),
        owner=env.host.owner(),
        duration=command.duration,
        taken_at=now.wall,
        renewed=now,
    )
    uow.leases.put(lease)
    return lease


def _log_taking(scribe: Scribe, found: Situation, lease: Lease) -> None:
    if found.opening is not None and found.opening.status.is_in_flight:
        why = "it was fenced" if found.is_held else _why_stale(found.standing)
        scribe.note(EventKind.FOUND_STALE, found.opening.id, because=why)
    scribe.note(EventKind.LEASE_TAKEN, owner=str(lease.owner))


def _why_stale(standing: Standing | None) -> str:
    return "it was never under a lease" if standing is None else f"its lease: {standing}"


def _open_or_take_over(command: BeginAttempt, found: Situation, scribe: Scribe) -> Checkpoint:
    _end_last(found, scribe, Outcome.DIED if found.death else Outcome.FENCED)
    opening = found.opening
    if opening is None:
        return scribe.write(command.entry)
    if found.death is not None:
        opening.retry_count = found.death.retry_count
    if opening.resume_handler is None:
        opening.resume_handler = command.entry.resume_handler
    opening.due_at = None
    opening.take_over(scribe.epoch, scribe.at)
    scribe.save(opening)
    return opening


def _end_last(found: Situation, scribe: Scribe, outcome: Outcome) -> None:
    if found.last is None or found.last.outcome is not None:
        return
    ended_at = scribe.at
    if outcome is Outcome.DIED:
        # Not now, when that is found: it did nothing in between.
        ended_at = min(ended_at, last_sign_of(found.last, found, scribe.uow))
    scribe.uow.attempts.put(replace(found.last, ended_at=ended_at, outcome=outcome))


def _fall_back(to: FallBack, scribe: Scribe) -> None:
    # As of the epoch before: the run takes over what is reopened as it comes to it.
    start_from(scribe, to.intact, epoch=scribe.epoch - 1)
    # A checkpoint of its own, so that the damaged ones are not in the chain from here on.
    note: dict[str, JsonValue] = {"fell_back_from": str(to.damaged)}
    entry = Entry(to.intact.scope.workflow, CheckpointType.PROGRESS, metadata=note)
    fallen = scribe.write(entry)
    scribe.note(EventKind.FELL_BACK, fallen.id, damaged=str(to.damaged), intact=str(to.intact))


def _begin(command: BeginAttempt, found: Situation, lease: Lease, scribe: Scribe) -> Attempt:
    attempt = Attempt(
        workflow_id=lease.resource,
        number=found.last.number + 1 if found.last else 1,
        epoch=lease.epoch,
        handler=command.handler,
        owner=lease.owner,
        correlation_id=command.correlation_id,
        begun_at=lease.taken_at,
        begun_after=scribe.head.sequence if scribe.head else 0,
        target=command.target,
    )
    scribe.uow.attempts.put(attempt)
    scribe.note(
        EventKind.ATTEMPT_BEGUN, command.target, attempt=attempt.number, handler=command.handler
    )
    return attempt
