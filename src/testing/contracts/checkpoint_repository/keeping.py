"""Every checkpoint repository keeps what it is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ....domain.checkpoint import Checkpoint
from ....domain.checkpoint_id import MAX_SEQUENCE, CheckpointId
from ....domain.checkpoint_status import CheckpointStatus
from ....domain.checkpoint_type import CheckpointType
from ....domain.error_record import ErrorRecord
from ....domain.json_value import JsonValue, canonical
from ....domain.payload import EMPTY, JsonText, Payload, same_json
from ....domain.ports import Store
from .material import AT, LATER, FieldsOf, S, Save

PayloadOf = Callable[..., Payload]


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


class Keeping:
    """See `CheckpointRepositoryContract`."""

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
