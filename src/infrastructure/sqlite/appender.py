"""Adds checkpoints to chains: as differences where that is smaller, with keyframes where due."""

from __future__ import annotations

from ...domain.checkpoint import Checkpoint
from ...domain.errors import CheckpointCorrupted, Damaged, NotFound
from ...domain.payload import Payload
from ...domain.scope import Scope
from . import statements as sql
from .body import pack, unpack
from .chains import Chains
from .differences import encode_difference
from .keyframes import Keyframes
from .purge_memory import PurgeMemory
from .rebuild import Rebuild
from .rows import CheckpointRow, Parent, id_of, intact_row, new_row, row_with_keyframe
from .transaction import Transaction, WorkflowRow
from .writer_memory import Tail

# Comparing smaller states costs more than writing what it saves: both fit into a page or two.
_WORTH_COMPARING = 4096


class Appender:
    """Adds rows to the chains of one transaction."""

    def __init__(self, transaction: Transaction, chains: Chains, keyframes: Keyframes) -> None:
        self._tx = transaction
        self._chains = chains
        self._keyframes = keyframes

    def append(self, checkpoint: Checkpoint, payload: Payload, workflow: WorkflowRow) -> Parent:
        """Add a checkpoint after its parent; return it as the parent of the next."""
        parent = self._parent(checkpoint, workflow)
        tail = self._tail(parent, workflow, payload)
        difference = self._difference(checkpoint.scope, payload, tail)
        body = pack(payload, difference)
        number = self._tx.next_number()
        row = new_row(checkpoint, number, workflow.id, body, parent)
        rebuild = self._rebuild_if_due(row, body, parent, workflow)
        if rebuild is not None:
            row = row_with_keyframe(row)
        self._tx.insert(sql.INSERT_CHECKPOINT, "checkpoints", row, body)
        if rebuild is not None:
            self._keyframes.add(row, rebuild, parent.keyframe if parent else None)
        self._keep_tail(tail, checkpoint.scope, payload, row)
        return Parent(checkpoint.id, row.link, row.keyframe, row.since_rows, row.since_bytes)

    def _parent(self, checkpoint: Checkpoint, workflow: WorkflowRow) -> Parent | None:
        wanted = checkpoint.parent_id
        if wanted is None:
            return None
        head = self._tx.head(workflow)
        if head is not None and head.id == wanted:
            return head
        name = workflow.workflow_id
        key = (workflow.id, wanted.sequence)
        found = self._tx.one(sql.SELECT_CHECKPOINT, key, wanted)
        if found is not None and wanted.workflow_id == name:
            row = intact_row(found, name, wanted)
            if id_of(row, name) == wanted:
                return Parent.of(row, name)
        what = f"parent checkpoint {wanted} in {Scope(name)}"
        if wanted.workflow_id != name:
            raise NotFound(what)
        raise PurgeMemory(self._tx).missing(what, workflow, wanted.sequence)

    def _tail(self, parent: Parent | None, workflow: WorkflowRow, payload: Payload) -> Tail | None:
        """Return the states at the end of the chain, where they are known or worth knowing."""
        if parent is None:
            return Tail(b"")
        tail = self._tx.memory.tails.get(workflow.id, parent.link)
        if tail is None and _is_worth_comparing(payload):
            try:
                rebuild = self._chains.rebuild(workflow, parent.id.sequence, parent.id)
            except Damaged:
                return None  # what is added stands for itself
            tail = Tail(parent.link, {scope: bytes(text) for scope, text in rebuild.whole.items()})
        return tail

    def _difference(self, scope: Scope, payload: Payload, tail: Tail | None) -> bytes | None:
        old = tail.states.get(scope) if tail else None
        if old is None or payload.state is None or not _is_worth_comparing(payload):
            return None
        return encode_difference(old, payload.state)

    def _rebuild_if_due(
        self,
        row: CheckpointRow,
        body: bytes | None,
        parent: Parent | None,
        workflow: WorkflowRow,
    ) -> Rebuild | None:
        """Return what the chain adds up to with a new row that should have a keyframe."""
        if parent is None or not self._keyframes.is_due(row):
            return None
        try:
            rebuild = self._chains.rebuild(workflow, parent.id.sequence, parent.id)
            identity = id_of(row, workflow.workflow_id)
            rebuild.apply(row, unpack(body, row.body_digest, identity), workflow.workflow_id)
            rebuild.set_head(identity)
        except (Damaged, CheckpointCorrupted):
            return None  # damage among what was before is no reason not to write
        return rebuild

    def _keep_tail(
        self, tail: Tail | None, scope: Scope, payload: Payload, row: CheckpointRow
    ) -> None:
        if tail is None and payload.state is None:
            return
        tail = tail or Tail(b"")  # of the other scopes nothing is known, and need not be
        tail.link = b""  # of no checkpoint, should this be interrupted halfway
        if payload.state is not None:
            tail.states[scope] = payload.state
        if payload.patch is not None:
            tail.states.pop(scope, None)
        tail.link = row.link
        self._tx.memory.tails.put(row.workflow, tail)


def _is_worth_comparing(payload: Payload) -> bool:
    return payload.state is not None and len(payload.state) >= _WORTH_COMPARING
