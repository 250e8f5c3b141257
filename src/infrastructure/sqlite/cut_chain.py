"""Adds checkpoints whose parents are not kept any more: each has a keyframe of its own."""

from __future__ import annotations

from ...domain.checkpoint import Checkpoint
from ...domain.payload import Payload
from ...domain.replay import Replay
from ..json_codec import text_of
from . import statements as sql
from .body import members_of, pack
from .keyframes import Keyframes
from .rebuild import Rebuild
from .rows import Parent, new_row, row_with_keyframe
from .transaction import Transaction, WorkflowRow


def append_cut(
    transaction: Transaction,
    checkpoint: Checkpoint,
    payload: Payload,
    replay: Replay,
    workflow: WorkflowRow,
) -> Parent:
    """Add a checkpoint that stands for itself; return it as the parent of the next.

    Its link is that of a root: there is nothing to tie it to, and nobody holds it against that.
    """
    number = transaction.next_number()
    body = pack(members_of(payload))
    row = row_with_keyframe(new_row(checkpoint, number, workflow.id, body, None))
    transaction.insert(sql.INSERT_CHECKPOINT, "checkpoints", row, body)
    keyframes = Keyframes(transaction)
    keyframes.put(number, keyframes.encoded(_as_texts(transaction, replay), None))
    return Parent(checkpoint.id, row.link, row.keyframe, row.since_rows, row.since_bytes)


def _as_texts(transaction: Transaction, replay: Replay) -> Rebuild:
    rebuild = Rebuild(transaction.store.codec, replay)
    for scope, record in replay.scopes.items():
        if record.state:
            rebuild.whole[scope] = text_of(record.state)
    return rebuild
