"""Answer what a workflow waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import AlreadyAnswered, AnsweredTooLate, NotAsked
from ...domain.events import EventKind
from ...domain.payload import Payload
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..environment import Environment
from ..scopes import end_of
from ..scribe import Entry, Scribe
from ..unknown import refuse_unknown
from ..waits import ANSWER_KEY, ANSWERED, AT_ONCE, WAIT_KIND, open_waits


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """Answer what a workflow waits for; the first answer counts.

    Attributes:
        payload: the answer, as the state of the question's stage.
    """

    workflow_id: str
    name: str
    payload: Payload


def answer_question(command: AnswerQuestion, *, uow: UnitOfWork, env: Environment) -> Checkpoint:
    """Handle `AnswerQuestion`; return the checkpoint that holds the answer.

    The run that asked may still hold the lease, with other work: an answer takes nothing from it.

    Raises:
        NotFound: no such workflow.
        NotAsked, AlreadyAnswered, AnsweredTooLate: nothing was written.
    """
    workflow = command.workflow_id
    if uow.checkpoints.standing(workflow) is None:
        refuse_unknown(workflow, uow)
    lease = uow.leases.get(workflow)
    scribe = Scribe(uow, workflow, lease.epoch if lease else 0, env.clock.moment().wall)
    waits = open_waits(workflow, uow)
    found = next((wait for wait in waits if wait.name == command.name), None)
    if found is None:
        _refuse(command, scribe, [wait.name for wait in waits if not wait.is_answered])
    subject = str(Scope(workflow))
    if found.is_answered:
        raise AlreadyAnswered(subject, command.name)
    if found.is_over(scribe.at):
        raise AnsweredTooLate(subject, command.name, found.due_at)
    scope = found.opening.scope
    answer = scribe.write(Entry(scope, CheckpointType.PROGRESS, command.payload, name=ANSWER_KEY))
    scribe.note(EventKind.ANSWERED, answer.id, name=command.name)
    _make_due(scribe)
    return answer


def _make_due(scribe: Scribe) -> None:
    """Let the workflow be found by whoever carries on what is due."""
    standing = scribe.standing
    if standing is None or standing.opening is None:
        return
    opening = scribe.uow.checkpoints.get(standing.opening)
    if opening.status is CheckpointStatus.WAITING:
        opening.due_at = AT_ONCE
        scribe.save(opening)


def _refuse(command: AnswerQuestion, scribe: Scribe, asked: list[str]) -> NoReturn:
    subject = str(Scope(command.workflow_id))
    scope = Scope(command.workflow_id, command.name)
    end = end_of(scribe, scope)
    if end is None or not _is_question(scope, scribe):
        raise NotAsked(subject, command.name, asked)
    if end.name == ANSWERED:
        raise AlreadyAnswered(subject, command.name)
    raise AnsweredTooLate(subject, command.name)


def _is_question(scope: Scope, scribe: Scribe) -> bool:
    if scribe.head is None:
        return False
    record = scribe.uow.checkpoints.replay(scribe.head).record(scope)
    return record.kind == WAIT_KIND
