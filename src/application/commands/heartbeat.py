"""Record a sign of life."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.errors import InvalidRequest
from ...domain.lease import Credentials
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..admission import admit
from ..environment import Environment
from ..unknown import refuse_unknown


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Record a sign of life of a workflow; with credentials, renew its lease."""

    workflow_id: str
    credentials: Credentials | None = None


def heartbeat(command: Heartbeat, *, uow: UnitOfWork, env: Environment) -> bool:
    """Handle `Heartbeat`; return whether the owner was asked to stop.

    Raises:
        NotFound: no such workflow.
        InvalidRequest: it is not open, so there is nothing that could go stale.
    """
    workflow = command.workflow_id
    admit(workflow, command.credentials, uow=uow, env=env, heeds_cancel=False)
    now = env.clock.moment()
    if command.credentials is not None:
        lease = uow.leases.get(workflow)
        if lease is None:
            return False
        uow.leases.put(lease.renew(now))
        return lease.stop_asked_at is not None
    standing = uow.checkpoints.standing(workflow)
    if standing is None:
        refuse_unknown(workflow, uow)
    if standing.opening is None or standing.status is None or standing.status.is_final:
        state = standing.status or "a record that nothing opened"
        raise InvalidRequest(f"{Scope(workflow)} is {state}; only what is open has a heartbeat")
    opening = uow.checkpoints.get(standing.opening)
    opening.touch(now.wall)
    uow.checkpoints.update(opening)
    return False
