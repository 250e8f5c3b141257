"""What counts as progress."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.progress import Achievement, achievement
from holdfast.domain.scope import Scope

NOW = datetime(2024, 3, 1, tzinfo=UTC)
T = CheckpointType


def checkpoint(type_: CheckpointType, scope: Scope, name: str | None, sequence: int) -> Checkpoint:
    checkpoint_id = CheckpointId.of(scope, sequence)
    return Checkpoint(checkpoint_id, type_, CheckpointStatus.COMPLETED, NOW, NOW, name=name)


@pytest.mark.parametrize(
    ("type_", "scope", "name", "counted_as"),
    [
        (T.WORKFLOW_COMPLETE, Scope("w"), "x", Achievement(T.WORKFLOW_COMPLETE, Scope("w"), None)),
        (
            T.STAGE_COMPLETE,
            Scope("w", "s"),
            None,
            Achievement(T.STAGE_COMPLETE, Scope("w", "s"), None),
        ),
        (
            T.AGENT_COMPLETE,
            Scope("w", "s", "a"),
            None,
            Achievement(T.AGENT_COMPLETE, Scope("w", "s", "a"), None),
        ),
        (T.PROGRESS, Scope("w"), "half", Achievement(T.PROGRESS, Scope("w"), "half")),
        (T.PROGRESS, Scope("w"), "", Achievement(T.PROGRESS, Scope("w"), "")),
        (T.PROGRESS, Scope("w"), None, None),
        (T.SYNC_BARRIER, Scope("w"), "all", Achievement(T.SYNC_BARRIER, Scope("w"), "all")),
        (
            T.SYNC_BARRIER,
            Scope("w", "s"),
            None,
            Achievement(T.SYNC_BARRIER, Scope("w", "s"), None),
        ),
        (T.WORKFLOW_START, Scope("w"), "x", None),
        (T.STAGE_START, Scope("w", "s"), "x", None),
        (T.AGENT_START, Scope("w", "s", "a"), "x", None),
        (T.ERROR_STATE, Scope("w"), "x", None),
    ],
)
def test_achievement_when_a_checkpoint_is_written_then_closings_joins_and_names_count(
    type_: CheckpointType, scope: Scope, name: str | None, counted_as: Achievement | None
) -> None:
    assert achievement(checkpoint(type_, scope, name, 1)) == counted_as


def test_achievement_when_the_same_comes_again_then_it_counts_once() -> None:
    first = achievement(checkpoint(T.PROGRESS, Scope("w"), "half", 1))
    again = achievement(checkpoint(T.PROGRESS, Scope("w"), "half", 9))

    assert first == again
    assert len({first, again}) == 1


@pytest.mark.parametrize(
    ("type_", "scope", "name"),
    [
        (T.PROGRESS, Scope("w"), "whole"),
        (T.PROGRESS, Scope("w", "s"), "half"),
        (T.SYNC_BARRIER, Scope("w"), "half"),
    ],
)
def test_achievement_when_type_scope_or_name_differ_then_it_is_another(
    type_: CheckpointType, scope: Scope, name: str
) -> None:
    half = achievement(checkpoint(T.PROGRESS, Scope("w"), "half", 1))

    assert achievement(checkpoint(type_, scope, name, 2)) != half


def test_achievement_when_a_scope_is_closed_again_under_another_name_then_it_counts_once() -> None:
    once = achievement(checkpoint(T.STAGE_COMPLETE, Scope("w", "s"), "first", 1))
    twice = achievement(checkpoint(T.STAGE_COMPLETE, Scope("w", "s"), "second", 2))

    assert once == twice
