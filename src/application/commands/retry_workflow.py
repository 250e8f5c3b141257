"""Open a killed workflow anew."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.errors import IllegalTransition, InvalidRequest
from ...domain.payload import Payload
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..environment import Environment
from ..scopes import opening_entry
from ..scribe import Scribe
from ..unknown import refuse_unknown

_ADVICE = {
    CheckpointStatus.COMPLETED: "it is done: fork it with engine.fork(…) to start again",
    CheckpointStatus.WAITING: "it waits for an answer, and is carried on when it has one",
}
_CARRY_ON = "it need not be opened anew: carry it on with engine.recover(…)"


@dataclass(frozen=True, slots=True)
class RetryWorkflow:
    """Open a killed workflow anew: it can be carried on again, with all of its retries."""

    workflow_id: str


def retry_workflow(command: RetryWorkflow, *, uow: UnitOfWork, env: Environment) -> Checkpoint:
    """Handle `RetryWorkflow`; return the new opening. The killed one stays as it is.

    What was finished stays finished; what was killed inside runs again.

    Raises:
        NotFound: no such workflow.
        IllegalTransition: it is not killed.
        LeaseHeld: somebody is carrying it on.
    """
    workflow = command.workflow_id
    standing = uow.checkpoints.standing(workflow)
    if standing is None:
        refuse_unknown(workflow, uow)
    if standing.opening is None or standing.status is None:
        raise InvalidRequest(
            f"{Scope(workflow)} is a record that nothing opened: nothing was killed; "
            "carry it on with engine.recover(…), which names its handler"
        )
    scribe = Scribe.admitted(workflow, None, uow=uow, env=env)
    if standing.status is not CheckpointStatus.KILLED:
        advice = _ADVICE.get(standing.status, _CARRY_ON)
        raise IllegalTransition(Scope(workflow), standing.status, "opened anew", advice)
    old = uow.checkpoints.get(standing.opening)
    return scribe.write(
        opening_entry(
            old.scope,
            Payload(input=uow.checkpoints.payload(old.id).input),
            name=old.name,
            resume_handler=old.resume_handler,
            max_retries=old.max_retries,
            metadata=dict(old.metadata),
        )
    )
