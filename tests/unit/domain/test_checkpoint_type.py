"""Types of checkpoints: which open, which close, and what they are about."""

from __future__ import annotations

import pytest
from holdfast.domain.checkpoint_type import CLOSING, OPENING, CheckpointType
from holdfast.domain.scope import ScopeKind

T = CheckpointType


@pytest.mark.parametrize(
    ("text", "opens", "closes", "scope_kind"),
    [
        ("workflow_start", True, False, "workflow"),
        ("stage_start", True, False, "stage"),
        ("agent_start", True, False, "agent"),
        ("workflow_complete", False, True, "workflow"),
        ("stage_complete", False, True, "stage"),
        ("agent_complete", False, True, "agent"),
        ("progress", False, False, None),
        ("sync_barrier", False, False, None),
        ("error_state", False, False, None),
    ],
)
def test_type_when_asked_then_it_says_what_it_does_to_which_scope(
    text: str, opens: bool, closes: bool, scope_kind: ScopeKind | None
) -> None:
    type_ = CheckpointType(text)

    assert (type_.opens, type_.closes, type_.scope_kind) == (opens, closes, scope_kind)


def test_type_when_all_are_listed_then_they_are_those_of_the_design() -> None:
    assert len(CheckpointType) == 9


@pytest.mark.parametrize(
    ("kind", "opening", "closing"),
    [
        ("workflow", T.WORKFLOW_START, T.WORKFLOW_COMPLETE),
        ("stage", T.STAGE_START, T.STAGE_COMPLETE),
        ("agent", T.AGENT_START, T.AGENT_COMPLETE),
    ],
)
def test_scope_kind_when_opened_or_closed_then_its_own_types_do_so(
    kind: ScopeKind, opening: CheckpointType, closing: CheckpointType
) -> None:
    assert OPENING[kind] is opening
    assert CLOSING[kind] is closing
