"""A whole attempt: taking the lease, letting the handler run, recording the outcome."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.advice import OPEN_ANEW
from ...domain.attempt import Outcome
from ...domain.error_record import ErrorRecord
from ...domain.errors import (
    Fenced,
    HandlerDied,
    HoldfastError,
    NotRecoverable,
    StorageUnavailable,
    TimedOut,
    Waiting,
)
from ...domain.json_value import JsonValue
from ...domain.payload import EMPTY, Payload
from ...domain.ports import Codec, HandlerSpec
from ...domain.replay import Replay
from ...domain.scope import Scope
from ..admission import held
from ..commands.abandon_attempt import AbandonAttempt, abandon_attempt
from ..commands.begin_attempt import BeginAttempt, Begun, Moved, Obstructed, begin_attempt
from ..commands.finish_attempt import FinishAttempt, Finished, finish_attempt
from ..environment import Environment
from .flow import Carry, Execute, Flow, Read
from .lease_keeper import LeaseKeeper
from .session import LeaseTerms, Session, store_trouble_in


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
    error: Exception | SystemExit | None
    attempt: int


class HeadMoved(Exception):
    """The head is not the one that was found damaged: plan again."""


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
    yield from settle_debts(kit, scope.workflow_id)
    try:
        begun: Begun | Obstructed | Moved = yield Execute(begin_attempt, command)
        if isinstance(begun, Begun) and (past is None or past.head != begun.head):
            head = begun.head
            past = yield Read(lambda uow: uow.checkpoints.replay(head))
    except BaseException:
        # Stopped in this moment: nobody would renew the lease, or give it up.
        abandon = AbandonAttempt(scope.workflow_id, command.correlation_id)
        try:
            yield Execute(abandon_attempt, abandon)
        except StorageUnavailable:
            kit.keeper.owe(abandon)
        except HoldfastError:
            pass
        raise
    if isinstance(begun, Moved):
        raise HeadMoved
    if isinstance(begun, Obstructed):
        if raise_held and begun.held_by is not None:
            raise held(begun.held_by)
        if begun.killed_because is not None:
            killed = str(scope.workflow)
            raise NotRecoverable(killed, [begun.killed_because], killed=True, advice=OPEN_ANEW)
        if raise_held and begun.waits:
            raise Waiting(str(scope.workflow), begun.waits[0], begun.due_at)
        raise NotRecoverable(str(scope.workflow), map(str, begun.obstacles))
    session = Session(begun.attempt, begun.credentials, scope, past or Replay(), terms, kit.env)
    kit.keeper.watch(session)
    return session


def settle_debts(kit: AttemptKit, workflow_id: str) -> Flow[None]:
    """Write down what could not be written of earlier attempts: nobody has their leases."""
    for debt in kit.keeper.debts.owed(workflow_id):
        yield Execute(abandon_attempt, debt)
        kit.keeper.debts.settle(debt)


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
        swallowed = session.wait_in(None)
        if swallowed is not None:
            raise swallowed  # the code went on, and has no answer all the same
    except (Exception, SystemExit) as error:  # noqa: BLE001
        # Blind: recorded, and handed to the caller in the result. A handler that calls sys.exit has
        # not returned; only being interrupted from outside gives the lease up.
        finished = yield from record_failure(kit, session, error)
        return Ended(finished, None, session.ended or error, session.attempt.number)
    except BaseException:
        yield from give_up(kit, session)
        raise
    finished = yield from record_success(kit, session, Payload(output=output))
    recorded = kit.codec.decode(output)
    return Ended(finished, recorded, None, session.attempt.number)


def record_return(kit: AttemptKit, session: Session) -> Flow[Finished]:
    """Record what it means that a block of code came to its end, and give the lease up.

    Raises:
        Fenced, Cancelled, Waiting: that is what it ended for, whatever the code made of it; it is
            recorded.
    """
    try:
        session.require_alive()
        swallowed = session.wait_in(None)
        if swallowed is not None:
            raise swallowed  # the code went on, and has no answer all the same
    except Exception as error:
        yield from record_failure(kit, session, error)
        raise
    return (yield from record_success(kit, session, EMPTY))


def record_success(kit: AttemptKit, session: Session, payload: Payload) -> Flow[Finished]:
    """Complete the session's scope and give its lease up."""
    return (yield from _finish(kit, session, Outcome.COMPLETED, payload))


def record_failure(
    kit: AttemptKit, session: Session, error: Exception | SystemExit
) -> Flow[Finished]:
    """Record what it means that the handler raised *error*, and give the lease up.

    Raises:
        Fenced: the lease was lost: the newer owner's word counts, nothing was recorded.
        StorageUnavailable: the store is ill, which is not the workflow's failure.
    """
    if session.timed_out is not None:
        return session.timed_out  # recorded at that moment by whoever saw it
    if session.is_cancelled:
        return (yield from _finish(kit, session, Outcome.CANCELLED))
    if session.wait_in(error) is not None:
        return (yield from _finish(kit, session, Outcome.WAITING))
    if isinstance(session.ended, Fenced):
        kit.keeper.lose(session, session.ended)
        if session.ended is error:
            raise error
        raise session.ended from error
    trouble = store_trouble_in(error)
    if trouble is not None:
        yield from give_up(kit, session, Outcome.STORE_TROUBLE)
        raise trouble
    if isinstance(error, HandlerDied):
        return (yield from _finish(kit, session, Outcome.DIED, error=ErrorRecord.of(error)))
    if not isinstance(error, TimedOut) or error.subject != str(session.workflow):
        return (yield from _finish(kit, session, Outcome.FAILED, error=ErrorRecord.of(error)))
    # The attempt itself ran out of time, and not a step of it.
    finished = yield from _finish(kit, session, Outcome.TIMED_OUT, error=ErrorRecord.of(error))
    kit.keeper.lose(session, error)  # its code may still be running
    return finished


def give_up(kit: AttemptKit, session: Session, outcome: Outcome = Outcome.GIVEN_UP) -> Flow[None]:
    """Give the lease up and leave the workflow recoverable at once, no retry used up.

    Trouble in doing so is not raised: it is done once the store is well again.
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
        session.output_tail,
    )
    try:
        if session.is_cancelled:
            # Nothing else is written by it any more.
            finished: Finished = yield Execute(finish_attempt, command)
            return finished
        return (yield from session.write(finish_attempt, command))
    except StorageUnavailable:
        # Whatever it came to: the caller is told that it was not recorded, and may carry it on.
        kit.keeper.owe(
            AbandonAttempt(
                session.attempt.workflow_id,
                session.attempt.correlation_id,
                Outcome.GIVEN_UP if outcome is Outcome.GIVEN_UP else Outcome.STORE_TROUBLE,
            )
        )
        raise
