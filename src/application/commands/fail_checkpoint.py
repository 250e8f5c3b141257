"""Record that the work of a checkpoint's scope raised."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_status import CheckpointStatus
from ...domain.error_record import ErrorRecord
from ...domain.lease import Credentials
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..environment import Environment
from ..scopes import error_entry
from ..scribe import Scribe
from ..verdict import fail_scope


@dataclass(frozen=True, slots=True)
class FailCheckpoint:
    """Record that the work of a scope raised *error*."""

    scope: Scope
    error: ErrorRecord
    credentials: Credentials | None = None


def fail_checkpoint(command: FailCheckpoint, *, uow: UnitOfWork, env: Environment) -> Checkpoint:
    """Handle `FailCheckpoint`; return the failing checkpoint.

    For a workflow this is an execution that failed: it is due again after back-off, or killed when
    its retries are used up.
    """
    workflow = command.scope.workflow_id
    scribe = Scribe.admitted(workflow, command.credentials, uow=uow, env=env)
    scribe.require_unfinished(CheckpointStatus.FAILED)
    return fail_scope(scribe, error_entry(command.scope), command.error, env)
