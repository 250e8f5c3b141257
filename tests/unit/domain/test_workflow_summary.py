"""A workflow at a glance stays as it was seen."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from holdfast.domain.checkpoint_id import CheckpointId
from holdfast.domain.workflow_summary import WorkflowStanding, WorkflowSummary

HEAD = CheckpointId("w", None, None, 1)
NOW = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "seen",
    [
        WorkflowStanding(HEAD, None, None, None),
        WorkflowSummary("w", None, None, None, HEAD, 1, 0, 3, 0, NOW, NOW),
    ],
)
def test_view_when_any_field_is_changed_then_it_is_refused(
    seen: WorkflowStanding | WorkflowSummary,
) -> None:
    for field in dataclasses.fields(seen):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(seen, field.name, None)
