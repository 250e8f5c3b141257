"""What a failed execution means for its workflow: another try after a while, or the end."""

from __future__ import annotations

from datetime import timedelta

from ..domain.checkpoint import Checkpoint
from ..domain.checkpoint_status import CheckpointStatus
from ..domain.error_record import ErrorRecord
from ..domain.ports import UnitOfWork
from ..domain.recoverability import retries_used_up
from ..domain.retry import Reckoning, delay, reckon
from ..domain.scope import Scope
from .environment import Environment
from .scopes import kill_scopes, opening_of, require_unfinished_scope
from .scribe import Entry, Scribe


def reckon_with(opening: Checkpoint, uow: UnitOfWork, env: Environment) -> Reckoning:
    """Return the count of retries after the execution that has just ended badly, or died."""
    last = uow.attempts.last(opening.id.workflow_id)
    # Without an attempt what failed was told by hand, and began with the opening itself.
    since = last.begun_after if last else opening.id.sequence
    return reckon(
        opening.retry_count,
        opening.max_retries,
        progressed=uow.checkpoints.progressed_since(opening.id.workflow_id, since),
        attempts=last.number if last else 1,
        max_attempts=env.max_attempts,
    )


def fail_scope(scribe: Scribe, entry: Entry, error: ErrorRecord, env: Environment) -> Checkpoint:
    """Record that the work of *entry*'s scope raised *error*; return the failing checkpoint.

    For a workflow this is an execution that failed: its opening is due again after back-off, or
    every unfinished scope is killed because its retries are used up.

    Raises:
        IllegalTransition: the scope is not in flight.
    """
    opening = opening_of(scribe, entry.scope)
    if opening is None:
        require_unfinished_scope(scribe, entry.scope, CheckpointStatus.FAILED)
    failing = scribe.write(entry, error=error)
    if opening is None:
        return failing
    # Before the failure shows on the opening: it is no execution's progress.
    reckoning = reckon_with(opening, scribe.uow, env) if entry.scope.kind == "workflow" else None
    opening.fail(error, scribe.at)
    if reckoning is not None:
        opening.retry_count = reckoning.retry_count
        pause = delay(
            reckoning.retry_count,
            base=env.back_off.base,
            cap=env.back_off.cap,
            jitter=env.randomness.draw(),
        )
        opening.due_at = scribe.at + timedelta(seconds=pause)
    scribe.save(opening)
    if reckoning is not None and reckoning.exhausted:
        kill_exhausted(scribe, opening, error, env)
    return failing


def kill_exhausted(
    scribe: Scribe, opening: Checkpoint, error: ErrorRecord | None, env: Environment
) -> str:
    """Kill every unfinished scope of a workflow whose retries are used up; return the reason."""
    last = scribe.uow.attempts.last(scribe.workflow_id)
    reason = retries_used_up(last.number if last else 1, opening.max_retries, env.max_attempts)
    if error is not None:
        reason = f"{reason}; the last error: {error.summary}"
    kill_scopes(scribe, reason, Scope(scribe.workflow_id))
    return reason
