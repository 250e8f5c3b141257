"""How callers name checkpoints and workflows."""

from __future__ import annotations

from typing import TypeAlias

from ..domain.advice import ENCODED
from ..domain.checkpoint_id import CheckpointId, parse_target
from ..domain.errors import InvalidId, InvalidRequest
from ..domain.scope import Scope

CheckpointRef: TypeAlias = str | CheckpointId
"""A checkpoint: its id, or the text form of it."""

WorkflowRef: TypeAlias = str | Scope
"""A workflow: the text form of its name, percent-encoded, or its scope."""

Target: TypeAlias = str | CheckpointId | Scope
"""A checkpoint or a workflow."""


def checkpoint_of(ref: CheckpointRef) -> CheckpointId:
    """Return the id that *ref* names; raises `InvalidId`."""
    return ref if isinstance(ref, CheckpointId) else CheckpointId.parse(ref)


def target_of(ref: Target | None, workflow_id: str | None = None) -> CheckpointId | Scope:
    """Return what *ref*, or the raw name *workflow_id*, names; exactly one of them is given."""
    if (ref is None) == (workflow_id is None):
        raise InvalidRequest("name one thing: a text form, or a raw name with workflow_id=")
    if workflow_id is not None:
        return Scope(workflow_id)
    if isinstance(ref, CheckpointId):
        return ref
    if isinstance(ref, Scope):
        if ref.kind != "workflow":
            raise InvalidId(
                "id", str(ref), f"name a workflow, or a checkpoint with its @sequence; {ENCODED}"
            )
        return ref
    return parse_target(ref or "")


def scope_of(ref: WorkflowRef | None, workflow_id: str | None = None) -> Scope:
    """Return the workflow, stage or agent that *ref*, or the raw name *workflow_id*, names."""
    if (ref is None) == (workflow_id is None):
        raise InvalidRequest("name one thing: a text form, or a raw name with workflow_id=")
    if workflow_id is not None:
        return Scope(workflow_id)
    if isinstance(ref, CheckpointId) or (type(ref) is str and "@" in ref):
        return Scope(workflow_of(ref))  # refuses, and says what to name
    return ref if isinstance(ref, Scope) else Scope.parse(ref or "")


def workflow_of(ref: WorkflowRef | None, workflow_id: str | None = None) -> str:
    """Return the raw name of the workflow that *ref*, or *workflow_id*, names."""
    target = target_of(ref, workflow_id)
    if isinstance(target, CheckpointId):
        raise InvalidId(
            "workflow", str(target), f"it names a checkpoint; name {target.scope.workflow}"
        )
    return target.workflow_id
