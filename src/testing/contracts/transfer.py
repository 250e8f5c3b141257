"""What every store promises to whoever moves the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.events import DomainEvent, EventKind
from ...domain.lease import Lease, Owner
from ...domain.moment import Moment
from ...domain.ports import Store, UnitOfWork

Save = Callable[..., Checkpoint]


AT = datetime(2026, 3, 1, tzinfo=UTC)


OWNER = Owner("host", "boot", "pid:[1]", 7, 8)


def _lease(resource: str) -> Lease:
    return Lease(resource, 1, "token", OWNER, 60.0, AT, Moment(AT, "boot", 1))


def _event(workflow_id: str = "wf") -> DomainEvent:
    return DomainEvent(EventKind.LEASE_TAKEN, workflow_id, AT)


class TransferContract:
    """Subclass it for each adapter, with a fixture ``store``."""

    def test_names_when_there_is_nothing_then_none(self, store: Store) -> None:
        assert store.read(lambda uow: list(uow.transfer.names())) == []

    def test_names_when_workflows_leases_and_attempts_have_them_then_each_once_and_sorted(
        self, store: Store, put: Save
    ) -> None:
        def fill(uow: UnitOfWork) -> None:
            for name in ("zoo", "Zoo", "\U0001f600", "￿", "ant"):
                put(uow, name)
            uow.leases.put(_lease("ant"))
            uow.leases.put(_lease("only leased"))
            uow.attempts.put(Attempt("only tried", 1, 1, None, OWNER, "c", AT, 0))

        store.write(fill)

        found = store.read(lambda uow: list(uow.transfer.names()))
        assert found == sorted(
            ["zoo", "Zoo", "\U0001f600", "￿", "ant", "only leased", "only tried"]
        )

    def test_skip_to_when_ahead_then_what_is_written_next_has_that_number(
        self, store: Store, put: Save
    ) -> None:
        def fill(uow: UnitOfWork) -> None:
            uow.transfer.skip_to(7)
            put(uow, "wf")
            uow.transfer.skip_to(8)
            uow.events.append(_event())
            uow.transfer.skip_to(40)
            uow.events.append(_event())

        store.write(fill)
        store.write(lambda uow: uow.events.append(_event()))

        events = store.read(lambda uow: uow.events.read())
        assert [each.number for each in events] == [7, 8, 40, 41]
        assert store.read(lambda uow: uow.transfer.last_number()) == 41

    def test_skip_to_when_the_number_was_given_out_then_refused(
        self, store: Store, put: Save
    ) -> None:
        put_two = [store.write(lambda uow: put(uow, "wf")) for _ in range(2)]

        with pytest.raises(ValueError, match="number 2 is not above 2"):
            store.write(lambda uow: uow.transfer.skip_to(2))

        assert len(put_two) == store.read(lambda uow: uow.transfer.last_number()) == 2

    def test_skip_to_when_its_transaction_is_rolled_back_then_nothing_was_skipped(
        self, store: Store, put: Save
    ) -> None:
        def fail(uow: UnitOfWork) -> None:
            uow.transfer.skip_to(50)
            put(uow, "wf")
            raise LookupError

        with pytest.raises(LookupError):
            store.write(fail)
        store.write(lambda uow: put(uow, "wf"))

        assert store.read(lambda uow: uow.transfer.last_number()) == 1

    def test_last_sequence_when_checkpoints_are_there_then_that_of_the_newest(
        self, store: Store, put: Save
    ) -> None:
        for _ in range(3):
            store.write(lambda uow: put(uow, "wf"))

        assert store.read(lambda uow: uow.transfer.last_sequence("wf")) == 3
        assert store.read(lambda uow: uow.transfer.last_sequence("other")) == 0

    def test_raise_sequence_when_above_then_the_next_is_above_that(
        self, store: Store, put: Save
    ) -> None:
        store.write(lambda uow: put(uow, "wf"))
        store.write(lambda uow: uow.transfer.raise_sequence("wf", 9))
        store.write(lambda uow: uow.transfer.raise_sequence("gone", 4))
        store.write(lambda uow: uow.transfer.raise_sequence("wf", 5))  # changes nothing

        assert store.read(lambda uow: uow.transfer.last_sequence("wf")) == 9
        assert store.write(lambda uow: put(uow, "wf")).id.sequence == 10
        assert store.write(lambda uow: put(uow, "gone")).id.sequence == 5
        assert "gone" in store.read(lambda uow: list(uow.transfer.names()))
