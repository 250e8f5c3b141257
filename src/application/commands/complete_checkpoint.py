"""Close the scope of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.checkpoint_type import CheckpointType
from ...domain.lease import Credentials
from ...domain.payload import EMPTY, Payload
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..environment import Environment
from ..scopes import close_scope, closing_entry
from ..scribe import Entry, Scribe


@dataclass(frozen=True, slots=True)
class CompleteCheckpoint:
    """Close a scope: its work is done.

    Attributes:
        abandon: the reason for which scopes left open inside become ``killed``; ``None`` refuses
            to close around them.
        failed_only: abandon only those that failed.
        name: of the closing checkpoint.
        joined: branches ran side by side and have joined: write a barrier before closing.
    """

    scope: Scope
    payload: Payload = EMPTY
    abandon: str | None = None
    failed_only: bool = False
    joined: bool = False
    name: str | None = None
    credentials: Credentials | None = None


def complete_checkpoint(
    command: CompleteCheckpoint, *, uow: UnitOfWork, env: Environment
) -> Checkpoint:
    """Handle `CompleteCheckpoint`; return the closing checkpoint.

    It and the opening's new status are one change: either both are there or neither.
    """
    workflow = command.scope.workflow_id
    scribe = Scribe.admitted(workflow, command.credentials, uow=uow, env=env)
    scribe.require_unfinished(CheckpointStatus.COMPLETED)
    if command.joined:
        scribe.write(Entry(command.scope, CheckpointType.SYNC_BARRIER, name=command.scope.stage_id))
    entry = closing_entry(command.scope, command.payload, name=command.name)
    return close_scope(scribe, entry, abandon=command.abandon, failed_only=command.failed_only)[0]
