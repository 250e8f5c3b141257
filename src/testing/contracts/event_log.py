"""What every event log promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.events import DomainEvent, EventKind
from ...domain.json_value import canonical
from ...domain.ports import Store, UnitOfWork

Save = Callable[..., Checkpoint]


AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


RESUMED = DomainEvent(EventKind.RESUMED, "wf", AT)


class EventLogContract:
    """Subclass it for each adapter, with a fixture ``store``."""

    def test_read_when_nothing_happened_then_nothing(self, store: Store) -> None:
        assert _read(store) == []
        assert _read(store, workflow_id="wf") == []

    @pytest.mark.parametrize(
        "event",
        [
            RESUMED,
            *(replace(RESUMED, kind=kind) for kind in EventKind),
            DomainEvent(
                EventKind.FELL_BACK,
                "release/42 @ 日本語 🚀",
                AT + timedelta(microseconds=1),
                CheckpointId("release/42 @ 日本語 🚀", "..", "a@1", 7),
                2**53 + 1,
                "correlation ✓",
                {"": None, "ключ": [-0.0, {"n": 2**53 + 1}], "text": "\x00\u2028"},
            ),
            replace(RESUMED, at=datetime(1969, 12, 31, tzinfo=UTC)),
        ],
    )
    def test_read_when_appended_then_every_field_is_equal(
        self, store: Store, event: DomainEvent
    ) -> None:
        _append(store, event)

        (found,) = _read(store)
        assert found == replace(event, number=found.number)
        assert canonical(dict(found.detail)) == canonical(dict(event.detail))

    def test_read_when_appended_with_a_number_then_it_gets_its_own(self, store: Store) -> None:
        _append(store, RESUMED)
        _append(store, replace(RESUMED, number=77))
        _append(store, RESUMED)

        numbers = [each.number for each in _read(store)]

        assert 0 < numbers[0] < numbers[1] < numbers[2]
        assert 77 not in numbers

    def test_read_when_a_checkpoint_was_added_then_its_row_is_its_created_event(
        self, store: Store, save: Save
    ) -> None:
        saved = save(store, "wf/s", "stage_start", name="Title", epoch=3, at=AT)

        (found,) = _read(store)

        assert found == DomainEvent(
            EventKind.CREATED,
            "wf",
            AT,
            saved.id,
            3,
            detail={"type": "stage_start", "name": "Title"},
            number=found.number,
        )
        assert found.number > 0

    def test_read_when_things_happened_in_turn_then_they_are_numbered_in_that_order_store_wide(
        self, store: Store, save: Save, put: Save
    ) -> None:
        def several(uow: UnitOfWork) -> None:
            uow.events.append(replace(RESUMED, kind=EventKind.LEASE_TAKEN))
            put(uow, "b")
            put(uow, "a/s")
            uow.events.append(replace(RESUMED, kind=EventKind.KILLED))

        save(store, "a")
        _append(store, RESUMED)
        store.write(several)
        save(store, "b")

        found = _read(store)

        assert [(each.kind, str(each.checkpoint_id or "")) for each in found] == [
            (EventKind.CREATED, "a@1"),
            (EventKind.RESUMED, ""),
            (EventKind.LEASE_TAKEN, ""),
            (EventKind.CREATED, "b@1"),
            (EventKind.CREATED, "a/s@2"),
            (EventKind.KILLED, ""),
            (EventKind.CREATED, "b@2"),
        ]
        numbers = [each.number for each in found]
        assert numbers == sorted(set(numbers))

    def test_read_when_after_a_number_then_only_what_follows(
        self, store: Store, save: Save
    ) -> None:
        for _ in range(3):
            save(store, "wf")
            _append(store, RESUMED)
        everything = _read(store)

        for index, event in enumerate(everything):
            assert _read(store, after=event.number) == everything[index + 1 :]

    @pytest.mark.parametrize("limit", [0, 1, 2, 3, 7, 8, 9])
    def test_read_when_limited_then_the_oldest_and_no_more(
        self, store: Store, save: Save, limit: int
    ) -> None:
        for _ in range(4):
            save(store, "wf")
        for _ in range(4):
            _append(store, RESUMED)
        everything = _read(store)

        assert _read(store, limit=limit) == everything[:limit]
        assert _read(store, after=everything[2].number, limit=2) == everything[3:5]

    def test_read_when_paged_then_nothing_is_left_out_or_comes_twice(
        self, store: Store, save: Save
    ) -> None:
        for number in range(12):
            save(store, "wf") if number % 3 else _append(store, RESUMED)
        everything = _read(store)

        pages: list[DomainEvent] = []
        while page := _read(store, after=pages[-1].number if pages else 0, limit=5):
            pages += page

        assert pages == everything
        assert len(pages) == 12

    def test_read_when_of_one_workflow_then_only_its_events(self, store: Store, save: Save) -> None:
        save(store, "wf")
        save(store, "other")
        _append(store, RESUMED)
        _append(store, replace(RESUMED, workflow_id="other"))
        _append(store, replace(RESUMED, workflow_id="without checkpoints"))
        save(store, "wf/s")

        found = _read(store, workflow_id="wf")

        assert [each.kind.value for each in found] == ["created", "resumed", "created"]
        assert {each.workflow_id for each in found} == {"wf"}
        assert _read(store, workflow_id="wf", after=found[0].number, limit=1) == [found[1]]
        assert len(_read(store, workflow_id="without checkpoints")) == 1
        assert _read(store, workflow_id="unknown") == []

    def test_read_when_in_the_same_unit_of_work_then_what_was_appended_is_there(
        self, store: Store, put: Save
    ) -> None:
        def work(uow: UnitOfWork) -> list[DomainEvent]:
            put(uow)
            uow.events.append(RESUMED)
            return uow.events.read()

        assert [each.kind.value for each in store.write(work)] == ["created", "resumed"]

    def test_append_when_the_unit_of_work_is_rolled_back_then_nothing_was_logged(
        self, store: Store, save: Save, put: Save
    ) -> None:
        def work(uow: UnitOfWork) -> None:
            put(uow)
            uow.events.append(RESUMED)
            raise LookupError

        save(store)
        before = _read(store)

        with pytest.raises(LookupError):
            store.write(work)

        assert _read(store) == before

    def test_append_when_others_were_rolled_back_then_no_acknowledged_number_comes_again(
        self, store: Store
    ) -> None:
        def work(uow: UnitOfWork) -> None:
            uow.events.append(RESUMED)
            raise LookupError

        _append(store, RESUMED)
        with pytest.raises(LookupError):
            store.write(work)
        _append(store, RESUMED)

        first, second = _read(store)
        assert first.number < second.number

    def test_read_when_a_checkpoint_was_taken_over_since_then_its_created_event_is_as_it_was(
        self, store: Store, save: Save
    ) -> None:
        saved = save(store, "wf", "workflow_start", epoch=1)
        before = _read(store)
        saved.take_over(2, AT + timedelta(seconds=1))

        store.write(lambda uow: uow.checkpoints.update(saved))

        assert _read(store) == before

    def test_append_when_the_caller_changes_its_detail_later_then_the_log_does_not_change(
        self, store: Store
    ) -> None:
        detail = {"list": [1]}
        _append(store, replace(RESUMED, detail=detail))

        detail["list"].append(2)
        detail["more"] = []

        assert _read(store)[0].detail == {"list": [1]}

    def test_read_when_the_caller_changes_what_it_got_then_the_log_does_not_change(
        self, store: Store
    ) -> None:
        _append(store, replace(RESUMED, detail={"list": [1]}))

        detail: Any = _read(store)[0].detail
        detail["list"].append(2)
        detail["more"] = []

        assert _read(store)[0].detail == {"list": [1]}


def _append(store: Store, event: DomainEvent) -> None:
    store.write(lambda uow: uow.events.append(event))


def _read(store: Store, **about: Any) -> list[DomainEvent]:
    return store.read(lambda uow: uow.events.read(**about))
