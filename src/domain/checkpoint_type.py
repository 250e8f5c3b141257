"""What kinds of checkpoint there are, and what each says about its scope."""

from __future__ import annotations

from enum import StrEnum

from .scope import ScopeKind


class CheckpointType(StrEnum):
    """The type of a checkpoint: opening, closing, fact or failure.

    >>> [each.value for each in CheckpointType if each.closes]
    ['workflow_complete', 'stage_complete', 'agent_complete']
    """

    WORKFLOW_START = "workflow_start"
    STAGE_START = "stage_start"
    AGENT_START = "agent_start"
    WORKFLOW_COMPLETE = "workflow_complete"
    STAGE_COMPLETE = "stage_complete"
    AGENT_COMPLETE = "agent_complete"
    PROGRESS = "progress"
    SYNC_BARRIER = "sync_barrier"
    ERROR_STATE = "error_state"

    @property
    def opens(self) -> bool:
        """Whether it says that work in its scope has begun."""
        return self in _OPENING_KINDS

    @property
    def closes(self) -> bool:
        """Whether it says that the work of its scope is done."""
        return self in _CLOSING_KINDS

    @property
    def scope_kind(self) -> ScopeKind | None:
        """The kind of scope it can be about; ``None`` for any."""
        return _OPENING_KINDS.get(self) or _CLOSING_KINDS.get(self)


_OPENING_KINDS: dict[CheckpointType, ScopeKind] = {
    CheckpointType.WORKFLOW_START: "workflow",
    CheckpointType.STAGE_START: "stage",
    CheckpointType.AGENT_START: "agent",
}
_CLOSING_KINDS: dict[CheckpointType, ScopeKind] = {
    CheckpointType.WORKFLOW_COMPLETE: "workflow",
    CheckpointType.STAGE_COMPLETE: "stage",
    CheckpointType.AGENT_COMPLETE: "agent",
}
OPENING: dict[ScopeKind, CheckpointType] = {kind: type_ for type_, kind in _OPENING_KINDS.items()}
CLOSING: dict[ScopeKind, CheckpointType] = {kind: type_ for type_, kind in _CLOSING_KINDS.items()}
