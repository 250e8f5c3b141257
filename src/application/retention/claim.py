"""The right to purge a store: a lease, so that two purges do not do the work twice."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.errors import PurgeUnderWay, StorageUnavailable
from ...domain.lease import Credentials, Lease, Standing
from ...domain.ports import Store, UnitOfWork
from ...domain.retention import PURGE_RESOURCE
from ..admission import standing_of
from ..environment import Environment

_DURATION = 60.0
_RENEWED_AFTER_NS = 20 * 10**9


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to purge a store, as long as it is shown in time."""

    target: str
    credentials: Credentials

    @classmethod
    def take(cls, store: Store, env: Environment) -> Claim:
        """Return the right to purge; raises `PurgeUnderWay` while somebody else has it."""
        token = env.randomness.token()
        target = store.target

        def work(uow: UnitOfWork) -> Claim:
            last = uow.leases.get(PURGE_RESOURCE)
            if last is not None and standing_of(last, env) is Standing.HELD:
                raise _under_way(target, last)
            now = env.clock.moment()
            epoch = last.epoch + 1 if last else 1
            lease = Lease(PURGE_RESOURCE, epoch, token, env.host.owner(), _DURATION, now.wall, now)
            uow.leases.put(lease)
            return cls(target, lease.credentials)

        try:
            return store.write(work)
        except StorageUnavailable:
            env.disowned.add(token)  # it may have been taken all the same
            raise

    def show(self, uow: UnitOfWork, env: Environment) -> None:
        """Renew the right within a transaction where it is time to.

        Raises:
            PurgeUnderWay: it ran out, and somebody else has it now.
        """
        lease = uow.leases.get(PURGE_RESOURCE)
        if lease is None or not lease.proves(self.credentials):
            raise _under_way(self.target, lease)
        now = env.clock.moment()
        if abs(now.uptime_ns - lease.renewed.uptime_ns) > _RENEWED_AFTER_NS:
            uow.leases.put(lease.renew(now))

    def give_up(self, store: Store, env: Environment) -> None:
        """Let the next one have it; where the store is ill, the next one of this process.

        Raises:
            StorageUnavailable: the others wait until it runs out.
        """

        def work(uow: UnitOfWork) -> None:
            lease = uow.leases.get(PURGE_RESOURCE)
            if lease is not None and lease.proves(self.credentials):
                uow.leases.put(lease.end())

        try:
            store.write(work)
        except StorageUnavailable:
            env.disowned.add(self.credentials.token)
            raise


def _under_way(target: str, lease: Lease | None) -> PurgeUnderWay:
    if lease is None:
        raise AssertionError("the claim was shown in a store that never had one")
    return PurgeUnderWay(target, str(lease.owner), lease.epoch, lease.taken_at, lease.expires_at)
