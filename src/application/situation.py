"""How a workflow is found by whoever wants to carry it on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.attempt import Attempt
from ..domain.checkpoint import Checkpoint
from ..domain.checkpoint_status import CheckpointStatus
from ..domain.errors import Damaged
from ..domain.lease import Lease, Standing
from ..domain.ports import UnitOfWork
from ..domain.recoverability import Obstacle, obstacle_of_lease, obstacles_of_state
from ..domain.retry import Reckoning
from .admission import standing_of
from .environment import Environment
from .verdict import reckon_with
from .waits import open_waits


@dataclass(frozen=True, slots=True)
class Situation:
    """How a workflow is found.

    Attributes:
        lease: its last lease, and ``standing``, how that stands now.
        opening: the checkpoint that opened it last.
        last: its newest attempt.
        waits: the names of what it waits for.
        death: the count of retries, where the last attempt died; ``None`` where it did not, and
            where none was made: whoever opened it without a lease is not known to have tried.
    """

    lease: Lease | None
    standing: Standing | None
    opening: Checkpoint | None
    last: Attempt | None
    death: Reckoning | None
    waits: tuple[str, ...] = ()

    @property
    def is_cancel_asked(self) -> bool:
        """Whether whoever carried it on was asked to stop, and ended before it did."""
        in_flight = self.opening is not None and self.opening.status.is_in_flight
        asked = self.lease is not None and self.lease.stop_asked_at is not None
        return in_flight and asked and not self.is_held

    @property
    def is_held(self) -> bool:
        """Whether somebody carries it on."""
        return self.standing is Standing.HELD

    @property
    def attempts(self) -> int:
        """How many executions there were, each under a lease."""
        return self.last.number if self.last else 0

    @property
    def epoch(self) -> int:
        """The number of its last lease; 0 before the first."""
        return self.lease.epoch if self.lease else 0

    def obstacles(self, env: Environment) -> list[Obstacle]:
        """Return everything about it that stands in the way of carrying it on."""
        found = []
        if self.lease is not None and self.is_held:
            found.append(obstacle_of_lease(self.lease))
        if self.opening is not None:
            found += obstacles_of_state(
                self.opening,
                env.clock.moment().wall,
                exhausted=self.death is not None and self.death.exhausted,
                attempts=self.attempts,
                longest_pause=timedelta(seconds=env.back_off.cap),
                waits=self.waits,
                cancel_asked=self.is_cancel_asked,
                max_attempts=env.max_attempts,
            )
        return found


def last_sign_of(attempt: Attempt, found: Situation, uow: UnitOfWork) -> datetime:
    """Return when an attempt that nobody ended was last known to be alive."""
    signs = [attempt.begun_at]
    if found.lease is not None:
        signs.append(found.lease.renewed.wall)  # kept when others end the lease
    standing = uow.checkpoints.standing(attempt.workflow_id)
    if standing is not None:
        with suppress(Damaged):  # of what is damaged the time is not known either
            head = uow.checkpoints.get(standing.head)
            if head.epoch == attempt.epoch:
                signs.append(head.created_at)
    return max(signs)


def look_at(workflow_id: str, uow: UnitOfWork, env: Environment) -> Situation:
    """Return how the workflow is found now."""
    lease = uow.leases.get(workflow_id)
    where = uow.checkpoints.standing(workflow_id)
    opening = uow.checkpoints.get(where.opening) if where and where.opening else None
    last = uow.attempts.last(workflow_id)
    standing = standing_of(lease, env) if lease else None
    died = (
        opening is not None
        and opening.status.is_in_flight
        and standing is not Standing.HELD
        and last is not None
        and last.outcome is None
    )
    death = reckon_with(opening, uow, env) if died and opening is not None else None
    waits: tuple[str, ...] = ()
    if opening is not None and opening.status is CheckpointStatus.WAITING:
        waits = tuple(wait.name for wait in open_waits(workflow_id, uow))
    return Situation(lease, standing, opening, last, death, waits)
