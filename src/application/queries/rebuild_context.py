"""Rebuild what a chain adds up to."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.checkpoint_id import CheckpointId
from ...domain.ports import UnitOfWork
from ...domain.replay import Replay
from ...domain.scope import Scope
from ..environment import Environment
from .get_checkpoint import GetCheckpoint, get_checkpoint, require_workflow


@dataclass(frozen=True, slots=True)
class RebuildContext:
    """Rebuild what the chain adds up to at a checkpoint, or at the head of a workflow."""

    target: CheckpointId | Scope


def rebuild_context(query: RebuildContext, *, uow: UnitOfWork, env: Environment) -> Replay:
    """Handle `RebuildContext`.

    Raises:
        NotFound: no such checkpoint or workflow; with near names.
        Damaged: something that is needed is missing or damaged; names it.
    """
    target = query.target
    if isinstance(target, Scope):
        target = require_workflow(target.workflow_id, uow).head
    else:
        get_checkpoint(GetCheckpoint(target), uow=uow, env=env)
    return uow.checkpoints.replay(target)
