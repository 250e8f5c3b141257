"""What stands in the way of carrying a workflow on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.lease import Lease, Owner
from holdfast.domain.moment import Moment
from holdfast.domain.recoverability import (
    Obstacle,
    ObstacleKind,
    obstacle_of_handler,
    obstacle_of_lease,
    obstacles_of_state,
    retries_used_up,
)

S = CheckpointStatus
K = ObstacleKind
NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=1)


def opening(status: CheckpointStatus, due_at: datetime | None = None) -> Checkpoint:
    """Return the opening of the workflow ``w/1``."""
    checkpoint_id = CheckpointId("w/1", None, None, 1)
    checkpoint = Checkpoint(checkpoint_id, CheckpointType.WORKFLOW_START, status, NOW, NOW)
    checkpoint.due_at = due_at
    return checkpoint


@pytest.mark.parametrize(
    ("status", "due_at", "exhausted", "kinds"),
    [
        (S.ACTIVE, None, False, []),
        (S.RECOVERING, None, False, []),
        (S.FAILED, None, False, []),
        (S.FAILED, NOW, False, []),
        (S.FAILED, NOW - timedelta(days=1), False, []),
        (S.FAILED, SOON, False, [K.NOT_DUE]),
        (S.ACTIVE, None, True, [K.RETRIES_USED_UP]),
        (S.RECOVERING, SOON, True, [K.RETRIES_USED_UP, K.NOT_DUE]),
        (S.COMPLETED, None, False, [K.COMPLETED]),
        (S.COMPLETED, None, True, [K.COMPLETED]),
        (S.KILLED, None, False, [K.KILLED]),
        (S.KILLED, None, True, [K.KILLED]),
        (S.WAITING, None, False, [K.WAITING]),
        (S.WAITING, None, True, [K.WAITING, K.RETRIES_USED_UP]),
    ],
)
def test_obstacles_when_the_state_puts_several_in_the_way_then_all_are_listed(
    status: CheckpointStatus, due_at: datetime | None, exhausted: bool, kinds: list[ObstacleKind]
) -> None:
    found = obstacles_of_state(opening(status, due_at), NOW, exhausted=exhausted, attempts=4)

    assert [each.kind for each in found] == kinds


def test_obstacles_when_it_was_carried_on_early_and_completed_then_it_is_not_also_not_due() -> None:
    early = opening(S.FAILED, SOON)
    early.take_over(2, NOW)
    early.complete(NOW)

    found = obstacles_of_state(early, NOW, exhausted=False, attempts=2)

    assert [each.kind for each in found] == [K.COMPLETED]


@pytest.mark.parametrize(
    ("status", "due_at", "exhausted", "text"),
    [
        (S.COMPLETED, None, False, "w%2F1 is completed since 2024-03-01T12:00:00+00:00"),
        (S.KILLED, None, False, "open it anew with engine.retry"),
        (S.WAITING, None, False, "w%2F1 waits for an answer; answer with engine.answer"),
        (S.WAITING, SOON, False, "waits for an answer until 2024-03-01T12:00:01+00:00"),
        (S.FAILED, SOON, False, "not due before 2024-03-01T12:00:01+00:00"),
        (S.FAILED, None, True, "4 executions, and no progress in the last of them (max_retries is"),
    ],
)
def test_obstacle_when_shown_then_it_says_what_is_the_matter(
    status: CheckpointStatus, due_at: datetime | None, exhausted: bool, text: str
) -> None:
    found = obstacles_of_state(opening(status, due_at), NOW, exhausted=exhausted, attempts=4)

    assert text in str(found[0])


def test_obstacle_when_it_was_killed_then_the_reason_is_named() -> None:
    killed = opening(S.ACTIVE)
    killed.kill("a poison pill", NOW)

    found = obstacles_of_state(killed, NOW, exhausted=False, attempts=1)

    assert "(a poison pill)" in found[0].text


@pytest.mark.parametrize(
    ("kind", "yields"),
    [
        (K.HELD, True),
        (K.RETRIES_USED_UP, True),
        (K.NOT_DUE, True),
        (K.COMPLETED, False),
        (K.KILLED, False),
        (K.WAITING, False),
        (K.CANCELLED, False),
        (K.NO_HANDLER, False),
        (K.UNKNOWN_HANDLER, False),
    ],
)
def test_yields_to_force_when_asked_then_lease_retries_and_back_off_do(
    kind: ObstacleKind, yields: bool
) -> None:
    assert Obstacle(kind, "x").yields_to_force is yields


def test_kinds_when_listed_then_programs_can_rely_on_their_names() -> None:
    assert {str(kind) for kind in ObstacleKind} == {
        "completed",
        "killed",
        "held",
        "waiting",
        "cancelled",
        "retries_used_up",
        "not_due",
        "no_handler",
        "unknown_handler",
    }


def test_retries_used_up_when_written_then_executions_and_limit_are_named() -> None:
    text = retries_used_up(4, 3)

    assert "4 executions" in text
    assert "max_retries is 3" in text


def test_obstacle_of_lease_when_held_then_it_says_who_since_when_and_until_when() -> None:
    lease = Lease(
        resource="w",
        epoch=7,
        token="secret",
        owner=Owner("kelp", None, None, 4711, None),
        duration=60.0,
        taken_at=NOW,
        renewed=Moment(SOON, None, 0),
    )

    obstacle = obstacle_of_lease(lease)

    assert obstacle.kind is K.HELD
    assert "process 4711 on kelp" in obstacle.text
    assert "since 2024-03-01T12:00:00+00:00" in obstacle.text
    assert "epoch 7" in obstacle.text
    assert "until 2024-03-01T12:01:01+00:00" in obstacle.text
    assert "secret" not in obstacle.text


@pytest.mark.parametrize(
    ("handler", "known", "kind", "text"),
    [
        (None, ("a", "b"), K.NO_HANDLER, "name one with handler= or --handler"),
        ("c", ("a", "b"), K.UNKNOWN_HANDLER, "'c' is not registered here (known: a, b)"),
        ("c", (), K.UNKNOWN_HANDLER, "(known: none)"),
        ("A", ("a",), K.UNKNOWN_HANDLER, "'A'"),
        ("", (), K.UNKNOWN_HANDLER, "''"),
    ],
)
def test_obstacle_of_handler_when_it_cannot_be_run_then_the_known_ones_are_listed(
    handler: str | None, known: tuple[str, ...], kind: ObstacleKind, text: str
) -> None:
    obstacle = obstacle_of_handler(handler, known)

    assert obstacle is not None
    assert obstacle.kind is kind
    assert text in obstacle.text


def test_obstacle_of_handler_when_it_is_known_then_there_is_none() -> None:
    assert obstacle_of_handler("a", ("a", "b")) is None
