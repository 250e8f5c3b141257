"""The aggregate: its changes, the facts they leave behind, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.error_record import ErrorRecord
from holdfast.domain.errors import IllegalTransition
from holdfast.domain.events import DomainEvent, EventKind
from holdfast.domain.json_value import JsonObject, JsonValue
from holdfast.domain.scope import Scope
from holdfast.domain.snapshots import (
    AgentStateSnapshot,
    StageStateSnapshot,
    WorkflowStateSnapshot,
)

S = CheckpointStatus
BORN = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
LATER = BORN + timedelta(minutes=5)
ERROR = ErrorRecord("ValueError", "no such file")


def opening(status: CheckpointStatus = S.ACTIVE, *, epoch: int = 3) -> Checkpoint:
    """Return the opening of a stage."""
    checkpoint_id = CheckpointId("w", "s", None, 7)
    return Checkpoint(checkpoint_id, CheckpointType.STAGE_START, status, BORN, BORN, epoch=epoch)


Change = Callable[[Checkpoint], None]
CHANGES: dict[CheckpointStatus, Change] = {
    S.COMPLETED: lambda checkpoint: checkpoint.complete(LATER),
    S.FAILED: lambda checkpoint: checkpoint.fail(ERROR, LATER),
    S.KILLED: lambda checkpoint: checkpoint.kill("no use", LATER),
    S.RECOVERING: lambda checkpoint: checkpoint.take_over(4, LATER),
}


@pytest.mark.parametrize(
    ("current", "wanted"), [(old, new) for old in S for new in CHANGES if old.may_become(new)]
)
def test_change_when_the_table_has_it_then_status_and_time_follow(
    current: CheckpointStatus, wanted: CheckpointStatus
) -> None:
    checkpoint = opening(current)

    CHANGES[wanted](checkpoint)

    assert checkpoint.status is wanted
    assert checkpoint.updated_at == LATER
    assert checkpoint.created_at == BORN
    assert len(checkpoint.release_events()) == 1


@pytest.mark.parametrize(
    ("current", "wanted"), [(old, new) for old in S for new in CHANGES if not old.may_become(new)]
)
def test_change_when_the_table_lacks_it_then_it_is_refused_and_nothing_changes(
    current: CheckpointStatus, wanted: CheckpointStatus
) -> None:
    checkpoint = opening(current)

    with pytest.raises(IllegalTransition) as caught:
        CHANGES[wanted](checkpoint)

    assert caught.value.subject == checkpoint.id
    assert (caught.value.current, caught.value.wanted) == (current, wanted)
    assert str(caught.value).startswith(
        f"w/s@7 is {current.value} and cannot become {wanted.value}"
    )
    assert (checkpoint.status, checkpoint.updated_at, checkpoint.epoch) == (current, BORN, 3)
    assert (checkpoint.error, checkpoint.reason) == (None, None)
    assert checkpoint.release_events() == ()


@pytest.mark.parametrize(
    ("current", "advice"),
    [(S.COMPLETED, "it is done; to start again, fork it"), (S.KILLED, "open it anew")],
)
def test_change_when_it_is_over_then_the_error_says_what_to_do(
    current: CheckpointStatus, advice: str
) -> None:
    with pytest.raises(IllegalTransition, match=advice):
        opening(current).take_over(4, LATER)


@pytest.mark.parametrize(
    ("wanted", "kind", "epoch", "detail"),
    [
        (S.COMPLETED, EventKind.COMPLETED, 3, {}),
        (S.FAILED, EventKind.FAILED, 3, {"error": "ValueError: no such file"}),
        (S.KILLED, EventKind.KILLED, 3, {"reason": "no use"}),
        (S.RECOVERING, EventKind.RESUMED, 4, {}),
    ],
)
def test_change_when_accepted_then_it_leaves_a_fact_behind_once(
    wanted: CheckpointStatus, kind: EventKind, epoch: int, detail: JsonObject
) -> None:
    checkpoint = opening()

    CHANGES[wanted](checkpoint)

    fact = DomainEvent(kind, "w", LATER, checkpoint.id, epoch, detail=detail)
    assert checkpoint.release_events() == (fact,)
    assert checkpoint.release_events() == ()


def test_release_events_when_there_were_several_changes_then_they_come_in_order() -> None:
    checkpoint = opening()
    checkpoint.fail(ERROR, LATER)
    checkpoint.take_over(4, LATER)
    checkpoint.take_over(5, LATER)
    checkpoint.complete(LATER)

    facts = checkpoint.release_events()

    assert [(fact.kind, fact.epoch) for fact in facts] == [
        (EventKind.FAILED, 3),
        (EventKind.RESUMED, 4),
        (EventKind.RESUMED, 5),
        (EventKind.COMPLETED, 5),
    ]


def test_fail_when_done_then_the_error_is_kept() -> None:
    checkpoint = opening()

    checkpoint.fail(ERROR, LATER)

    assert checkpoint.error is ERROR


def test_kill_when_done_then_the_reason_is_kept_and_nothing_is_due() -> None:
    checkpoint = opening(S.FAILED)
    checkpoint.due_at = LATER

    checkpoint.kill("no use", LATER)

    assert checkpoint.reason == "no use"
    assert checkpoint.due_at is None


def test_take_over_when_done_then_the_epoch_is_the_newer_owners() -> None:
    checkpoint = opening(S.RECOVERING, epoch=3)

    checkpoint.take_over(9, LATER)

    assert checkpoint.epoch == 9


@pytest.mark.parametrize(
    ("at", "updated_at"), [(LATER, LATER), (BORN, BORN), (BORN - timedelta(days=1), BORN)]
)
def test_touch_when_the_clock_jumps_back_then_the_time_does_not(
    at: datetime, updated_at: datetime
) -> None:
    checkpoint = opening()

    checkpoint.touch(at)

    assert checkpoint.updated_at == updated_at
    assert checkpoint.release_events() == ()


def test_change_when_the_clock_jumped_back_then_updated_at_does_not() -> None:
    checkpoint = opening()

    checkpoint.complete(BORN - timedelta(days=1))

    assert checkpoint.updated_at == BORN


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize(
    ("silence", "is_long"),
    [
        (timedelta(minutes=30), False),
        (timedelta(minutes=30, microseconds=1), True),
        (timedelta(days=9), True),
        (timedelta(minutes=-30), False),
    ],
)
def test_is_stale_when_asked_then_it_is_in_flight_and_silent_for_longer_than_half_an_hour(
    status: CheckpointStatus, silence: timedelta, is_long: bool
) -> None:
    in_flight = status in (S.ACTIVE, S.RECOVERING)

    assert opening(status).is_stale(BORN + silence) is (in_flight and is_long)


def test_is_stale_when_a_threshold_is_given_then_it_counts() -> None:
    checkpoint = opening()

    assert checkpoint.is_stale(BORN + timedelta(seconds=2), timedelta(seconds=1))
    assert not checkpoint.is_stale(BORN + timedelta(hours=1), timedelta(hours=1))


def test_is_stale_when_it_gave_a_sign_of_life_then_silence_counts_from_there() -> None:
    checkpoint = opening()
    checkpoint.touch(LATER)

    assert not checkpoint.is_stale(LATER + timedelta(minutes=30))
    assert checkpoint.is_stale(LATER + timedelta(minutes=31))


@dataclass
class Written:
    """What a checkpoint holds, here in memory."""

    state: JsonObject = field(default_factory=lambda: {"x": 1})
    input: JsonValue = 2
    output: JsonValue = 3
    workflow: WorkflowStateSnapshot = field(
        default_factory=lambda: WorkflowStateSnapshot("w", None, None, (), (), {})
    )
    stage: StageStateSnapshot | None = None
    agent: AgentStateSnapshot | None = None


@pytest.mark.parametrize("name", ["state", "input", "output", "workflow", "stage", "agent"])
def test_contents_when_attached_then_they_are_read_from_there(name: str) -> None:
    written = Written()
    checkpoint = opening()

    assert checkpoint.attach(written) is checkpoint
    assert getattr(checkpoint, name) == getattr(written, name)


@pytest.mark.parametrize("name", ["state", "input", "output", "workflow", "stage", "agent"])
def test_contents_when_it_was_not_read_from_a_store_then_the_error_says_so(name: str) -> None:
    checkpoint = opening()

    with pytest.raises(RuntimeError, match="w/s@7 was not read from a store"):
        getattr(checkpoint, name)


def test_copy_when_changed_then_the_original_is_not() -> None:
    original = opening()
    original.metadata = {"a": 1}
    original.attach(Written())
    original.fail(ERROR, LATER)

    copy = original.copy()
    copy.take_over(4, LATER)
    assert isinstance(copy.metadata, dict)
    copy.metadata["a"] = 2

    assert (original.status, original.epoch, original.metadata) == (S.FAILED, 3, {"a": 1})
    assert [fact.kind for fact in original.release_events()] == [EventKind.FAILED]
    assert [fact.kind for fact in copy.release_events()] == [EventKind.RESUMED]
    assert copy.state == {"x": 1}


def test_copy_when_made_then_it_has_every_field_of_the_original() -> None:
    original = Checkpoint(
        id=CheckpointId("w", "s", "a", 7),
        type=CheckpointType.AGENT_START,
        status=S.FAILED,
        created_at=BORN,
        updated_at=LATER,
        parent_id=CheckpointId("w", None, None, 6),
        name="n",
        kind="k",
        depends_on=(CheckpointId("w", None, None, 1),),
        resume_handler="h",
        retry_count=2,
        max_retries=9,
        epoch=4,
        error=ERROR,
        reason="r",
        due_at=LATER,
        schema_version=5,
        metadata={"m": [1]},
    )

    copy = original.copy()

    for name in Checkpoint.__slots__:
        assert getattr(copy, name) == getattr(original, name)


def test_defaults_when_nothing_is_said_then_they_are_those_of_the_design() -> None:
    checkpoint = opening()

    assert (checkpoint.max_retries, checkpoint.retry_count) == (3, 0)
    assert Checkpoint(checkpoint.id, checkpoint.type, checkpoint.status, BORN, BORN).epoch == 0
    assert checkpoint.scope == Scope("w", "s")
    assert checkpoint.metadata == {}
    assert checkpoint.depends_on == ()


def test_repr_when_shown_then_it_names_id_type_and_status() -> None:
    assert repr(opening()) == "<Checkpoint w/s@7 stage_start active>"
