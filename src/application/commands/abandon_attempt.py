"""Give up an attempt of which it is not known whether it was begun, or whether it has ended."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...domain.attempt import Outcome
from ...domain.ports import UnitOfWork
from ..environment import Environment


@dataclass(frozen=True, slots=True)
class AbandonAttempt:
    """Give up the attempt with that correlation id, if it was begun and has not ended."""

    workflow_id: str
    correlation_id: str
    outcome: Outcome = Outcome.GIVEN_UP


def abandon_attempt(command: AbandonAttempt, *, uow: UnitOfWork, env: Environment) -> None:
    """Handle `AbandonAttempt`: the workflow is free at once, and no retry is used up."""
    last = uow.attempts.last(command.workflow_id)
    lease = uow.leases.get(command.workflow_id)
    if last is None or last.correlation_id != command.correlation_id or last.outcome is not None:
        return
    ended_at = env.clock.moment().wall
    uow.attempts.put(replace(last, ended_at=ended_at, outcome=command.outcome))
    if lease is not None and lease.epoch == last.epoch:
        uow.leases.put(lease.end())
