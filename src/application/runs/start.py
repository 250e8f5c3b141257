"""Starting a workflow, or carrying on one that was started before with the same id."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.errors import Damaged, InputChanged, InvalidRequest, NotRecoverable
from ...domain.json_value import JsonValue
from ...domain.payload import EMPTY, JsonText, Payload, same_json
from ...domain.ports import HandlerSpec, UnitOfWork
from ...domain.replay import Replay
from ...domain.retention import OwnRetention
from ...domain.scope import Scope
from ..commands.begin_attempt import BeginAttempt, FallBack
from ..scribe import Entry
from .attempt import AttemptKit, HeadMoved, begin, carry
from .flow import Flow, Read
from .session import LeaseTerms, Session, replaying_session


@dataclass(frozen=True, slots=True)
class Enter:
    """Open a workflow, or carry on one that is free.

    Attributes:
        entry: its opening; the input, if given, must be that which is recorded. Its state counts
            only for a new workflow.
        retention: what the workflow says of it from now on, where it says something.
    """

    entry: Entry
    handler: str | None
    correlation_id: str
    terms: LeaseTerms
    retention: OwnRetention = field(default_factory=OwnRetention)


@dataclass(frozen=True, slots=True)
class Known:
    """What is recorded of a workflow that was entered before.

    Attributes:
        opening: ``None`` for a record.
        given: the payload of that opening.
        result: the payload of the checkpoint that closed it; ``None`` while it is not completed.
    """

    opening: Checkpoint | None
    given: Payload
    result: Payload | None


@dataclass(frozen=True, slots=True)
class _Past:
    replay: Replay
    fall_back: FallBack | None


def start(kit: AttemptKit, command: Enter, spec: HandlerSpec) -> Flow[JsonValue]:
    """Run a workflow function to its end and return its result, in its recorded form.

    Finished gives the recorded result, interrupted is carried on.

    Raises:
        LeaseHeld: it is running.
        InputChanged: it was started with another input.
        NotRecoverable: it cannot be carried on; has every reason.
        BaseException: what the function raised, after it was recorded.
    """
    known = yield from look_up(command.entry)
    if known is not None:
        _require_same_name(spec, known, command.entry.scope)
        if known.result is not None:
            return kit.codec.decode(known.result.output or b"null")
    try:
        session = yield from enter(kit, command)
    except NotRecoverable:
        known = yield from look_up(command.entry)
        if known is None or known.result is None:
            raise
        # Somebody else finished it in this moment.
        return kit.codec.decode(known.result.output or b"null")
    ended = yield from carry(kit, session, spec, spec.timeout)
    if ended.error is not None:
        raise ended.error
    return ended.output


def enter(kit: AttemptKit, command: Enter) -> Flow[Session]:
    """Take the lease of a workflow that is new, or free, and begin an attempt.

    Back-off does not stand in the way: whoever asks by name wants it now.
    """
    workflow = command.entry.scope
    while True:
        past: _Past | None = yield Read(lambda uow: _past(workflow.workflow_id, uow))
        order = BeginAttempt(
            command.entry,
            command.handler,
            command.correlation_id,
            command.terms.duration,
            heeds_back_off=False,
            fall_back=past.fall_back if past else None,
            retention=command.retention,
        )
        replay = past.replay if past else None
        try:
            return (
                yield from begin(kit, order, command.terms, workflow, past=replay, raise_held=True)
            )
        except HeadMoved:
            continue


def enter_or_replay(kit: AttemptKit, command: Enter) -> Flow[Session]:
    """Enter a workflow; for one that is completed return a session that writes nothing."""
    known = yield from look_up(command.entry)
    if known is None or known.result is None or known.opening is None:
        return (yield from enter(kit, command))
    workflow = command.entry.scope
    past: _Past = yield Read(lambda uow: _past(workflow.workflow_id, uow))
    last: Attempt | None = yield Read(lambda uow: uow.attempts.last(workflow.workflow_id))
    return replaying_session(kit.env, known.opening, last, past.replay, command.terms)


def look_up(entry: Entry) -> Flow[Known | None]:
    """Return what is recorded of a workflow; raises `InputChanged` when *entry* asks another."""
    known: Known | None = yield Read(lambda uow: _known(entry.scope, uow))
    if known is not None and known.opening is not None:
        _require_same_input(entry, known.given.input)
    return known


def _known(workflow: Scope, uow: UnitOfWork) -> Known | None:
    standing = uow.checkpoints.standing(workflow.workflow_id)
    if standing is None:
        return None
    if standing.opening is None:
        return Known(None, EMPTY, None)
    opening = uow.checkpoints.get(standing.opening)
    last = uow.checkpoints.scope_last(workflow, standing.head)
    result = uow.checkpoints.payload(last.id) if last and last.type.closes else None
    return Known(opening, uow.checkpoints.payload(opening.id), result)


def _past(workflow_id: str, uow: UnitOfWork) -> _Past | None:
    standing = uow.checkpoints.standing(workflow_id)
    if standing is None:
        return None
    try:
        return _Past(uow.checkpoints.replay(standing.head), None)
    except Damaged:
        intact = uow.checkpoints.newest_intact(standing.head)
        if intact is None:
            raise
        return _Past(uow.checkpoints.replay(intact), FallBack(standing.head, intact))


def _require_same_name(spec: HandlerSpec, known: Known, workflow: Scope) -> None:
    handler = known.opening.resume_handler if known.opening else None
    if handler is not None and handler != spec.name:
        raise InvalidRequest(
            f"{workflow} was started as {handler!r} and is now asked to run {spec.name!r}; give "
            "the new run another id"
        )


def _require_same_input(entry: Entry, recorded: JsonText | None) -> None:
    asked = entry.payload.input
    if asked is None or same_json(asked, recorded):
        return
    raise InputChanged(
        f"workflow {entry.scope}",
        (recorded or b"null").decode(),
        asked.decode(),
        "give the new run another id, or ask with the recorded input",
    )
