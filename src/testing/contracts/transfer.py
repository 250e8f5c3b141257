"""What every store promises to whoever moves the whole of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import NotFound, Purged
from ...domain.events import DomainEvent, EventKind
from ...domain.gone import Gone
from ...domain.json_value import canonical
from ...domain.lease import Lease, Owner
from ...domain.moment import Moment
from ...domain.ports import Store, UnitOfWork
from ...domain.retention import OwnRetention
from ...infrastructure.json_codec import JsonCodec
from ...infrastructure.memory import MemoryStore

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

    def test_names_when_only_a_retention_or_a_memory_of_purges_is_kept_then_there_too(
        self, store: Store
    ) -> None:
        def fill(uow: UnitOfWork) -> None:
            uow.retention.set_policy("Kept for long/", OwnRetention(days=90))
            uow.transfer.remember_purges("Went long ago\U0001f600", [Gone(1, 7, AT)])
            uow.events.append(_event("Only Spoken Of"))

        store.write(fill)

        found = store.read(lambda uow: list(uow.transfer.names()))
        assert found == ["Kept for long/", "Went long ago\U0001f600"]

    def test_purges_when_remembered_then_they_are_as_they_were_and_the_purged_are_told(
        self, store: Store
    ) -> None:
        gone = [Gone(1, 7, AT), Gone(9, 9, AT), Gone(10, 30, AT + timedelta(days=1))]

        store.write(lambda uow: uow.transfer.remember_purges("wf", gone))

        assert store.read(lambda uow: uow.transfer.purges("wf")) == gone
        assert store.read(lambda uow: uow.transfer.purges("other")) == []
        with pytest.raises(Purged) as caught:
            store.read(lambda uow: uow.checkpoints.get(CheckpointId.parse("wf@9")))
        assert caught.value.at == AT
        with pytest.raises(NotFound) as missing:
            store.read(lambda uow: uow.checkpoints.get(CheckpointId.parse("wf@8")))
        assert type(missing.value) is NotFound

    def test_add_cut_when_its_parent_is_gone_then_it_and_what_follows_have_their_contexts(
        self, store: Store, put: Save
    ) -> None:
        """A whole history is written, and again in another store without its beginning."""
        whole = MemoryStore(JsonCodec())
        for scope, type_, state in (
            ("wf", "workflow_start", {"n": 1}),
            ("wf/load", "stage_start", {"m": [1.0, -0.0, 10**40]}),
            ("wf/load/eu", "agent_start", None),
            ("wf/load/eu", "agent_complete", {"of": "the agent"}),
            ("wf", "progress", {"n": 2, "long": "x" * 6000}),
        ):
            whole.write(lambda uow, a=scope, b=type_, c=state: put(uow, a, b, state=c))  # type: ignore[misc]
        cut = whole.read(lambda uow: uow.checkpoints.get(CheckpointId.parse("wf@5")))
        payload = whole.read(lambda uow: uow.checkpoints.payload(cut.id))
        replay = whole.read(lambda uow: uow.checkpoints.replay(cut.id))

        def write(uow: UnitOfWork) -> None:
            uow.transfer.skip_to(5)
            uow.transfer.add_cut(cut, payload, replay)
            uow.transfer.raise_sequence("wf", 5)

        store.write(write)
        for each in (whole, store):
            each.write(lambda uow: put(uow, "wf", state={"n": 3, "long": "x" * 6001}))
            for _ in range(40):  # keyframes come in, and contexts that are kept
                each.write(lambda uow: put(uow, "wf", patch={"n": uow.transfer.last_number()}))
            each.write(lambda uow: put(uow, "wf/load", "stage_complete", output=[1]))

        for text in ("wf@5", "wf@6", "wf@25", "wf/load@47"):
            wanted = CheckpointId.parse(text)
            assert _told(store, wanted) == _told(whole, wanted)
        chain = store.read(lambda uow: uow.checkpoints.chain(CheckpointId.parse("wf@6")))
        assert [str(each) for each in chain] == ["wf@6", "wf@5"]
        assert store.read(lambda uow: uow.checkpoints.newest_intact(cut.id)) == cut.id


def _told(store: Store, wanted: CheckpointId) -> list[str]:
    replay = store.read(lambda uow: uow.checkpoints.replay(wanted))
    payload = store.read(lambda uow: uow.checkpoints.payload(wanted))
    told = [
        canonical(json.loads(text))
        for text in (payload.state, payload.patch, payload.output)
        if text is not None
    ]
    for scope, record in replay.scopes.items():
        told += [str(scope), *map(canonical, (record.state, record.input, record.output))]
        told.append(repr(replace(record, state={}, input=None, output=None)))
    return told
