"""What every lease store promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ...domain.lease import Lease, Owner
from ...domain.moment import Moment
from ...domain.ports import Store, UnitOfWork

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


OWNER = Owner("host", "boot-1", "pid:[4026531836]", 4711, 123456)


LEASE = Lease("wf", 3, "token", OWNER, 60.0, AT, Moment(AT, "boot-1", 1_000_000_007))


class LeaseStoreContract:
    """Subclass it for each adapter, with a fixture ``store``."""

    def test_get_when_the_resource_never_had_one_then_none(self, store: Store) -> None:
        _put(store, LEASE)

        assert _get(store, "other") is None

    @pytest.mark.parametrize(
        "lease",
        [
            LEASE,
            LEASE.end(),
            replace(LEASE, resource="release/42 @ 日本語 🚀", token="ключ\x00"),
            replace(LEASE, owner=Owner("höst", None, None, 1, None)),
            replace(LEASE, renewed=Moment(AT + timedelta(microseconds=1), None, 0)),
            replace(LEASE, epoch=2**62, duration=0.1, renewed=Moment(AT, "b", 2**62 + 1)),
            replace(LEASE, taken_at=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ],
    )
    def test_get_when_put_then_every_field_is_equal(self, store: Store, lease: Lease) -> None:
        _put(store, lease)

        assert _get(store, lease.resource) == lease

    def test_get_when_put_in_the_same_unit_of_work_then_it_is_there(self, store: Store) -> None:
        def work(uow: UnitOfWork) -> Lease | None:
            uow.leases.put(LEASE)
            return uow.leases.get("wf")

        assert store.write(work) == LEASE

    def test_get_when_there_are_several_resources_then_each_has_its_own(self, store: Store) -> None:
        other = replace(LEASE, resource="purge", epoch=1, token="other")
        _put(store, LEASE)
        _put(store, other)

        assert (_get(store, "wf"), _get(store, "purge")) == (LEASE, other)

    def test_put_when_there_was_one_then_the_last_counts(self, store: Store) -> None:
        taken = replace(LEASE, epoch=4, token="another", owner=replace(OWNER, pid=1))
        _put(store, LEASE)
        _put(store, taken)

        assert _get(store, "wf") == taken

    def test_put_when_renewed_and_ended_within_its_epoch_then_it_is_kept(
        self, store: Store
    ) -> None:
        renewed = LEASE.renew(Moment(AT + timedelta(seconds=20), "boot-1", 21_000_000_007))
        _put(store, LEASE)

        _put(store, renewed)
        assert _get(store, "wf") == renewed

        _put(store, renewed.end())
        assert _get(store, "wf") == renewed.end()

    @pytest.mark.parametrize("epoch", [2, 0, -1])
    def test_put_when_its_epoch_is_lower_then_it_is_refused_and_the_old_one_stays(
        self, store: Store, epoch: int
    ) -> None:
        _put(store, LEASE.end())

        with pytest.raises(ValueError, match="epoch"):
            _put(store, replace(LEASE, epoch=epoch))

        assert _get(store, "wf") == LEASE.end()

    def test_put_when_lower_than_one_put_in_the_same_unit_of_work_then_it_is_refused(
        self, store: Store
    ) -> None:
        def work(uow: UnitOfWork) -> None:
            uow.leases.put(LEASE)
            uow.leases.put(replace(LEASE, epoch=2))

        with pytest.raises(ValueError, match="epoch"):
            store.write(work)

        assert _get(store, "wf") is None

    def test_put_when_the_unit_of_work_is_rolled_back_then_the_old_one_stays(
        self, store: Store
    ) -> None:
        def work(uow: UnitOfWork) -> None:
            uow.leases.put(replace(LEASE, epoch=9))
            uow.leases.put(replace(LEASE, resource="new"))
            raise LookupError

        _put(store, LEASE)

        with pytest.raises(LookupError):
            store.write(work)

        assert (_get(store, "wf"), _get(store, "new")) == (LEASE, None)


def _put(store: Store, lease: Lease) -> None:
    store.write(lambda uow: uow.leases.put(lease))


def _get(store: Store, resource: str) -> Lease | None:
    return store.read(lambda uow: uow.leases.get(resource))
