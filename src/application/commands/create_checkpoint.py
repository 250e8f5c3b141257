"""Write a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_type import CheckpointType
from ...domain.error_record import ErrorRecord
from ...domain.errors import InvalidRequest
from ...domain.lease import Credentials
from ...domain.ports import UnitOfWork
from ...domain.scope import Scope
from ..environment import Environment
from ..restart import start_from
from ..scopes import close_scope, open_scope, opening_entry
from ..scribe import Entry, Scribe
from ..verdict import fail_scope


@dataclass(frozen=True, slots=True)
class CreateCheckpoint:
    """Write a checkpoint of any type.

    Attributes:
        parent: start again from there; ``None`` for the workflow's head.
        anew: open a scope again even though it is finished.
        error: of a failure, what was raised.
        credentials: of the lease to write under; ``None`` outside a run.
    """

    entry: Entry
    parent: CheckpointId | None = None
    anew: bool = False
    error: ErrorRecord | None = None
    credentials: Credentials | None = None


def create_checkpoint(
    command: CreateCheckpoint, *, uow: UnitOfWork, env: Environment
) -> Checkpoint:
    """Handle `CreateCheckpoint`; return the checkpoint that stands for the entry.

    That is a new one, except where opening a scope takes an older opening over, or finds the scope
    finished.
    """
    entry = command.entry
    _check(entry)
    workflow = entry.scope.workflow_id
    scribe = Scribe.admitted(workflow, command.credentials, uow=uow, env=env)
    for dependency in entry.depends_on:
        _require_own(dependency, scribe)
    if command.parent is not None:
        start_from(scribe, command.parent)
    else:
        # A completed workflow is not opened again, and its opening is answered with its end.
        scribe.require_unfinished(or_completed=entry.type is CheckpointType.WORKFLOW_START)
    if entry.resume_handler is not None and entry.type is not CheckpointType.WORKFLOW_START:
        _make_recoverable(scribe, entry)
    if entry.type.opens:
        return open_scope(scribe, entry, anew=command.anew)
    if entry.type.closes:
        return close_scope(scribe, entry)[0]
    if entry.type is CheckpointType.ERROR_STATE:
        error = command.error or ErrorRecord("Error", entry.name or "")
        return fail_scope(scribe, entry, error, env)
    return scribe.write(entry)


def _check(entry: Entry) -> None:
    kind = entry.type.scope_kind
    if kind is not None and kind != entry.scope.kind:
        raise InvalidRequest(
            f"a checkpoint of type {entry.type} is about {_article(kind)}, and {entry.scope} is "
            f"{_article(entry.scope.kind)}; give stage_id and agent_id to match"
        )
    if entry.payload.state is not None and entry.payload.patch is not None:
        raise InvalidRequest(
            f"the checkpoint of {entry.scope} has both state (replaces) and patch (merges); give "
            "one of them"
        )


def _require_own(dependency: CheckpointId, scribe: Scribe) -> None:
    if dependency.workflow_id != scribe.workflow_id:
        raise InvalidRequest(
            f"{dependency} in depends_on belongs to another workflow than {scribe.workflow_id!r}"
        )
    scribe.uow.checkpoints.get(dependency)


def _make_recoverable(scribe: Scribe, entry: Entry) -> None:
    """Open a workflow whose first checkpoint to name a handler this is."""
    standing = scribe.standing
    if standing is None or standing.opening is None:
        scribe.write(
            opening_entry(
                Scope(scribe.workflow_id),
                resume_handler=entry.resume_handler,
                max_retries=entry.max_retries,
            )
        )
    elif standing.handler is None:
        opening = scribe.uow.checkpoints.get(standing.opening)
        opening.resume_handler = entry.resume_handler
        scribe.save(opening)


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "agent" else f"a {kind}"
