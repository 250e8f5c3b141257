"""Every checkpoint repository finds checkpoints and sums workflows up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ....domain.checkpoint_id import CheckpointId
from ....domain.checkpoint_status import CheckpointStatus
from ....domain.checkpoint_type import CheckpointType
from ....domain.errors import NotFound
from ....domain.json_value import JsonValue
from ....domain.lease import Lease, Owner
from ....domain.moment import Moment
from ....domain.ports import CheckpointFilter, Store
from ....domain.workflow_summary import WorkflowSummary
from .material import AT, LATER, S, Save


class Finding:
    """See `CheckpointRepositoryContract`."""

    # Finding.

    def test_find_when_nothing_is_asked_then_all_the_newest_first(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, scope).id for scope in ("b", "a", "b/s", "c", "a")]

        assert _find(store) == list(reversed(ids))

    def test_find_when_the_store_is_empty_then_nothing(self, store: Store) -> None:
        assert _find(store) == []
        assert _find(store, workflow_id="unknown") == []

    def test_find_when_filtered_then_only_what_matches_the_newest_first(
        self, store: Store, save: Save
    ) -> None:
        one = save(store, "a", "workflow_start", metadata={"k": 1})
        two = save(store, "a/s", "stage_start", status=S.FAILED, metadata={"k": 1, "l": 2})
        three = save(store, "b", "workflow_start", metadata={"k": 2})
        four = save(store, "a/t", "stage_start")

        assert _find(store, workflow_id="a") == [four.id, two.id, one.id]
        assert _find(store, status=S.ACTIVE) == [four.id, three.id, one.id]
        assert _find(store, type=CheckpointType.STAGE_START) == [four.id, two.id]
        assert _find(store, metadata={"k": 1}) == [two.id, one.id]
        assert _find(store, metadata={}) == [four.id, three.id, two.id, one.id]
        assert _find(store, older_than=three.id) == [two.id, one.id]
        assert _find(store, older_than=one.id) == []

    def test_find_when_filtered_in_several_ways_then_all_of_them_must_match(
        self, store: Store, save: Save
    ) -> None:
        one = save(store, "a/s", "stage_start", metadata={"k": 1, "l": 2})
        save(store, "b/s", "stage_start", metadata={"k": 1, "l": 2})
        save(store, "a/s", "stage_start", status=S.KILLED, metadata={"k": 1, "l": 2})
        save(store, "a/s", "stage_complete", status=S.ACTIVE, metadata={"k": 1, "l": 2})
        save(store, "a/s", "stage_start", metadata={"k": 1, "l": 3})
        last = save(store, "a/s", "stage_start", metadata={"k": 1, "l": 2})
        wanted = {
            "workflow_id": "a",
            "status": S.ACTIVE,
            "type": CheckpointType.STAGE_START,
            "metadata": {"k": 1, "l": 2},
        }

        assert _find(store, **wanted) == [last.id, one.id]
        assert _find(store, **wanted, older_than=last.id) == [one.id]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"k": 1}, True),
            ({"k": True}, False),
            ({"k": 1.0}, False),
            ({"k": "1"}, False),
            ({"": {"b": [None], "a": -0.0}}, True),
            ({"": {"b": [None], "a": 0.0}}, False),
            ({"absent": None}, False),
            ({"none": None}, True),
            ({"k": 1, "none": None}, True),
            ({"k": 1, "none": 0}, False),
        ],
    )
    def test_find_when_metadata_is_asked_for_then_equal_in_value_and_type(
        self, store: Store, save: Save, wanted: dict[str, JsonValue], found: bool
    ) -> None:
        saved = save(store, metadata={"k": 1, "": {"a": -0.0, "b": [None]}, "none": None})

        assert _find(store, metadata=wanted) == ([saved.id] if found else [])

    def test_find_when_older_than_one_that_is_not_there_then_not_found(
        self, store: Store, save: Save
    ) -> None:
        save(store)

        with pytest.raises(NotFound, match="wf@9"):
            _find(store, older_than=CheckpointId("wf", None, None, 9))

    def test_find_when_a_branch_was_started_then_the_newest_written_comes_first(
        self, store: Store, save: Save
    ) -> None:
        root = save(store)
        left = save(store)
        right = save(store, parent=root.id)

        assert _find(store, workflow_id="wf") == [right.id, left.id, root.id]

    def test_find_when_not_read_to_the_end_then_the_store_can_be_used_on(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store).id for _ in range(5)]

        first = store.read(lambda uow: next(uow.checkpoints.find(CheckpointFilter())))

        assert first.id == ids[-1]
        assert save(store).id.sequence == 6

    # Workflows at a glance.

    def test_summaries_when_there_are_workflows_then_each_has_one_the_last_written_first(
        self, store: Store, save: Save
    ) -> None:
        save(store, "a", "workflow_start")
        save(store, "b")
        save(store, "c")
        save(store, "a/s")

        found = store.read(lambda uow: [each.workflow_id for each in uow.checkpoints.summaries()])

        assert found == ["a", "c", "b"]

    def test_summaries_when_opened_then_it_tells_of_the_newest_opening(
        self, store: Store, save: Save
    ) -> None:
        first = save(store, "wf", "workflow_start", name="old", resume_handler="old")
        opening = save(
            store,
            "wf",
            "workflow_start",
            name="Title",
            resume_handler="h",
            retry_count=2,
            max_retries=9,
            status=S.FAILED,
            at=AT + timedelta(seconds=1),
        )
        head = save(store, "wf/s", at=AT + timedelta(seconds=2))
        store.write(lambda uow: uow.leases.put(_lease("wf", 7)))

        (found,) = store.read(lambda uow: list(uow.checkpoints.summaries()))

        assert found == WorkflowSummary(
            workflow_id="wf",
            name="Title",
            status=S.FAILED,
            handler="h",
            head=head.id,
            checkpoints=3,
            retry_count=2,
            max_retries=9,
            epoch=7,
            created_at=first.created_at,
            updated_at=AT + timedelta(seconds=2),
        )
        assert opening.id != first.id

    def test_summaries_when_it_is_a_record_then_it_has_no_status(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf", resume_handler="h")

        (found,) = store.read(lambda uow: list(uow.checkpoints.summaries()))

        assert (found.status, found.name, found.handler, found.epoch) == (None, None, None, 0)

    def test_summaries_when_there_was_a_heartbeat_then_it_was_updated_then(
        self, store: Store, save: Save
    ) -> None:
        opening = save(store, "wf", "workflow_start")
        save(store, "wf/s", at=AT + timedelta(seconds=2))
        opening.touch(AT + timedelta(seconds=9))

        store.write(lambda uow: uow.checkpoints.update(opening))

        (found,) = store.read(lambda uow: list(uow.checkpoints.summaries()))
        assert found.updated_at == AT + timedelta(seconds=9)

    @pytest.mark.parametrize("status", list(CheckpointStatus))
    def test_summaries_when_a_status_is_asked_for_then_only_workflows_with_it(
        self, store: Store, save: Save, status: CheckpointStatus
    ) -> None:
        for each in CheckpointStatus:
            save(store, each.value, "workflow_start", status=each)
        save(store, "record", status=status)

        found = store.read(lambda uow: list(uow.checkpoints.summaries(status=status)))

        assert [each.workflow_id for each in found] == [status.value]

    def test_unfinished_workflows_when_workflows_have_any_status_then_all_but_those_at_their_end(
        self, store: Store, save: Save
    ) -> None:
        for each in CheckpointStatus:
            save(store, each.value, "workflow_start", status=each)
        save(store, "record/s", "stage_start")

        found = store.read(
            lambda uow: {str(each.id) for each in uow.checkpoints.unfinished_workflows()}
        )

        assert found == {"active@1", "recovering@1", "waiting@1", "failed@1"}

    def test_unfinished_workflows_when_opened_anew_then_only_the_newest_opening_counts(
        self, store: Store, save: Save
    ) -> None:
        save(store, "again", "workflow_start", status=S.KILLED)
        again = save(store, "again", "workflow_start")
        save(store, "over", "workflow_start")
        save(store, "over", "workflow_start", status=S.COMPLETED)

        found = store.read(lambda uow: [each.id for each in uow.checkpoints.unfinished_workflows()])

        assert found == [again.id]

    def test_unfinished_workflows_when_the_opening_is_updated_then_it_follows(
        self, store: Store, save: Save
    ) -> None:
        opening = save(store, "wf", "workflow_start")
        opening.complete(LATER)

        store.write(lambda uow: uow.checkpoints.update(opening))

        assert store.read(lambda uow: list(uow.checkpoints.unfinished_workflows())) == []

    def test_workflow_ids_when_there_are_more_than_asked_for_then_as_many_as_asked_for(
        self, store: Store, save: Save
    ) -> None:
        for name in ("a", "b%2F1", "c"):
            save(store, name)

        everything = store.read(lambda uow: uow.checkpoints.workflow_ids(10))
        two = store.read(lambda uow: uow.checkpoints.workflow_ids(2))

        assert sorted(everything) == ["a", "b/1", "c"]
        assert len(two) == 2
        assert set(two) < set(everything)


def _find(store: Store, **wanted: Any) -> list[CheckpointId]:
    found = CheckpointFilter(**wanted)
    return store.read(lambda uow: [each.id for each in uow.checkpoints.find(found)])


def _lease(resource: str, epoch: int) -> Lease:
    owner = Owner("host", "boot", "pid:[1]", 7, 8)
    return Lease(resource, epoch, "token", owner, 60.0, AT, Moment(AT, "boot", 1))
