"""Who may write to a workflow."""

from __future__ import annotations

from dataclasses import replace

from ..domain.errors import Cancelled, Fenced, LeaseHeld
from ..domain.lease import Credentials, Lease, Standing
from ..domain.moment import Moment
from ..domain.ports import UnitOfWork
from .environment import Environment


def standing_of(lease: Lease, env: Environment) -> Standing:
    """Return how *lease* stands now; the processes of this host are asked only if it matters."""
    now = env.clock.moment()
    standing = lease.standing(now)
    if standing is Standing.HELD and (
        lease.token in env.disowned
        or _was_restarted(lease, now, env)
        or env.host.is_gone(lease.owner)
    ):
        return Standing.OWNER_GONE
    return standing


def _was_restarted(lease: Lease, now: Moment, env: Environment) -> bool:
    """Whether this host was started again since: every lease of the old boot is over."""
    boots = (lease.renewed.boot_id, now.boot_id)
    return None not in boots and boots[0] != boots[1] and lease.owner.host == env.host.owner().host


def admit(
    workflow_id: str,
    credentials: Credentials | None,
    *,
    uow: UnitOfWork,
    env: Environment,
    heeds_cancel: bool = True,
) -> int:
    """Return the epoch to write under.

    With *credentials*, anything but an exact match is refused. Without, a living lease refuses, and
    one that is over is ended: the epoch rises, so that its owner's later writes are fenced.

    Args:
        heeds_cancel: whether an owner that was asked to stop is refused.

    Raises:
        Cancelled: the owner was asked to stop.
        Fenced: the credentials are not those of the present lease.
        LeaseHeld: somebody else carries the workflow on.
    """
    lease = uow.leases.get(workflow_id)
    if credentials is not None:
        if lease is None or not lease.proves(credentials):
            raise _fenced(workflow_id, credentials, lease)
        if heeds_cancel and lease.stop_asked_at is not None:
            raise Cancelled(workflow_id)
        return lease.epoch
    if lease is None:
        return 0
    standing = standing_of(lease, env)
    if standing is Standing.HELD:
        raise held(lease)
    if standing is not Standing.GIVEN_UP:
        lease = replace(lease.end(), epoch=lease.epoch + 1)
        uow.leases.put(lease)
    return lease.epoch


def held(lease: Lease) -> LeaseHeld:
    """Return the error that says who holds *lease*."""
    return LeaseHeld(
        lease.resource,
        str(lease.owner),
        lease.epoch,
        lease.taken_at,
        lease.expires_at,
    )


def _fenced(workflow_id: str, credentials: Credentials, lease: Lease | None) -> Fenced:
    if lease is None:
        return Fenced(workflow_id, credentials.epoch, "nobody holds its lease")
    if lease.token is None:
        now = f"its lease was ended (epoch {lease.epoch} now)"
        return Fenced(workflow_id, credentials.epoch, now, present_epoch=lease.epoch)
    return Fenced(
        workflow_id,
        credentials.epoch,
        f"{lease.owner} holds its lease since {lease.taken_at.isoformat()} "
        f"(epoch {lease.epoch} now)",
        owner=str(lease.owner),
        since=lease.taken_at,
        present_epoch=lease.epoch,
    )
