"""Ask a run to stop."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...domain.attempt import Outcome
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.errors import InvalidRequest
from ...domain.events import EventKind
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..admission import admit
from ..environment import Environment
from ..scopes import kill_scopes
from ..scribe import Scribe
from ..situation import last_sign_of, look_at
from ..unknown import refuse_unknown

CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class CancelWorkflow:
    """Ask whoever carries a workflow on to stop; kill its open scopes where nobody does."""

    workflow_id: str


def cancel_workflow(command: CancelWorkflow, *, uow: UnitOfWork, env: Environment) -> bool:
    """Handle `CancelWorkflow`; return whether it is killed, and not only asked to stop.

    Raises:
        NotFound: no such workflow.
        InvalidRequest: nothing opened it, so there is nothing to stop.
        IllegalTransition: it is completed, or killed already.
    """
    workflow = command.workflow_id
    standing = uow.checkpoints.standing(workflow)
    if standing is None:
        refuse_unknown(workflow, uow)
    if standing.opening is None:
        raise InvalidRequest(
            f"{Scope(workflow)} is a record that nothing opened: nothing runs that could be stopped"
        )
    found = look_at(workflow, uow, env)
    if found.lease is not None and found.is_held:
        scribe = Scribe(uow, workflow, found.epoch, env.clock.moment().wall)
        scribe.require_unfinished(CheckpointStatus.KILLED)
        uow.leases.put(found.lease.ask_to_stop(scribe.at))
        scribe.note(EventKind.CANCEL_ASKED, standing.opening)
        return False
    epoch = admit(workflow, None, uow=uow, env=env)
    scribe = Scribe(uow, workflow, epoch, env.clock.moment().wall)
    scribe.require_unfinished(CheckpointStatus.KILLED)
    if found.last is not None and found.last.outcome is None:
        ended_at = min(scribe.at, last_sign_of(found.last, found, uow))
        uow.attempts.put(replace(found.last, ended_at=ended_at, outcome=Outcome.DIED))
    kill_scopes(scribe, CANCELLED, Scope(workflow))
    return True
