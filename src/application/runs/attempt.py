"""A whole attempt: taking the lease, letting the handler run, recording the outcome."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.attempt import Outcome
from ...domain.error_record import ErrorRecord
from ...domain.errors import (
    Fenced,
    HoldfastError,
    NotRecoverable,
    StorageUnavailable,
    TimedOut,
)
from ...domain.json_value import JsonValue
from ...domain.payload import EMPTY, Payload
from ...domain.ports import Codec, HandlerSpec
from ...domain.replay import Replay
from ...domain.scope import Scope
from ..admission import held
from ..commands.begin_attempt import BeginAttempt, Begun, Obstructed, begin_attempt
from ..commands.finish_attempt import FinishAttempt, Finished, finish_attempt
from ..environment import Environment
from .flow import Carry, Execute, Flow, Read
from .lease_keeper import LeaseKeeper
from .session import LeaseTerms, Session


@dataclass(frozen=True, slots=True)
class AttemptKit:
    """What every attempt works with."""

    env: Environment
    codec: Codec
    keeper: LeaseKeeper


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: what was recorded, and what the handler returned or raised."""

    finished: Finished
    output: JsonValue
    error: Exception | None
    attempt: int


def begin(
    kit: AttemptKit,
    command: BeginAttempt,
    terms: LeaseTerms,
    scope: Scope,
    *,
    past: Replay | None = None,
    raise_held: bool = False,
) -> Flow[Session]:
    """Take the lease and begin an attempt; return its session, whose lease is kept from now on.

    Args:
        past: what the chain added up to, if it was rebuilt already and is still the present.
        raise_held: raise `LeaseHeld` rather than `NotRecoverable` when that is in the way.
    """
    begun: Begun | Obstructed = yield Execute(begin_attempt, command)
    if isinstance(begun, Obstructed):
        if raise_held and begun.held_by is not None:
            raise held(begun.held_by)
        raise NotRecoverable(str(scope.workflow), map(str, begun.obstacles))
    head = begun.head
    if past is None or past.head != head:
        past = yield Read(lambda uow: uow.checkpoints.replay(head))
    session = Session(begun.attempt, begun.credentials, scope, past, terms, kit.env)
    kit.keeper.watch(session)
    return session


def carry(
    kit: AttemptKit, session: Session, spec: HandlerSpec, timeout: float | None
) -> Flow[Ended]:
    """Let a handler carry the workflow on, and record how it ended.

    What the handler raised is in the result; what stopped the attempt from outside
    (`KeyboardInterrupt`, cancellation) gives the lease up and is raised.
    """
    try:
        value = yield Carry(spec, session, timeout)
        output = kit.codec.encode(value, f"result of {spec.name}")
        session.require_alive()
    except Exception as error:  # noqa: BLE001 - recorded, and handed to the caller in the result
        finished = yield from record_failure(kit, session, error)
        return Ended(finished, None, session.ended or error, session.attempt.number)
    except BaseException:
        yield from give_up(kit, session)
        raise
    finished = yield from record_success(kit, session, Payload(output=output))
    recorded = kit.codec.decode(output)
    return Ended(finished, recorded, None, session.attempt.number)


def record_success(kit: AttemptKit, session: Session, payload: Payload) -> Flow[Finished]:
    """Complete the session's scope and give its lease up."""
    return (yield from _finish(kit, session, Outcome.COMPLETED, payload))


def record_failure(kit: AttemptKit, session: Session, error: Exception) -> Flow[Finished]:
    """Record that the handler raised *error*, and give the lease up.

    Raises:
        Fenced: the lease was lost: the newer owner's word counts, nothing was recorded.
    """
    if isinstance(session.ended, TimedOut):
        # Recorded at that moment by whoever saw it.
        return Finished(Outcome.TIMED_OUT, None, (), None)
    if isinstance(session.ended, Fenced):
        kit.keeper.lose(session, session.ended)
        raise session.ended from error
    if isinstance(error, StorageUnavailable):
        yield from give_up(kit, session, Outcome.STORE_TROUBLE)
        raise error
    if not _is_own_limit(error, session):
        return (yield from _finish(kit, session, Outcome.FAILED, error=ErrorRecord.of(error)))
    finished = yield from _finish(kit, session, Outcome.TIMED_OUT, error=ErrorRecord.of(error))
    kit.keeper.lose(session, error)  # its code may still be running
    return finished


def _is_own_limit(error: Exception, session: Session) -> bool:
    """Whether the attempt itself ran out of time, and not a step of it."""
    return isinstance(error, TimedOut) and error.subject == str(session.workflow)


def give_up(kit: AttemptKit, session: Session, outcome: Outcome = Outcome.GIVEN_UP) -> Flow[None]:
    """Give the lease up and leave the workflow recoverable at once, no retry used up.

    Trouble in doing so is not raised: the lease then runs out by itself.
    """
    try:
        yield from _finish(kit, session, outcome)
    except HoldfastError as trouble:
        session.end(trouble)


def _finish(
    kit: AttemptKit,
    session: Session,
    outcome: Outcome,
    payload: Payload = EMPTY,
    error: ErrorRecord | None = None,
) -> Flow[Finished]:
    kit.keeper.forget(session)
    command = FinishAttempt(
        session.scope,
        session.credentials,
        session.attempt.correlation_id,
        outcome,
        payload,
        error,
    )
    return (yield from session.write(finish_attempt, command))
