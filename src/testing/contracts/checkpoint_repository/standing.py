"""Every checkpoint repository knows where a workflow stands, and what is open in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ....domain.checkpoint_status import CheckpointStatus
from ....domain.error_record import ErrorRecord
from ....domain.ports import Store
from ....domain.workflow_summary import WorkflowStanding
from .material import AT, LATER, FieldsOf, S, Save


class Standing:
    """See `CheckpointRepositoryContract`."""

    # Updating.

    def test_update_when_a_checkpoint_changed_then_what_can_change_is_kept(
        self, store: Store, save: Save, fields_of: FieldsOf
    ) -> None:
        saved = save(store, "wf", "workflow_start", state={"a": 1}, name="kept", metadata={"k": 1})
        saved.status = S.RECOVERING
        saved.updated_at = LATER
        saved.epoch = 4
        saved.resume_handler = "carry on ✓"
        saved.retry_count = 2
        saved.due_at = LATER + timedelta(hours=1)
        saved.reason = "раз"
        saved.error = ErrorRecord("E", "m", "t")
        wanted = fields_of(saved)

        store.write(lambda uow: uow.checkpoints.update(saved))

        assert fields_of(store.read(lambda uow: uow.checkpoints.get(saved.id))) == wanted
        assert store.read(lambda uow: uow.checkpoints.get(saved.id)).state == {"a": 1}

    def test_update_when_things_became_none_again_then_they_are_none(
        self, store: Store, save: Save
    ) -> None:
        saved = save(
            store, "wf", resume_handler="h", due_at=AT, reason="r", error=ErrorRecord("E", "m")
        )
        saved.resume_handler = saved.due_at = saved.reason = saved.error = None

        store.write(lambda uow: uow.checkpoints.update(saved))

        found = store.read(lambda uow: uow.checkpoints.get(saved.id))
        assert [found.resume_handler, found.due_at, found.reason, found.error] == [None] * 4

    def test_update_when_something_else_was_changed_then_that_is_not_kept(
        self, store: Store, save: Save, fields_of: FieldsOf
    ) -> None:
        root = save(store, "wf")
        saved = save(store, "wf", name="name", metadata={"k": 1}, max_retries=5)
        wanted = fields_of(saved.copy())
        saved.name, saved.metadata, saved.max_retries = "other", {"k": 2}, 6
        saved.parent_id, saved.created_at, saved.kind = None, LATER, "other"
        saved.depends_on = (root.id,)

        store.write(lambda uow: uow.checkpoints.update(saved))

        assert fields_of(store.read(lambda uow: uow.checkpoints.get(saved.id))) == wanted

    # Where a workflow stands.

    def test_standing_when_the_workflow_is_unknown_then_none(
        self, store: Store, save: Save
    ) -> None:
        save(store, "other")

        assert store.read(lambda uow: uow.checkpoints.standing("wf")) is None

    def test_standing_when_nothing_opened_it_then_it_is_a_record(
        self, store: Store, save: Save
    ) -> None:
        saved = save(store, "wf/s/a", resume_handler="ignored")

        standing = store.read(lambda uow: uow.checkpoints.standing("wf"))

        assert standing == WorkflowStanding(saved.id, None, None, None)

    def test_standing_when_opened_then_it_tells_of_the_opening(
        self, store: Store, save: Save
    ) -> None:
        opening = save(store, "wf", "workflow_start", resume_handler="carry on")
        head = save(store, "wf/s", "stage_start", resume_handler="of the stage")

        standing = store.read(lambda uow: uow.checkpoints.standing("wf"))

        assert standing == WorkflowStanding(head.id, opening.id, S.ACTIVE, "carry on")

    def test_standing_when_the_opening_is_updated_then_it_follows(
        self, store: Store, save: Save
    ) -> None:
        opening = save(store, "wf", "workflow_start")
        opening.status, opening.resume_handler = S.FAILED, "named later"

        store.write(lambda uow: uow.checkpoints.update(opening))

        standing = store.read(lambda uow: uow.checkpoints.standing("wf"))
        assert standing == WorkflowStanding(opening.id, opening.id, S.FAILED, "named later")

    def test_standing_when_opened_twice_then_the_newest_opening_counts(
        self, store: Store, save: Save
    ) -> None:
        first = save(store, "wf", "workflow_start", resume_handler="a")
        second = save(store, "wf", "workflow_start", resume_handler="b")
        first.status, first.resume_handler = S.KILLED, "changed"

        store.write(lambda uow: uow.checkpoints.update(first))

        standing = store.read(lambda uow: uow.checkpoints.standing("wf"))
        assert standing == WorkflowStanding(second.id, second.id, S.ACTIVE, "b")

    def test_standing_when_started_again_from_an_older_parent_then_the_newest_is_the_head(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf")
        save(store, "wf/s")
        newest = save(store, "wf", parent=root.id)

        standing = store.read(lambda uow: uow.checkpoints.standing("wf"))

        assert standing is not None
        assert standing.head == newest.id

    def test_standing_when_in_the_same_unit_of_work_then_it_knows_of_what_was_added(
        self, store: Store, put: Save
    ) -> None:
        def work(uow: Any) -> list[WorkflowStanding | None]:
            before = uow.checkpoints.standing("wf")
            opening = put(uow, "wf", "workflow_start")
            opened = uow.checkpoints.standing("wf")
            opening.complete(LATER)
            uow.checkpoints.update(opening)
            return [before, opened, uow.checkpoints.standing("wf")]

        before, opened, completed = store.write(work)

        assert before is None
        assert opened is not None
        assert opened.status is S.ACTIVE
        assert completed is not None
        assert completed.status is S.COMPLETED

    # What is unfinished.

    @pytest.mark.parametrize(
        ("status", "listed"),
        [
            (S.ACTIVE, True),
            (S.RECOVERING, True),
            (S.WAITING, True),
            (S.FAILED, True),
            (S.COMPLETED, False),
            (S.KILLED, False),
        ],
    )
    def test_unfinished_when_an_opening_has_a_status_then_it_is_listed_unless_final(
        self, store: Store, save: Save, status: CheckpointStatus, listed: bool
    ) -> None:
        opening = save(store, "wf/s", "stage_start")
        opening.status = status

        store.write(lambda uow: uow.checkpoints.update(opening))

        unfinished = store.read(lambda uow: uow.checkpoints.unfinished("wf"))
        assert [each.id for each in unfinished] == ([opening.id] if listed else [])

    def test_unfinished_when_there_are_several_then_in_the_order_of_opening(
        self, store: Store, save: Save
    ) -> None:
        save(store, "other", "workflow_start")
        root = save(store, "wf", "workflow_start")
        stage = save(store, "wf/s", "stage_start")
        save(store, "wf", "progress", status=S.ACTIVE)
        save(store, "wf/s", "error_state")
        agent = save(store, "wf/s/a", "agent_start", status=S.FAILED)
        save(store, "wf/t", "stage_complete")
        stage.touch(LATER)
        store.write(lambda uow: uow.checkpoints.update(stage))

        unfinished = store.read(lambda uow: uow.checkpoints.unfinished("wf"))

        assert [each.id for each in unfinished] == [root.id, stage.id, agent.id]

    def test_unfinished_when_the_workflow_is_unknown_then_nothing(self, store: Store) -> None:
        assert store.read(lambda uow: uow.checkpoints.unfinished("wf")) == []
