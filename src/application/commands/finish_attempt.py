"""Record how an attempt ended, and give its lease up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...domain.attempt import Outcome
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.error_record import ErrorRecord
from ...domain.events import EventKind
from ...domain.lease import Credentials
from ...domain.payload import EMPTY, Payload
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..admission import admit
from ..environment import Environment
from ..scopes import close_scope, closing_entry, end_of, error_entry, kill_scopes, opening_of
from ..scribe import Scribe
from ..verdict import fail_scope
from ..waits import open_waits, resumable_at
from .cancel_workflow import CANCELLED


@dataclass(frozen=True, slots=True)
class FinishAttempt:
    """Record how an attempt ended, and give its lease up, as one change.

    Attributes:
        scope: what a handler that returned has completed.
        payload: its output.
        error: of an attempt that failed.
        output_tail: the end of what the handler's own process printed.
    """

    scope: Scope
    credentials: Credentials
    correlation_id: str
    outcome: Outcome
    payload: Payload = EMPTY
    error: ErrorRecord | None = None
    output_tail: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """What an attempt came to.

    Attributes:
        outcome: as recorded; a handler that returned from a workflow that it failed has failed.
        checkpoint: the closing or failing checkpoint, where one was written.
        abandoned: the scopes that were open and are killed.
        opening: the workflow's opening as it is now.
    """

    outcome: Outcome
    checkpoint: Checkpoint | None
    abandoned: tuple[Scope, ...]
    opening: Checkpoint | None


def finish_attempt(command: FinishAttempt, *, uow: UnitOfWork, env: Environment) -> Finished:
    """Handle `FinishAttempt`; raises `Fenced` when the lease is no longer the attempt's."""
    workflow = command.scope.workflow_id
    epoch = admit(workflow, command.credentials, uow=uow, env=env, heeds_cancel=False)
    scribe = Scribe(uow, workflow, epoch, env.clock.moment().wall, command.correlation_id)
    lease = uow.leases.get(workflow)
    if lease is not None and lease.stop_asked_at is not None and command.error is not None:
        # Whatever it raised: it was asked to stop, and has.
        command = replace(command, outcome=Outcome.CANCELLED, error=None)
    finished = _settle(command, scribe, env)
    last = uow.attempts.last(workflow)
    if last is not None:
        ended = replace(
            last,
            ended_at=scribe.at,
            outcome=finished.outcome,
            error=command.error,
            output_tail=command.output_tail,
        )
        uow.attempts.put(ended)
    if lease is not None:
        uow.leases.put(lease.end())
    return finished


def _settle(command: FinishAttempt, scribe: Scribe, env: Environment) -> Finished:
    workflow = command.scope.workflow
    opening = opening_of(scribe, workflow)
    if opening is None or not opening.status.is_in_flight:
        return _settled_by_handler(command, scribe, opening)
    if command.outcome is Outcome.COMPLETED:
        return _complete(command, scribe)
    if command.outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.DIED):
        return _fail(command, scribe, env)
    if command.outcome is Outcome.CANCELLED:
        abandoned = kill_scopes(scribe, CANCELLED, workflow)
        return Finished(command.outcome, None, tuple(abandoned), opening)
    if command.outcome is Outcome.WAITING:
        waits = open_waits(scribe.workflow_id, scribe.uow)
        opening.wait(resumable_at(waits), scribe.at)
        scribe.save(opening)
    return Finished(command.outcome, None, (), opening)


def _complete(command: FinishAttempt, scribe: Scribe) -> Finished:
    last = scribe.uow.attempts.last(scribe.workflow_id)
    who = last.handler if last and last.handler else "the run"
    entry = closing_entry(command.scope, command.payload)
    end = end_of(scribe, command.scope)
    if end is not None and opening_of(scribe, command.scope) is None:
        closing, abandoned = end, list[Scope]()  # the handler closed it itself
    else:
        _take_over_unless_in_flight(command.scope, scribe)
        closing, abandoned = close_scope(scribe, entry, abandon=f"left open by {who}")
    opening = opening_of(scribe, command.scope.workflow)
    if opening is not None and opening.retry_count:
        opening.retry_count = 0
        scribe.save(opening)
    return Finished(Outcome.COMPLETED, closing, tuple(abandoned), opening)


def _take_over_unless_in_flight(scope: Scope, scribe: Scribe) -> None:
    """A stage that had failed is done after all, now that the handler carried it on."""
    opening = opening_of(scribe, scope)
    if opening is not None and not opening.status.is_in_flight:
        opening.take_over(scribe.epoch, scribe.at)
        scribe.save(opening)


def _fail(command: FinishAttempt, scribe: Scribe, env: Environment) -> Finished:
    error = command.error or ErrorRecord("Error", "")
    workflow = command.scope.workflow
    inner = opening_of(scribe, command.scope) if command.scope != workflow else None
    if inner is not None and inner.status.is_in_flight:
        fail_scope(scribe, error_entry(command.scope), error, env)
    failing = fail_scope(scribe, error_entry(workflow), error, env)
    if command.outcome is Outcome.TIMED_OUT:
        scribe.note(EventKind.TIMED_OUT, failing.id, error=error.summary)
    return Finished(command.outcome, failing, (), opening_of(scribe, workflow))


def _settled_by_handler(
    command: FinishAttempt, scribe: Scribe, opening: Checkpoint | None
) -> Finished:
    """The handler itself completed, failed or killed the workflow: its word counts."""
    if opening is not None and opening.status is CheckpointStatus.FAILED:
        outcome = command.outcome if command.error else Outcome.FAILED
        return Finished(outcome, None, (), opening)
    end = end_of(scribe, command.scope.workflow)
    return Finished(command.outcome, end, (), opening)
