"""What every store promises to who lets old checkpoints go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.errors import ChainBroken, NotFound, Purged
from ...domain.events import DomainEvent, EventKind
from ...domain.execution_context import context_of
from ...domain.json_value import canonical
from ...domain.ports import Removed, Store, UnitOfWork
from ...domain.retention import AgedCheckpoint, OwnRetention

Save = Callable[..., Checkpoint]


AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


LATER = AT + timedelta(days=40)


class RetentionStoreContract:
    """Subclass it for each adapter, with a fixture ``store``."""

    def test_ages_when_a_workflow_is_unknown_then_there_are_none(self, store: Store) -> None:
        assert _aged(store) == []
        assert store.read(lambda uow: uow.retention.count("wf")) == 0
        assert store.read(lambda uow: uow.retention.purged_at("wf")) is None
        assert store.read(lambda uow: uow.retention.policy("wf")) == OwnRetention()
        assert store.write(lambda uow: uow.retention.remove("wf", 1, 9, AT)) == Removed()

    def test_ages_when_read_then_they_are_the_oldest_first_and_say_what_is_open(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf", "workflow_start", at=AT)
        save(store, "wf/s", "stage_start", status=CheckpointStatus.KILLED, at=LATER)
        first = save(store, "wf", state={"n": 1}, at=LATER)
        save(store, "wf", state={"n": "x" * 900}, parent=first.parent_id, at=AT)

        found = _aged(store)

        assert [each.sequence for each in found] == [1, 2, 3, 4]
        assert [each.parent for each in found] == [None, 1, 2, 2]
        assert [each.created_at for each in found] == [AT, LATER, LATER, AT]
        assert [each.unfinished for each in found] == [CheckpointStatus.ACTIVE, None, None, None]
        assert [each.opens_workflow for each in found] == [True, False, False, False]
        assert [each.number for each in found] == sorted(each.number for each in found)
        assert found[3].size > found[2].size + 800 > 800
        assert [each.sequence for each in _aged(store, after=2)] == [3, 4]

    def test_names_when_read_page_by_page_then_each_comes_once_and_only_with_checkpoints(
        self, store: Store, save: Save
    ) -> None:
        for name in ("b", "A", "ä", "c%2Fd"):
            save(store, name)
        save(store, "gone")
        store.write(lambda uow: uow.retention.remove("gone", 1, 1, AT))

        pages: list[list[str]] = []
        after = ""
        while page := _names(store, after):
            pages.append(page)
            after = page[-1]

        assert [name for page in pages for name in page] == ["A", "b", "c/d", "ä"]
        assert max(map(len, pages)) <= 2

    def test_newest_when_they_must_fit_then_as_many_as_do_are_told_by_their_number(
        self, store: Store, save: Save
    ) -> None:
        for number in range(4):
            save(store, "wf" if number % 2 else "other", state={"n": number})
        sizes = {each.number: each.size for name in ("wf", "other") for each in _aged(store, name)}
        newest_first = sorted(sizes, reverse=True)
        two = sum(sizes[number] for number in newest_first[:2])

        assert _number_of_newest(store, two) <= newest_first[1]
        assert newest_first[2] < _number_of_newest(store, two)
        assert _number_of_newest(store, two - 1) > newest_first[1]
        assert _number_of_newest(store, 0) > newest_first[0]
        assert _number_of_newest(store, sum(sizes.values())) <= newest_first[3]
        own = _aged(store, "wf")
        assert own[0].number < _number_of_newest(store, own[1].size, "wf") <= own[1].number

    def test_policy_when_set_then_it_is_kept_and_can_be_taken_back(
        self, store: Store, save: Save
    ) -> None:
        save(store)
        for policy in (OwnRetention(0.5, 3), OwnRetention(count=0), OwnRetention()):
            store.write(lambda uow, policy=policy: uow.retention.set_policy("wf", policy))  # type: ignore[misc]
            assert store.read(lambda uow: uow.retention.policy("wf")) == policy

    def test_remove_when_a_checkpoint_was_consolidated_then_contexts_stay_and_need_no_ancestor(
        self, store: Store, save: Save
    ) -> None:
        saved = _history(store, save)
        before = {each.id: _context(store, each) for each in saved}

        assert store.write(lambda uow: uow.retention.consolidate("wf", 5)) is True
        assert store.write(lambda uow: uow.retention.consolidate("wf", 5)) is False
        removed = store.write(lambda uow: uow.retention.remove("wf", 1, 4, LATER))

        assert removed.count == 4
        assert removed.size > 0
        for each in saved[4:]:
            assert _context(store, each) == before[each.id]
            assert store.read(lambda uow, each=each: uow.checkpoints.get(each.id)).parent_id == (  # type: ignore[misc]
                each.parent_id
            )
        chain = store.read(lambda uow: uow.checkpoints.chain(saved[-1].id))
        assert chain == tuple(each.id for each in reversed(saved[4:]))

    def test_consolidate_when_it_was_prepared_then_it_comes_to_the_same(
        self, store: Store, save: Save
    ) -> None:
        saved = _history(store, save)
        before = [_context(store, each) for each in saved]

        for sequence, near in ((3, None), (5, 3)):
            prepared = store.read(
                lambda uow, sequence=sequence, near=near: uow.retention.prepare(  # type: ignore[misc]
                    "wf", sequence, near=near
                )
            )
            assert prepared is not None
            store.write(
                lambda uow, sequence=sequence, prepared=prepared: uow.retention.consolidate(  # type: ignore[misc]
                    "wf", sequence, prepared
                )
            )
        assert store.read(lambda uow: uow.retention.prepare("wf", 5)) is None
        assert store.read(lambda uow: uow.retention.prepare("wf", 1)) is None, "it has no parent"

        store.write(lambda uow: uow.retention.remove("wf", 4, 4, LATER))
        store.write(lambda uow: uow.retention.remove("wf", 1, 2, LATER))
        assert [_context(store, saved[at]) for at in (2, 4, 5)] == [before[at] for at in (2, 4, 5)]

    def test_remove_when_what_stays_was_not_consolidated_then_its_chain_is_broken(
        self, store: Store, save: Save
    ) -> None:
        saved = _history(store, save)
        store.write(lambda uow: uow.retention.remove("wf", 1, 2, LATER))

        with pytest.raises(ChainBroken):
            _context(store, saved[2])

    def test_remove_when_done_then_asking_for_what_went_says_when(
        self, store: Store, save: Save
    ) -> None:
        saved = _history(store, save)
        store.write(lambda uow: uow.retention.consolidate("wf", 5))
        store.write(lambda uow: uow.retention.remove("wf", 3, 4, LATER))
        store.write(lambda uow: uow.retention.remove("wf", 1, 2, LATER + timedelta(days=1)))

        def get(at: int) -> Any:
            return store.read(lambda uow: uow.checkpoints.get(saved[at].id))

        for at, when in ((2, LATER), (3, LATER), (0, LATER + timedelta(days=1))):
            with pytest.raises(Purged) as caught:
                get(at)
            assert caught.value.at == when
            assert str(saved[at].id) in str(caught.value)
        for read in ("payload", "replay", "chain"):
            with pytest.raises(Purged):
                store.read(lambda uow, read=read: getattr(uow.checkpoints, read)(saved[2].id))  # type: ignore[misc]
        with pytest.raises(Purged, match="parent"):
            save(store, parent=saved[1].id)
        assert store.read(lambda uow: uow.retention.purged_at("wf")) == LATER + timedelta(days=1)
        assert store.read(lambda uow: uow.retention.purged_at("wf", 5)) is None
        with pytest.raises(NotFound) as never:
            store.read(lambda uow: uow.checkpoints.get(saved[0].id.__class__("wf", None, None, 99)))
        assert not isinstance(never.value, Purged)

    def test_remove_when_it_takes_everything_then_sequences_and_numbers_go_on_from_there(
        self, store: Store, save: Save
    ) -> None:
        saved = _history(store, save)
        last = store.read(lambda uow: uow.retention.newest_number())

        def take_all(uow: UnitOfWork) -> Removed:
            uow.events.append(DomainEvent(EventKind.PURGED, "wf", LATER))
            uow.checkpoints.forget_opening("wf")
            return uow.retention.remove("wf", 1, len(saved), LATER)

        assert store.write(take_all).count == len(saved)
        assert store.read(lambda uow: uow.checkpoints.standing("wf")) is None
        assert store.read(lambda uow: uow.retention.newest_number()) == last + 1

        again = save(store, state={"n": 1})

        assert again.id.sequence == len(saved) + 1
        assert _aged(store)[0].number == last + 2
        assert _context(store, again)["workflow_state"] == {"n": 1}

    def test_remove_when_the_transaction_is_rolled_back_then_nothing_went(
        self, store: Store, save: Save
    ) -> None:
        saved = _history(store, save)
        before = [_context(store, each) for each in saved]

        def fail(uow: UnitOfWork) -> None:
            uow.retention.consolidate("wf", 5)
            uow.retention.remove("wf", 1, 4, LATER)
            uow.retention.remove_events("wf", below=10_000, most=100)
            uow.retention.set_policy("wf", OwnRetention(1, 1))
            raise KeyError

        with pytest.raises(KeyError):
            store.write(fail)

        assert [_context(store, each) for each in saved] == before
        assert store.read(lambda uow: uow.retention.purged_at("wf")) is None
        assert store.read(lambda uow: uow.retention.policy("wf")) == OwnRetention()

    def test_events_when_removed_then_the_oldest_go_and_only_those_of_the_workflow(
        self, store: Store, save: Save
    ) -> None:
        for number in range(6):
            name = "other" if number == 1 else "wf"
            event = DomainEvent(EventKind.RESUMED, name, AT, detail={"n": number})
            store.write(lambda uow, event=event: uow.events.append(event))  # type: ignore[misc]
        numbers = [each.number for each in store.read(lambda uow: uow.events.read())]

        def remove(most: int) -> int:
            return store.write(
                lambda uow: uow.retention.remove_events("wf", below=numbers[4], most=most)
            )

        assert [remove(2), remove(2), remove(2)] == [2, 1, 0]
        left = store.read(lambda uow: uow.events.read())
        assert [each.detail["n"] for each in left] == [1, 4, 5]

    def test_give_back_when_nothing_is_free_then_there_is_no_more(
        self, store: Store, save: Save
    ) -> None:
        _history(store, save)

        while store.give_back():
            pass

        assert store.give_back() is False


def _history(store: Store, save: Save) -> list[Checkpoint]:
    """Write six checkpoints that build on each other."""
    return [
        save(store, "wf", "workflow_start", input={"in": 1}),
        save(store, "wf", state={"a": 1, "text": "x" * 2000}),
        save(store, "wf/s", "stage_start", state={"b": [1, 2]}),
        save(store, "wf", patch={"a": None, "c": 1.0}),
        save(store, "wf/s", patch={"d": True}),
        save(store, "wf", state={"a": 2, "text": "x" * 2000}),
    ]


def _aged(store: Store, name: str = "wf", **about: Any) -> list[AgedCheckpoint]:
    return store.read(lambda uow: list(uow.retention.aged(name, **about)))


def _names(store: Store, after: str) -> list[str]:
    return store.read(lambda uow: uow.retention.workflow_ids(after=after, limit=2))


def _number_of_newest(store: Store, size: int, name: str | None = None) -> int:
    return store.read(lambda uow: uow.retention.number_of_newest(size, name))


def _context(store: Store, checkpoint: Checkpoint) -> dict[str, Any]:
    replay = store.read(lambda uow: uow.checkpoints.replay(checkpoint.id))
    found = context_of(replay, tuple).to_dict()
    assert canonical(found)
    return found
