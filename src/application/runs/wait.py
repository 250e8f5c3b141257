"""Waiting for an answer: the attempt ends, and the answer carries the run on."""

from __future__ import annotations

from datetime import datetime, timedelta

from ...domain.errors import InvalidRequest, Waiting
from ...domain.json_value import JsonValue
from ...domain.scope import Scope
from ...domain.wording import shorten
from ..commands.ask_question import Asked, AskQuestion, ask_question
from ..commands.complete_checkpoint import CompleteCheckpoint, complete_checkpoint
from ..payloads import payload_of
from ..waits import ANSWERED, OVERDUE
from .flow import Flow
from .step import ChangedInput, StepKit, runs_again


def wait(
    kit: StepKit,
    scope: Scope,
    question: JsonValue,
    until: datetime | timedelta | None,
    changed_input: ChangedInput,
) -> Flow[JsonValue]:
    """Return the answer once there is one, ``None`` when it is due; until then raise `Waiting`."""
    session = kit.session
    _require_time(scope, until)
    session.claim(scope)
    record = session.record(scope)
    asked_before = record.is_open or record.is_finished
    anew = asked_before and runs_again(scope, record, question, changed_input)
    if record.is_finished and not anew:
        return kit.codec.decode(kit.codec.encode(record.output, "output"))
    payload = payload_of(kit.codec, input=question, of=scope)
    command = AskQuestion(scope, payload, until, session.credentials, anew=anew)
    asked: Asked = yield from session.write(ask_question, command)
    if not asked.is_over:
        waiting = Waiting(str(session.workflow), scope.stage_id or "", asked.due_at)
        session.note_wait(waiting)
        raise waiting
    answer = payload_of(kit.codec, output=asked.answer, of=scope)
    name = ANSWERED if asked.is_answered else OVERDUE
    closing = CompleteCheckpoint(scope, answer, name=name, credentials=session.credentials)
    yield from session.write(complete_checkpoint, closing)
    return asked.answer


def _require_time(scope: Scope, until: datetime | timedelta | None) -> None:
    if until is None or isinstance(until, timedelta):
        return
    if not isinstance(until, datetime):
        raise InvalidRequest(
            f"until of {scope} is {shorten(until)}; give a timedelta, or an aware datetime"
        )
    if until.tzinfo is None:
        raise InvalidRequest(
            f"until of {scope} is {until.isoformat()} without a time zone; give an aware datetime"
        )
