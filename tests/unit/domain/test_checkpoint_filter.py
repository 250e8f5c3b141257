"""Which checkpoints a listing wants."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from holdfast.domain.checkpoint import Checkpoint
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.checkpoint_status import CheckpointStatus
from holdfast.domain.checkpoint_type import CheckpointType
from holdfast.domain.json_value import JsonObject
from holdfast.domain.ports import CheckpointFilter

NOW = datetime(2024, 3, 1, tzinfo=UTC)
CHECKPOINT = Checkpoint(
    CheckpointId("w", "s", None, 5),
    CheckpointType.STAGE_START,
    CheckpointStatus.ACTIVE,
    NOW,
    NOW,
    metadata={"team": "blue", "run": 1, "flag": None, "tags": {"a": 1, "b": 2}},
)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (CheckpointFilter(), True),
        (CheckpointFilter(workflow_id="w"), True),
        (CheckpointFilter(workflow_id="v"), False),
        (CheckpointFilter(status=CheckpointStatus.ACTIVE), True),
        (CheckpointFilter(status=CheckpointStatus.KILLED), False),
        (CheckpointFilter(type=CheckpointType.STAGE_START), True),
        (CheckpointFilter(type=CheckpointType.PROGRESS), False),
        (
            CheckpointFilter("w", CheckpointStatus.ACTIVE, CheckpointType.STAGE_START, {"run": 1}),
            True,
        ),
        (CheckpointFilter("w", CheckpointStatus.ACTIVE, CheckpointType.PROGRESS), False),
        (CheckpointFilter(older_than=CheckpointId("w", None, None, 1)), True),
    ],
)
def test_matches_when_asked_then_every_restriction_must_hold_and_age_is_left_aside(
    wanted: CheckpointFilter, matches: bool
) -> None:
    assert wanted.matches(CHECKPOINT) is matches


@pytest.mark.parametrize(
    ("metadata", "matches"),
    [
        ({}, True),
        ({"team": "blue"}, True),
        ({"team": "blue", "run": 1}, True),
        ({"team": "blue", "run": 2}, False),
        ({"team": "Blue"}, False),
        ({"run": True}, False),
        ({"run": 1.0}, False),
        ({"run": "1"}, False),
        ({"flag": None}, True),
        ({"missing": None}, False),
        ({"tags": {"b": 2, "a": 1}}, True),
        ({"tags": {"a": 1}}, False),
    ],
)
def test_matches_when_metadata_is_wanted_then_keys_values_and_types_decide(
    metadata: JsonObject, matches: bool
) -> None:
    assert CheckpointFilter(metadata=metadata).matches(CHECKPOINT) is matches
