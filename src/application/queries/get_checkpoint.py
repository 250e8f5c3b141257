"""Find one checkpoint, or say what was probably meant."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import NotFound, Purged
from ...domain.ports import CheckpointFilter, UnitOfWork
from ...domain.scope import Scope
from ...domain.workflow_summary import WorkflowStanding
from ..environment import Environment
from ..unknown import refuse_unknown, unknown_scope


@dataclass(frozen=True, slots=True)
class GetCheckpoint:
    """Find the checkpoint called so."""

    checkpoint_id: CheckpointId


@dataclass(frozen=True, slots=True)
class LatestCheckpoint:
    """Find the newest checkpoint of a scope; of a workflow, with all that is inside it."""

    scope: Scope


def get_checkpoint(
    query: GetCheckpoint,
    *,
    uow: UnitOfWork,
    env: Environment,  # noqa: ARG001
) -> Checkpoint:
    """Handle `GetCheckpoint`; raises `NotFound` with near names."""
    try:
        return uow.checkpoints.get(query.checkpoint_id)
    except Purged:
        raise
    except NotFound:
        if uow.checkpoints.standing(query.checkpoint_id.workflow_id) is None:
            refuse_unknown(query.checkpoint_id.workflow_id, uow)
        raise


def latest_checkpoint(
    query: LatestCheckpoint,
    *,
    uow: UnitOfWork,
    env: Environment,  # noqa: ARG001
) -> Checkpoint:
    """Handle `LatestCheckpoint`; raises `NotFound` with near names."""
    scope = query.scope
    head = require_workflow(scope.workflow_id, uow).head
    if scope.kind == "workflow":
        return uow.checkpoints.get(head)
    scopes: set[Scope] = set()
    newest_first = uow.checkpoints.find(CheckpointFilter(scope.workflow_id))
    for checkpoint in newest_first:
        if checkpoint.scope == scope:
            return checkpoint
        scopes.update(checkpoint.scope.lineage[:-1])
    raise unknown_scope(scope, scopes)


def require_workflow(workflow_id: str, uow: UnitOfWork) -> WorkflowStanding:
    """Return where the workflow stands; raises `NotFound` with near names."""
    standing = uow.checkpoints.standing(workflow_id)
    if standing is None:
        refuse_unknown(workflow_id, uow)
    return standing
