"""Every checkpoint repository refuses what cannot be, and shares no object with its caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from ....domain.checkpoint import Checkpoint
from ....domain.checkpoint_id import CheckpointId
from ....domain.checkpoint_type import CheckpointType
from ....domain.errors import HoldfastError, NotFound
from ....domain.payload import EMPTY
from ....domain.ports import CheckpointFilter, Store
from ....domain.scope import Scope
from .material import AT, LATER, FieldsOf, S, Save


class Refusing:
    """See `CheckpointRepositoryContract`."""

    # What is not there.

    @pytest.mark.parametrize("wanted", ["other@1", "wf@2", "wf/s@1", "wf/s/a@1"])
    def test_reading_when_there_is_no_such_checkpoint_then_not_found(
        self, store: Store, save: Save, wanted: str
    ) -> None:
        save(store, "wf")
        checkpoint_id = CheckpointId.parse(wanted)

        with pytest.raises(NotFound, match=wanted):
            store.read(lambda uow: uow.checkpoints.get(checkpoint_id))
        with pytest.raises(NotFound, match=wanted):
            store.read(lambda uow: uow.checkpoints.payload(checkpoint_id))
        with pytest.raises(NotFound, match=wanted):
            store.read(lambda uow: uow.checkpoints.chain(checkpoint_id))

    @pytest.mark.parametrize("wanted", ["other@1", "wf@2", "wf/s@1", "wf/s/a@1"])
    def test_replay_when_there_is_no_such_checkpoint_then_not_found(
        self, store: Store, save: Save, wanted: str
    ) -> None:
        save(store, "wf")
        checkpoint_id = CheckpointId.parse(wanted)

        with pytest.raises(NotFound, match=wanted):
            store.read(lambda uow: uow.checkpoints.replay(checkpoint_id))

    @pytest.mark.parametrize("wanted", ["other@1", "wf@2", "wf/s@1"])
    def test_newest_intact_when_there_is_no_such_checkpoint_then_not_found(
        self, store: Store, save: Save, wanted: str
    ) -> None:
        save(store, "wf")
        checkpoint_id = CheckpointId.parse(wanted)

        with pytest.raises(NotFound, match=wanted):
            store.read(lambda uow: uow.checkpoints.newest_intact(checkpoint_id))

    @pytest.mark.parametrize("wanted", ["other@1", "wf@2", "wf/s@1"])
    def test_update_when_there_is_no_such_checkpoint_then_not_found(
        self, store: Store, save: Save, wanted: str
    ) -> None:
        stranger = save(store, "wf").copy()
        stranger.id = CheckpointId.parse(wanted)

        with pytest.raises(NotFound, match=wanted):
            store.write(lambda uow: uow.checkpoints.update(stranger))

    @pytest.mark.parametrize("parent", ["wf@3", "wf/s@1", "other@1", "nowhere@1"])
    def test_add_when_its_parent_is_not_there_then_it_is_refused(
        self, store: Store, save: Save, parent: str
    ) -> None:
        save(store, "wf")
        save(store, "wf")
        save(store, "other")

        with pytest.raises(HoldfastError, match=parent):
            save(store, "wf", parent=CheckpointId.parse(parent))

        standing = store.read(lambda uow: uow.checkpoints.standing("wf"))
        assert standing is not None
        assert str(standing.head) == "wf@2"

    def test_add_when_the_id_is_taken_then_it_is_refused_and_the_first_stays(
        self, store: Store, save: Save
    ) -> None:
        first = save(store, "wf", name="first")
        second = first.copy()
        second.name = "second"

        with pytest.raises((HoldfastError, ValueError)):
            store.write(lambda uow: uow.checkpoints.add(second, EMPTY))

        assert store.read(lambda uow: uow.checkpoints.get(first.id)).name == "first"

    # Copies are independent.

    def test_add_when_the_caller_changes_its_object_later_then_the_store_does_not_change(
        self, store: Store, fields_of: FieldsOf
    ) -> None:
        checkpoint = Checkpoint(
            CheckpointId("wf", None, None, 1),
            CheckpointType.WORKFLOW_START,
            S.ACTIVE,
            AT,
            AT,
            metadata={"tags": ["a"], "n": 1},
        )
        store.write(lambda uow: uow.checkpoints.add(checkpoint, EMPTY))
        wanted = fields_of(store.read(lambda uow: uow.checkpoints.get(checkpoint.id)))

        _spoil(checkpoint)

        assert fields_of(store.read(lambda uow: uow.checkpoints.get(checkpoint.id))) == wanted
        assert wanted["metadata"] == {"tags": ["a"], "n": 1}

    @pytest.mark.parametrize(
        "way", ["get", "find", "unfinished", "unfinished_workflows", "scope_last"]
    )
    def test_reading_when_the_caller_changes_what_it_got_then_the_store_does_not_change(
        self, store: Store, save: Save, fields_of: FieldsOf, way: str
    ) -> None:
        closed = way == "scope_last"
        type_ = "workflow_complete" if closed else "workflow_start"
        saved = save(store, "wf", type_, metadata={"tags": ["a"], "n": 1})

        _spoil(_read_by(way, store, saved))

        found = fields_of(_read_by("get", store, saved))
        assert found["metadata"] == {"tags": ["a"], "n": 1}
        assert found["status"] is (S.COMPLETED if closed else S.ACTIVE)

    def test_update_when_the_caller_changes_its_object_later_then_the_store_does_not_change(
        self, store: Store, save: Save
    ) -> None:
        saved = save(store, "wf", "workflow_start")
        saved.touch(LATER)
        store.write(lambda uow: uow.checkpoints.update(saved))

        _spoil(saved)

        found = store.read(lambda uow: uow.checkpoints.get(saved.id))
        assert (found.status, found.updated_at) == (S.ACTIVE, LATER)

    def test_replay_when_the_caller_changes_its_states_then_the_store_does_not_change(
        self, store: Store, save: Save
    ) -> None:
        saved = save(store, "wf", "workflow_start", state={"list": [1]}, input={"list": [2]})
        record = store.read(lambda uow: uow.checkpoints.replay(saved.id)).record(Scope("wf"))

        record.state["list"].append(9)
        record.input["list"].append(9)

        again = store.read(lambda uow: uow.checkpoints.replay(saved.id)).record(Scope("wf"))
        assert (again.state, again.input) == ({"list": [1]}, {"list": [2]})

    # What a checkpoint holds is read when asked for.

    @pytest.mark.parametrize("way", ["add", "get", "find", "unfinished", "unfinished_workflows"])
    def test_contents_when_asked_for_then_they_are_read_from_the_store(
        self, store: Store, save: Save, way: str
    ) -> None:
        saved = save(store, "wf", "workflow_start", state={"a": 1}, input=[1], output="o", name="T")
        checkpoint = saved if way == "add" else _read_by(way, store, saved)

        assert (checkpoint.state, checkpoint.input, checkpoint.output) == ({"a": 1}, [1], "o")
        assert (checkpoint.workflow.name, checkpoint.workflow.context) == ("T", {"a": 1})
        assert (checkpoint.stage, checkpoint.agent) == (None, None)

    def test_contents_when_of_an_older_checkpoint_then_they_are_as_of_then(
        self, store: Store, save: Save
    ) -> None:
        old = save(store, "wf/s/a", "agent_start", state={"n": 1})
        save(store, "wf/s/a", state={"n": 2})

        found = store.read(lambda uow: uow.checkpoints.get(old.id))

        assert found.state == {"n": 1}
        assert found.agent is not None
        assert found.agent.context == {"n": 1}


def _spoil(checkpoint: Checkpoint) -> None:
    """Change whatever can be changed of an object."""
    checkpoint.status = S.KILLED
    checkpoint.updated_at = LATER + timedelta(days=1)
    checkpoint.name = "spoilt"
    checkpoint.epoch = 99
    tags: Any = checkpoint.metadata.get("tags", [])
    tags.append("spoilt")
    metadata: Any = checkpoint.metadata
    metadata["n"] = "spoilt"


def _read_by(way: str, store: Store, saved: Checkpoint) -> Checkpoint:
    def work(uow: Any) -> Iterator[Checkpoint]:
        found: dict[str, Callable[[], Any]] = {
            "get": lambda: [uow.checkpoints.get(saved.id)],
            "find": lambda: uow.checkpoints.find(CheckpointFilter()),
            "unfinished": lambda: uow.checkpoints.unfinished(saved.id.workflow_id),
            "unfinished_workflows": uow.checkpoints.unfinished_workflows,
            "scope_last": lambda: [uow.checkpoints.scope_last(saved.scope, saved.id)],
        }
        return iter(list(found[way]()))

    (checkpoint,) = store.read(work)
    return checkpoint
