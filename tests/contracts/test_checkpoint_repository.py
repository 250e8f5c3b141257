"""What every checkpoint repository promises."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import MAX_SEQUENCE, CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.error_record import ErrorRecord
from holdfast.domain.errors import ChainBroken, HoldfastError, NotFound
from holdfast.domain.execution_context import context_of
from holdfast.domain.json_value import JsonValue, canonical
from holdfast.domain.lease import Lease, Owner
from holdfast.domain.moment import Moment
from holdfast.domain.payload import EMPTY, JsonText, Payload, same_json
from holdfast.domain.ports import CheckpointFilter, Store, UnitOfWork
from holdfast.domain.scope import Scope
from holdfast.domain.workflow_summary import WorkflowStanding, WorkflowSummary
from holdfast.infrastructure.memory import MemoryStore

Save = Callable[..., Checkpoint]
FieldsOf = Callable[[Checkpoint], dict[str, Any]]
PayloadOf = Callable[..., Payload]

S = CheckpointStatus
AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
LATER = AT + timedelta(microseconds=1)
AWKWARD_PARTS = ("release/42 @ 100%", "日本語 🚀", "..")


def _nested(depth: int) -> JsonValue:
    value: JsonValue = []
    for _ in range(depth - 1):
        value = [value]
    return value


AWKWARD_VALUES: dict[str, JsonValue] = {
    "empty object": {},
    "empty keys": {"": {"": [""]}},
    "unicode": {"naïve ключ 🗝": "日本語 \u2028 \x00 \x7f \U0010ffff"},
    "minus zero": {"value": -0.0, "list": [0.0, -0.0, 0]},
    "floats": [0.1, 1e308, 5e-324, 1e16, 1.0, -1.5e-7],
    "integers of 64 bits": [2**63 - 1, -(2**63), 2**63, 2**64 - 1],
    "integers beyond 64 bits": {"value": 2**64, "negative": -(2**63) - 1},
    "integer of 4,000 digits": [10**4000 - 1, -(10**4000) + 1],
    "one and true": [1, True, 1.0, 0, False, None],
    # The tests put each into one more container: 200 levels are legal.
    "200 levels": _nested(199),
    "text": "only a text",
    "false": False,
    "zero": 0,
}


class CheckpointRepositoryContract(ABC):
    """Subclass it for each adapter, with a fixture ``store``."""

    @abstractmethod
    def forget(self, store: Store, checkpoint_id: CheckpointId) -> None:
        """Take a checkpoint away behind the repository's back."""

    # What is read back equals what was added.

    def test_get_when_every_field_was_given_then_every_field_is_equal(
        self, store: Store, save: Save, fields_of: FieldsOf
    ) -> None:
        root = save(store, "release%2F42 %40 100%25")
        side = save(store, "release%2F42 %40 100%25/日本語 🚀")
        checkpoint = Checkpoint(
            id=CheckpointId(*AWKWARD_PARTS, 3),
            type=CheckpointType.AGENT_START,
            status=S.WAITING,
            created_at=AT,
            updated_at=LATER,
            parent_id=side.id,
            name="Título ☂ \x00",
            kind="família/ß",
            depends_on=(root.id, side.id),
            resume_handler="手 handler",
            retry_count=7,
            max_retries=2**40,
            epoch=2**53 + 1,
            error=ErrorRecord("pkg.Boom", "naïve\nmessage", "Traceback …\n  line"),
            reason="because ✗",
            due_at=AT + timedelta(days=7, microseconds=999_999),
            schema_version=1,
            metadata={"": "empty key", "ключ": ["a", {"b": -0.0}], "n": 2**53 + 1, "none": None},
        )
        wanted = fields_of(checkpoint.copy())

        store.write(lambda uow: uow.checkpoints.add(checkpoint, EMPTY))

        found = store.read(lambda uow: uow.checkpoints.get(checkpoint.id))
        assert fields_of(found) == wanted
        assert canonical(dict(found.metadata)) == canonical(dict(wanted["metadata"]))
        assert found.created_at.tzinfo is UTC

    def test_get_when_only_what_is_needed_was_given_then_the_rest_is_default(
        self, store: Store, fields_of: FieldsOf
    ) -> None:
        checkpoint = Checkpoint(
            CheckpointId("wf", None, None, 1), CheckpointType.PROGRESS, S.COMPLETED, AT, AT
        )
        wanted = fields_of(checkpoint.copy())

        store.write(lambda uow: uow.checkpoints.add(checkpoint, EMPTY))

        found = store.read(lambda uow: uow.checkpoints.get(checkpoint.id))
        assert fields_of(found) == wanted

    @pytest.mark.parametrize("type_", list(CheckpointType))
    @pytest.mark.parametrize("status", list(CheckpointStatus))
    def test_get_when_of_any_type_and_status_then_they_are_kept(
        self, store: Store, save: Save, type_: CheckpointType, status: CheckpointStatus
    ) -> None:
        scope = {"workflow": "wf", "stage": "wf/s"}.get(type_.scope_kind or "agent", "wf/s/a")

        saved = save(store, scope, type_.value, status=status)

        found = store.read(lambda uow: uow.checkpoints.get(saved.id))
        assert (found.id, found.type, found.status) == (saved.id, type_, status)

    @pytest.mark.parametrize("sequence", [1, 2**31, MAX_SEQUENCE])
    def test_get_when_the_sequence_is_large_then_it_is_found(
        self, store: Store, sequence: int
    ) -> None:
        checkpoint = Checkpoint(
            CheckpointId("wf", "s", None, sequence),
            CheckpointType.PROGRESS,
            S.COMPLETED,
            AT,
            AT,
        )

        store.write(lambda uow: uow.checkpoints.add(checkpoint, EMPTY))

        assert store.read(lambda uow: uow.checkpoints.get(checkpoint.id)).id == checkpoint.id

    @pytest.mark.parametrize("at", [datetime(1969, 7, 20, tzinfo=UTC), datetime.max])
    def test_get_when_written_long_ago_or_far_ahead_then_the_time_is_exact(
        self, store: Store, save: Save, at: datetime
    ) -> None:
        moment = at.replace(tzinfo=UTC)

        saved = save(store, at=moment, due_at=moment)

        found = store.read(lambda uow: uow.checkpoints.get(saved.id))
        assert (found.created_at, found.updated_at, found.due_at) == (moment, moment, moment)

    @pytest.mark.parametrize("value", AWKWARD_VALUES.values(), ids=AWKWARD_VALUES.keys())
    def test_payload_when_a_value_is_awkward_then_it_comes_back_equal_in_value_and_type(
        self, store: Store, save: Save, value: JsonValue
    ) -> None:
        saved = save(store, "wf/s/a", "agent_start", state={"value": value}, input=value)

        found = store.read(lambda uow: uow.checkpoints.get(saved.id))
        assert canonical(found.input) == canonical(value)
        assert canonical(found.state) == canonical({"value": value})

    @pytest.mark.parametrize("value", AWKWARD_VALUES.values(), ids=AWKWARD_VALUES.keys())
    def test_payload_when_read_then_each_member_is_of_the_value_that_was_added(
        self, store: Store, save: Save, payload_of: PayloadOf, value: JsonValue
    ) -> None:
        members = {"patch": {"a": value}, "input": value, "output": [value, 1]}

        saved = save(store, **members)

        found = store.read(lambda uow: uow.checkpoints.payload(saved.id))
        wanted = payload_of(**members)
        # The order of keys is not promised, so the texts may differ in that.
        for name in ("state", "patch", "input", "output"):
            text, other = getattr(found, name), getattr(wanted, name)
            assert (text is None) == (other is None)
            assert same_json(text, other)

    def test_payload_when_nothing_was_given_then_it_is_empty(
        self, store: Store, save: Save
    ) -> None:
        saved = save(store)

        assert store.read(lambda uow: uow.checkpoints.payload(saved.id)) == EMPTY

    def test_payload_when_it_holds_null_then_that_is_not_nothing(self, store: Store) -> None:
        checkpoint = Checkpoint(
            CheckpointId("wf", None, None, 1), CheckpointType.PROGRESS, S.COMPLETED, AT, AT
        )
        payload = Payload(input=JsonText(b"null"), output=JsonText(b"null"))

        store.write(lambda uow: uow.checkpoints.add(checkpoint, payload))

        assert store.read(lambda uow: uow.checkpoints.payload(checkpoint.id)) == payload

    def test_get_when_in_the_same_unit_of_work_then_what_was_added_is_there(
        self, store: Store, put: Save
    ) -> None:
        found = store.write(lambda uow: uow.checkpoints.get(put(uow, name="now").id))

        assert found.name == "now"

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

    # How a scope ended.

    @pytest.mark.parametrize(
        ("scope", "closing"),
        [("wf", "workflow_complete"), ("wf/s", "stage_complete"), ("wf/s/a", "agent_complete")],
    )
    def test_scope_end_when_closed_then_it_is_the_closing(
        self, store: Store, save: Save, scope: str, closing: str
    ) -> None:
        save(store, scope, closing.replace("complete", "start"))
        end = save(store, scope, closing, output={"r": 1})
        save(store, "wf/other", "stage_start")

        found = _scope_end(store, scope)

        assert found is not None
        assert (found.id, found.output) == (end.id, {"r": 1})

    def test_scope_end_when_other_scopes_were_closed_then_none(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s/a", "agent_complete")
        save(store, "wf/t/b", "agent_complete")
        save(store, "wf/t", "stage_complete")
        save(store, "wf", "workflow_complete")
        save(store, "other/s", "stage_complete")
        save(store, "wf/s", "progress", name="done")
        save(store, "wf/s", "error_state")

        for scope in ("wf/s", "wf/s/b", "wf/t/a", "unknown"):
            assert _scope_end(store, scope) is None, scope

    def test_scope_end_when_opened_anew_since_then_none(self, store: Store, save: Save) -> None:
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_complete")
        save(store, "wf/s", "stage_start")

        assert _scope_end(store, "wf/s") is None

    def test_scope_end_when_closed_again_then_the_newest_closing(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s", "stage_complete", output=1)
        save(store, "wf/s", "stage_start")
        again = save(store, "wf/s", "stage_complete", output=2)

        found = _scope_end(store, "wf/s")

        assert found is not None
        assert found.id == again.id

    def test_scope_end_when_closed_off_the_heads_chain_then_none(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf", "workflow_start")
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_complete")
        save(store, "wf", parent=root.id)

        assert _scope_end(store, "wf/s") is None

    def test_scope_end_when_closed_before_the_older_parent_then_it_counts(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s", "stage_start")
        end = save(store, "wf/s", "stage_complete")
        save(store, "wf/t", "stage_start")
        save(store, "wf/u", parent=end.id)

        found = _scope_end(store, "wf/s")

        assert found is not None
        assert found.id == end.id

    def test_scope_end_when_opened_anew_off_the_heads_chain_then_the_closing_still_counts(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s", "stage_start")
        end = save(store, "wf/s", "stage_complete")
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_complete")
        save(store, "wf/t", parent=end.id)

        found = _scope_end(store, "wf/s")

        assert found is not None
        assert found.id == end.id

    def test_scope_end_when_closed_on_the_new_branch_then_it_counts(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf", "workflow_start")
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_start", parent=root.id)
        end = save(store, "wf/s", "stage_complete")
        save(store, "wf/t", "stage_start")

        found = _scope_end(store, "wf/s")

        assert found is not None
        assert found.id == end.id

    def test_scope_end_when_the_branch_starts_from_nothing_then_older_closings_do_not_count(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf/s", "stage_start")
        save(store, "wf/s", "stage_complete")
        save(store, "wf", parent=None)

        assert _scope_end(store, "wf/s") is None

    # Chains, and what they add up to.

    def test_chain_when_each_follows_the_head_then_all_the_newest_first(
        self, store: Store, save: Save
    ) -> None:
        save(store, "other")
        ids = [save(store, scope).id for scope in ("wf", "wf/s", "wf/s/a", "wf")]

        assert store.read(lambda uow: uow.checkpoints.chain(ids[3])) == tuple(reversed(ids))
        assert store.read(lambda uow: uow.checkpoints.chain(ids[1])) == (ids[1], ids[0])

    def test_chain_when_started_again_from_an_older_parent_then_without_what_came_after_it(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf")
        left = save(store, "wf/s")
        right = save(store, "wf/t", parent=root.id)
        tip = save(store, "wf/t")

        assert store.read(lambda uow: uow.checkpoints.chain(tip.id)) == (tip.id, right.id, root.id)
        assert store.read(lambda uow: uow.checkpoints.chain(left.id)) == (left.id, root.id)

    def test_chain_when_an_ancestor_is_missing_then_back_to_the_oldest_that_is_kept(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, "wf").id for _ in range(4)]
        self.forget(store, ids[1])

        assert store.read(lambda uow: uow.checkpoints.chain(ids[3])) == (ids[3], ids[2])

    def test_replay_when_an_ancestor_is_missing_then_the_error_names_it(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, scope).id for scope in ("wf", "wf/s%2F1/a", "wf", "wf")]
        self.forget(store, ids[1])

        with pytest.raises(ChainBroken) as caught:
            store.read(lambda uow: uow.checkpoints.replay(ids[3]))

        assert (caught.value.checkpoint, caught.value.missing) == (str(ids[3]), "wf/s%2F1/a@2")

    def test_replay_when_what_is_missing_is_not_an_ancestor_then_it_is_not_needed(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf", state={"n": 1})
        left = save(store, "wf", state={"n": 2})
        right = save(store, "wf", parent=root.id)
        self.forget(store, left.id)

        replay = store.read(lambda uow: uow.checkpoints.replay(right.id))

        assert replay.record(Scope("wf")).state == {"n": 1}

    def test_newest_intact_when_the_chain_is_whole_then_it_is_the_checkpoint_itself(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, "wf", state={"n": n}).id for n in range(3)]

        found = store.read(lambda uow: [uow.checkpoints.newest_intact(each) for each in ids])

        assert found == ids

    def test_newest_intact_when_an_ancestor_is_missing_then_not_one_that_cannot_be_rebuilt(
        self, store: Store, save: Save
    ) -> None:
        ids = [save(store, "wf").id for _ in range(3)]
        self.forget(store, ids[1])

        # Whether it can still tell that the root is an ancestor is the adapter's affair.
        assert store.read(lambda uow: uow.checkpoints.newest_intact(ids[2])) in (None, ids[0])

    def test_replay_when_states_and_patches_follow_each_other_then_they_add_up(
        self, store: Store, save: Save
    ) -> None:
        save(store, "wf", "workflow_start", state={"a": 1, "deep": {"x": 1, "y": 2}})
        save(store, "wf", patch={"a": None, "deep": {"y": 3}, "b": [1]})
        save(store, "wf/s", "stage_start", state={"of": "stage"}, input={"go": 1}, kind="parallel")
        save(store, "wf/s/a", "agent_start", patch={"of": "agent"}, input=[1])
        save(store, "wf/s/a", "agent_complete", output={"r": -0.0})
        head = save(store, "wf/t", state={"of": "other"})

        replay = store.read(lambda uow: uow.checkpoints.replay(head.id))

        context = context_of(replay, lambda: ())
        assert context.workflow_state == {"deep": {"x": 1, "y": 3}, "b": [1]}
        assert context.stages == {"s": {"of": "stage"}, "t": {"of": "other"}}
        assert context.agents == {("s", "a"): {"of": "agent"}}
        assert canonical(dict(context.outputs)) == canonical({"s/a": {"r": -0.0}})
        assert [(str(each.scope), each.input) for each in context.interrupted] == [
            ("wf", None),
            ("wf/s", {"go": 1}),
        ]
        assert context.checkpoint_id == head.id

    def test_replay_when_started_again_from_an_older_parent_then_without_what_came_after_it(
        self, store: Store, save: Save
    ) -> None:
        root = save(store, "wf", "workflow_start", state={"n": 1})
        save(store, "wf", state={"n": 2, "lost": True})
        save(store, "wf/s", "stage_complete", output="lost")
        head = save(store, "wf", patch={"m": 3}, parent=root.id)

        replay = store.read(lambda uow: uow.checkpoints.replay(head.id))

        assert replay.record(Scope("wf")).state == {"n": 1, "m": 3}
        assert not replay.record(Scope("wf", "s")).is_finished

    def test_replay_when_of_an_older_checkpoint_then_as_of_then(
        self, store: Store, save: Save
    ) -> None:
        old = save(store, "wf", state={"n": 1})
        save(store, "wf", state={"n": 2})

        replay = store.read(lambda uow: uow.checkpoints.replay(old.id))

        assert (replay.head, replay.record(Scope("wf")).state) == (old.id, {"n": 1})

    def test_replay_when_the_chain_is_long_then_it_is_whole(self, store: Store, put: Save) -> None:
        def work(uow: Any) -> list[CheckpointId]:
            return [put(uow, "wf", patch={str(n): n}).id for n in range(300)]

        ids = store.write(work)

        replay = store.read(lambda uow: uow.checkpoints.replay(ids[-1]))
        assert replay.record(Scope("wf")).state == {str(n): n for n in range(300)}
        assert len(store.read(lambda uow: uow.checkpoints.chain(ids[-1]))) == 300

    # Progress.

    @pytest.mark.parametrize(
        ("scope", "type_", "name", "progressed"),
        [
            ("wf/t", "stage_complete", None, True),
            ("wf/s/b", "agent_complete", None, True),
            ("wf", "workflow_complete", None, True),
            ("wf", "sync_barrier", "joined", True),
            ("wf", "sync_barrier", None, True),
            ("wf", "progress", "new name", True),
            ("wf/s", "progress", "known name", True),
            ("wf", "sync_barrier", "known name", True),
            ("wf", "progress", "", True),
            ("wf/s", "sync_barrier", "known barrier", False),
            ("wf", "progress", "known name", False),
            ("wf", "progress", None, False),
            ("wf/s", "stage_complete", None, False),
            ("wf/s", "stage_complete", "under another name", False),
            ("wf/s/a", "agent_complete", None, False),
            ("wf/t", "stage_start", "opened", False),
            ("wf", "error_state", "failed", False),
        ],
    )
    def test_progressed_since_when_something_follows_then_only_new_achievements_count(
        self,
        store: Store,
        save: Save,
        scope: str,
        type_: str,
        name: str | None,
        progressed: bool,
    ) -> None:
        save(store, "wf", "workflow_start")
        save(store, "wf/s/a", "agent_complete")
        save(store, "wf/s", "sync_barrier", name="known barrier")
        save(store, "wf/s", "stage_complete")
        since = save(store, "wf", "progress", name="known name").id.sequence
        save(store, "other/t", "stage_complete")

        save(store, scope, type_, name=name)

        found = store.read(lambda uow: uow.checkpoints.progressed_since("wf", since))
        assert found is progressed

    def test_progressed_since_when_nothing_follows_then_it_did_not(
        self, store: Store, save: Save
    ) -> None:
        last = save(store, "wf/s", "stage_complete")

        found = store.read(
            lambda uow: [
                uow.checkpoints.progressed_since("wf", last.id.sequence),
                uow.checkpoints.progressed_since("wf", last.id.sequence - 1),
                uow.checkpoints.progressed_since("unknown", 0),
            ]
        )

        assert found == [False, True, False]

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


class TestSqliteCheckpointRepository(CheckpointRepositoryContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store

    def forget(self, store: Store, checkpoint_id: CheckpointId) -> None:
        with closing(sqlite3.connect(store.target, isolation_level=None)) as raw:
            deleted = raw.execute(
                "DELETE FROM checkpoints WHERE sequence = ? AND workflow = "
                "(SELECT id FROM workflows WHERE workflow_id = ?)",
                (checkpoint_id.sequence, checkpoint_id.workflow_id),
            )
            assert deleted.rowcount == 1


class TestJsonFileCheckpointRepository(CheckpointRepositoryContract):
    @pytest.fixture
    def store(self, json_store: Store) -> Store:
        return json_store

    def forget(self, store: Store, checkpoint_id: CheckpointId) -> None:
        folder = Path(store.target.removeprefix("json:"))
        (file,) = folder.glob(f"workflows/*/*/@*xxx/**/{checkpoint_id.path.name}.*.json")
        file.unlink()


class TestMemoryCheckpointRepository(CheckpointRepositoryContract):
    @pytest.fixture
    def store(self, memory_store: MemoryStore) -> Store:
        return memory_store

    def forget(self, store: Store, checkpoint_id: CheckpointId) -> None:
        assert isinstance(store, MemoryStore)
        del store.tables.checkpoints[checkpoint_id.workflow_id][checkpoint_id.sequence]


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


def _find(store: Store, **wanted: Any) -> list[CheckpointId]:
    found = CheckpointFilter(**wanted)
    return store.read(lambda uow: [each.id for each in uow.checkpoints.find(found)])


def _scope_end(store: Store, scope: str) -> Checkpoint | None:
    def ask(uow: UnitOfWork) -> Checkpoint | None:
        wanted = Scope.parse(scope)
        standing = uow.checkpoints.standing(wanted.workflow_id)
        last = uow.checkpoints.scope_last(wanted, standing.head) if standing else None
        return last if last and last.type.closes else None

    return store.read(ask)


def _lease(resource: str, epoch: int) -> Lease:
    owner = Owner("host", "boot", "pid:[1]", 7, 8)
    return Lease(resource, epoch, "token", owner, 60.0, AT, Moment(AT, "boot", 1))
