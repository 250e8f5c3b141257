"""A session in a child: it writes under the lease that its parent holds and keeps."""

from __future__ import annotations

from dataclasses import replace

from ...application.admission import admit
from ...application.runs.session import LeaseTerms, Session
from ...domain.attempt import Attempt
from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import Fenced
from ...domain.ports import UnitOfWork
from ...domain.replay import Replay
from ...domain.run_handover import RunHandover
from ...domain.scope import Scope
from ..kernel import Kernel


def attach(
    kernel: Kernel,
    handover: RunHandover,
    *,
    scope: Scope | None = None,
    head: CheckpointId | None = None,
) -> Session:
    """Return a session that writes under the lease that was handed over; it does not renew it.

    Args:
        scope: what the handler completes; by default the workflow.
        head: what its past ends with; by default the newest checkpoint.

    Raises:
        Fenced: the lease is no longer that.
    """
    workflow = Scope.parse(handover.workflow)

    def look(uow: UnitOfWork) -> tuple[Attempt | None, Replay]:
        admit(workflow.workflow_id, handover.credentials, uow=uow, env=kernel.env)
        standing = uow.checkpoints.standing(workflow.workflow_id)
        last = head or (standing.head if standing else None)
        past = uow.checkpoints.replay(last) if last is not None else Replay()
        return uow.attempts.last(workflow.workflow_id), past

    attempt, past = kernel.dispatcher.read(look)
    if attempt is None or attempt.epoch != handover.epoch:
        raise Fenced(workflow.workflow_id, handover.epoch, "another attempt has begun")
    session = Session(
        replace(attempt, owner=kernel.env.host.owner()),
        handover.credentials,
        scope or workflow,
        past,
        LeaseTerms(kernel.settings.lease, handover.silence),
        kernel.env,
    )
    if kernel.signs is not None:
        session.on_sign = kernel.signs.give
    return session
