"""Snapshots stay as they are, and are what the design lists."""

from __future__ import annotations

import dataclasses

import pytest
from holdfast.domain.snapshots import (
    AgentStateSnapshot,
    StageStateSnapshot,
    WorkflowStateSnapshot,
)

WORKFLOW = WorkflowStateSnapshot("w", "Nightly", "s", ("r",), ("q",), {"x": 1})
STAGE = StageStateSnapshot("s", None, "parallel", ("a",), ("b",), {})
AGENT = AgentStateSnapshot("a", None, "reader", 1, None, None, None, {})


@pytest.mark.parametrize("snapshot", [WORKFLOW, STAGE, AGENT])
def test_snapshot_when_any_field_is_changed_then_it_is_refused(
    snapshot: WorkflowStateSnapshot | StageStateSnapshot | AgentStateSnapshot,
) -> None:
    for field in dataclasses.fields(snapshot):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(snapshot, field.name, None)


@pytest.mark.parametrize("snapshot", [WORKFLOW, STAGE, AGENT])
def test_snapshot_when_equal_in_every_field_then_it_is_equal(
    snapshot: WorkflowStateSnapshot | StageStateSnapshot | AgentStateSnapshot,
) -> None:
    assert dataclasses.replace(snapshot) == snapshot
    assert dataclasses.replace(snapshot, context={"other": 1}) != snapshot
