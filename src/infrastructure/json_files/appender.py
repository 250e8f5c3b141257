"""Adds checkpoints to chains, and keeps the context where that is due."""

from __future__ import annotations

from dataclasses import replace

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.checkpoint_type import CheckpointType
from ...domain.errors import Damaged, NotFound
from ...domain.payload import Payload
from ...domain.replay import Change
from ...domain.scope import Scope
from .chains import Chains
from .checkpoint_file import Chained, StoredCheckpoint, read_checkpoint
from .contexts import is_due, keep_context
from .documents import Document
from .failures import note_failure
from .index import Entry
from .pointer import Pointer, pointer_of
from .purge_memory import missing
from .unfinished import note_unfinished
from .view import View


def append(
    view: View,
    chains: Chains,
    checkpoint: Checkpoint,
    payload: Payload,
    base: list[Document] | None = None,
) -> None:
    """Add a checkpoint after its parent.

    Args:
        base: what its chain, with it, adds up to, where its parent is not kept any more.

    Raises:
        NotFound: its parent is not there.
        ValueError: its sequence was given out before and is in use.
    """
    name = checkpoint.id.workflow_id
    pointer = pointer_of(view, name) or Pointer(name)
    parent = Chained() if base is not None else _parent(view, pointer, checkpoint.parent_id)
    _require_free(view, pointer, checkpoint.id)
    stored = StoredCheckpoint.of(checkpoint, view.take_number(), payload)
    opens_workflow = checkpoint.type is CheckpointType.WORKFLOW_START
    stored.opening = checkpoint.id if opens_workflow else pointer.opening
    stored.base = base
    stored.follow(parent, _size_of(payload))
    if base is None:
        _keep_context_if_due(view, chains, stored)
    stored.save(view)
    view.note(Entry(stored.number, "created", str(checkpoint.id)))
    _advance(pointer, stored)
    pointer.save(view)
    note_unfinished(view, pointer)
    if checkpoint.type is CheckpointType.ERROR_STATE:
        note_failure(view, stored)


def _parent(view: View, pointer: Pointer, wanted: CheckpointId | None) -> Chained:
    if wanted is None:
        return Chained()
    if pointer.head == wanted and pointer.chained is not None:
        return pointer.chained  # it may be damaged: that is no reason not to write after it
    try:
        if wanted.workflow_id == pointer.workflow_id:
            return read_checkpoint(view, wanted).chained
        gone = None
    except NotFound:
        gone = missing(view, f"parent checkpoint {wanted}", wanted)
    raise gone or NotFound(f"parent checkpoint {wanted} in {Scope(pointer.workflow_id)}")


def _require_free(view: View, pointer: Pointer, wanted: CheckpointId) -> None:
    if pointer.head is None or wanted.sequence > pointer.head.sequence:
        return
    files = view.checkpoint_files(wanted.workflow_id, newest_first=True)
    if any(each.sequence == wanted.sequence for each in files):
        raise ValueError(f"{wanted} is there already, or another one with its sequence")


def _size_of(payload: Payload) -> int:
    texts = (payload.state, payload.patch, payload.input, payload.output)
    return sum(len(text) for text in texts if text is not None)


def _keep_context_if_due(view: View, chains: Chains, stored: StoredCheckpoint) -> None:
    parent = stored.checkpoint.parent_id
    if parent is None or not is_due(stored.chained):
        return
    payload = stored.payload
    try:
        replay = chains.replay(parent)
        replay.apply(
            Change(
                stored.checkpoint,
                state=payload.get("state"),
                patch=payload.get("patch"),
                input=payload.get("input"),
                output=payload.get("output"),
            )
        )
    except Damaged:
        return  # damage among what was before is no reason not to write
    size = keep_context(view, replay, stored.chained.link)
    sequence = stored.checkpoint.id.sequence
    stored.chained = replace(stored.chained, context=sequence, context_size=size, rows=0, bytes=0)


def _advance(pointer: Pointer, stored: StoredCheckpoint) -> None:
    checkpoint = stored.checkpoint
    if _branches(pointer, stored):
        pointer.branched = True
    if pointer.head is None or checkpoint.id.sequence > pointer.head.sequence:
        pointer.head, pointer.head_type = checkpoint.id, checkpoint.type
        pointer.chained = stored.chained
    pointer.checkpoints += 1
    pointer.floor = max(pointer.floor, checkpoint.id.sequence)
    pointer.epoch = max(pointer.epoch, checkpoint.epoch)
    if checkpoint.type.opens and not checkpoint.status.is_final:
        pointer.unfinished.append(checkpoint.id)
    if checkpoint.type is CheckpointType.WORKFLOW_START:
        pointer.open_with(checkpoint.id, stored)


def _branches(pointer: Pointer, stored: StoredCheckpoint) -> bool:
    head, parent = pointer.head, stored.checkpoint.parent_id
    if head is None or parent == head:
        return False
    # As far as can be told: where a parent that is gone came after all that is kept, it was the
    # head.
    return stored.base is None or parent is None or parent.sequence < head.sequence
