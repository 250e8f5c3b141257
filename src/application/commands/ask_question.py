"""Ask for an answer, or look whether there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ...domain.checkpoint_status import CheckpointStatus
from ...domain.json_value import JsonValue
from ...domain.lease import Credentials
from ...domain.payload import JsonText, Payload
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..environment import Environment
from ..scopes import kill_scopes, opening_entry
from ..scribe import Scribe
from ..waits import WAIT_KIND, open_waits

_UNANSWERED = JsonText(b"{}")


@dataclass(frozen=True, slots=True)
class AskQuestion:
    """Ask for an answer, unless that was asked already.

    Attributes:
        scope: a stage of its own.
        payload: the question, as its input.
        until: when it is over, or how long after it was first asked; ``None`` for never.
        anew: ask again, though it was asked or answered before: the question has changed.
    """

    scope: Scope
    payload: Payload
    until: datetime | timedelta | None
    credentials: Credentials
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """How a question stands.

    Attributes:
        is_over: whether the run can go on: it was answered, or its time is over.
    """

    is_over: bool
    is_answered: bool
    answer: JsonValue
    due_at: datetime | None


def ask_question(command: AskQuestion, *, uow: UnitOfWork, env: Environment) -> Asked:
    """Handle `AskQuestion`; a question that is over is the caller's to close."""
    workflow = command.scope.workflow_id
    scribe = Scribe.admitted(workflow, command.credentials, uow=uow, env=env)
    scribe.require_unfinished("waiting")
    if command.anew:
        kill_scopes(scribe, "asked anew with another question", command.scope)
    found = next(
        (wait for wait in open_waits(workflow, uow) if wait.opening.scope == command.scope), None
    )
    if found is None:
        return Asked(is_over=False, is_answered=False, answer=None, due_at=_ask(command, scribe))
    is_over = found.is_over(scribe.at)
    opening = found.opening
    if is_over and opening.status is CheckpointStatus.WAITING:
        opening.take_over(scribe.epoch, scribe.at)
        scribe.save(opening)
    elif not is_over and opening.status is not CheckpointStatus.WAITING:
        opening.wait(found.due_at, scribe.at)  # a clock was set back
        scribe.save(opening)
    return Asked(is_over, found.is_answered, found.answer, found.due_at)


def _ask(command: AskQuestion, scribe: Scribe) -> datetime | None:
    until = command.until
    due_at = scribe.at + until if isinstance(until, timedelta) else until
    # The code may have had a stage of that name before.
    kill_scopes(scribe, "asked as a question now", command.scope)
    # An answer to what was asked by that name before is no answer to this.
    payload = replace(command.payload, state=_UNANSWERED)
    opening = scribe.write(opening_entry(command.scope, payload, kind=WAIT_KIND))
    opening.wait(due_at, scribe.at)
    scribe.save(opening)
    return due_at
