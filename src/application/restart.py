"""Starting again from an older checkpoint: what came after it is not in the new chain."""

from __future__ import annotations

from typing import Any

from ..domain.checkpoint_id import CheckpointId
from ..domain.checkpoint_status import CheckpointStatus
from ..domain.errors import InvalidRequest, Purged
from ..domain.json_value import canonical
from ..domain.payload import JsonText, Payload
from ..domain.replay import Replay
from ..domain.scope import Scope
from ..domain.scope_record import ScopeRecord
from .scopes import opening_entry
from .scribe import Scribe


def start_from(scribe: Scribe, parent: CheckpointId, *, epoch: int | None = None) -> None:
    """Make *parent* the scribe's head.

    Open scopes that are not in the new chain become ``killed`` with that reason. A scope that is
    open in the new chain and was closed since gets a new opening, the outermost first.

    Args:
        epoch: that new openings count as written under: one below the scribe's own lets its owner
            take them over as it comes to them.

    Raises:
        NotFound, InvalidRequest: the parent does not exist, or belongs to another workflow.
    """
    if parent.workflow_id != scribe.workflow_id:
        raise InvalidRequest(
            f"{parent} cannot be the parent of a checkpoint of {Scope(scribe.workflow_id)}: it "
            "belongs to another workflow; name one of this workflow"
        )
    if parent == scribe.head:
        scribe.require_unfinished()
        return
    scribe.uow.checkpoints.get(parent)
    past = scribe.uow.checkpoints.replay(parent)
    open_then = {scope: record for scope, record in past.open_scopes() if record.opening}
    kept = _kill_left_behind(scribe, parent, open_then)
    scribe.head = parent
    for scope in sorted(open_then, key=lambda each: len(each.lineage)):
        if scope not in kept:
            _open_anew(scribe, scope, past, epoch)
    if not past.record(Scope(scribe.workflow_id)).is_open:
        scribe.uow.checkpoints.forget_opening(scribe.workflow_id)
    scribe.refresh()


def _kill_left_behind(
    scribe: Scribe, parent: CheckpointId, open_then: dict[Scope, ScopeRecord]
) -> set[Scope]:
    kept = set()
    for opening in reversed(scribe.uow.checkpoints.unfinished(scribe.workflow_id)):
        record = open_then.get(opening.scope)
        if record is not None and record.opening == opening.id:
            kept.add(opening.scope)
            continue
        opening.kill(f"left behind by a restart from {parent}", scribe.at)
        scribe.save(opening)
    return kept


def _open_anew(scribe: Scribe, scope: Scope, past: Replay, epoch: int | None) -> None:
    record = past.record(scope)
    if record.opening is None:
        return
    about = _opening_as_it_was(scribe, record.opening, record)
    if about is None:
        return
    scribe.write(
        opening_entry(
            scope,
            name=record.title,
            kind=record.kind,
            resume_handler=record.handler,
            **about,
        ),
        status=CheckpointStatus.ACTIVE,
        epoch=epoch,
    )


def _opening_as_it_was(
    scribe: Scribe, opening: CheckpointId, record: ScopeRecord
) -> dict[str, Any] | None:
    """Return what a new opening has from the old one; ``None`` while that is not done."""
    checkpoints = scribe.uow.checkpoints
    try:
        old = checkpoints.get(opening)
    except Purged:
        # It was done, or it would not have gone; its input is known from what comes after it.
        given = record.input
        # JSON that begins with a space is read without loss, whatever integers it holds.
        text = JsonText(b" " + canonical(given).encode()) if given is not None else None
        return {"payload": Payload(input=text)}
    if not old.status.is_final:
        return None
    return {
        "payload": Payload(input=checkpoints.payload(opening).input),
        "max_retries": old.max_retries,
        "metadata": dict(old.metadata),
    }
