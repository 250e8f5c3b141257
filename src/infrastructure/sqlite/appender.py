"""Adds checkpoints to chains: as differences where that is smaller, with keyframes where due."""

from __future__ import annotations

from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, Damaged, NotFound
from ...domain.payload import Payload
from ...domain.scope import Scope
from . import statements as sql
from .body import Members, members_of, pack
from .chains import Chains
from .differences import encode_difference
from .keyframes import Keyframes
from .purge_memory import PurgeMemory
from .rebuild import Rebuild
from .rows import CheckpointRow, Parent, id_of, intact_row, new_row, row_with_keyframe
from .tails import Tail
from .transaction import Transaction, WorkflowRow

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
        scope, members = checkpoint.id.scope, members_of(payload)
        body = pack(members, self._difference(scope, payload, tail))
        number = self._tx.next_number()
        row = new_row(checkpoint, number, workflow.id, body, parent)
        if parent is not None and self._keyframes.is_due(row):
            tail = self._whole(tail, parent, workflow)
            row = self._with_keyframe(row, tail, scope, members, parent)
        elif tail is not None:
            tail.add(scope, row, members)
        self._tx.insert(sql.INSERT_CHECKPOINT, "checkpoints", row, body)
        if tail is not None:
            tail.trim()
            self._tx.memory.tails.put(workflow.id, tail)
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
        """Return what is known of the end of the chain, or worth being read or begun."""
        if parent is None:
            return Tail(b"", Rebuild(self._tx.store.codec))
        tail = self._tx.memory.tails.get(workflow.id, parent.link)
        if tail is None and _is_worth_comparing(payload):
            tail = self._whole(None, parent, workflow)
            if tail is not None:
                tail.forget_values()  # how much they are is not known before the next keyframe
            return tail
        if tail is None and payload.state is not None:
            return Tail(parent.link)  # of the other scopes nothing is known, and need not be
        return tail

    def _whole(self, tail: Tail | None, parent: Parent, workflow: WorkflowRow) -> Tail | None:
        """Return a tail that knows all that the chain adds up to; what it was given on damage."""
        if tail is not None and tail.rebuild is not None:
            return tail
        try:
            rebuild = self._chains.rebuild(workflow, parent.id.sequence, parent.id)
        except (Damaged, CheckpointCorrupted):
            return tail  # damage among what was before is no reason not to write
        return Tail(parent.link, rebuild)

    def _difference(self, scope: Scope, payload: Payload, tail: Tail | None) -> bytes | None:
        old = tail.states.get(scope) if tail else None
        if old is None or payload.state is None or not _is_worth_comparing(payload):
            return None
        return encode_difference(old, payload.state)

    def _with_keyframe(
        self,
        row: CheckpointRow,
        tail: Tail | None,
        scope: Scope,
        members: Members,
        parent: Parent,
    ) -> CheckpointRow:
        """Add a row to the tail of its chain and keep what that comes to; return it, noting so."""
        if tail is None:
            return row
        tail.add(scope, row, members)
        if tail.rebuild is None:
            return row
        tail.rebuild.set_head(CheckpointId.of(scope, row.sequence))
        tail.weigh(self._keyframes.add(row, tail.rebuild, parent.keyframe))
        return row_with_keyframe(row)


def _is_worth_comparing(payload: Payload) -> bool:
    return payload.state is not None and len(payload.state) >= _WORTH_COMPARING
