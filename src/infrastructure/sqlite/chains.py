"""What chains of rows add up to."""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import ChainBroken, Damaged, NotFound
from ...domain.replay import Change, Replay
from ...domain.scope import Scope
from . import statements as sql
from .body import check_body, unpack
from .rows import CheckpointRow, id_of, intact_row, parent_of, to_checkpoint
from .transaction import Transaction, WorkflowRow


class Chains:
    """Reads chains; every row on the way is held against its seal, its body against its digest."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction
        self._codec = transaction.store.codec

    def replay(self, workflow: WorkflowRow, checkpoint_id: CheckpointId) -> Replay:
        """Return what the chain adds up to at a checkpoint."""
        replay = Replay()
        for row, body in self._rows(workflow, checkpoint_id):
            self._apply(replay, row, body, workflow.workflow_id)
        return replay

    def newest_intact(
        self, workflow: WorkflowRow, checkpoint_id: CheckpointId
    ) -> CheckpointId | None:
        """Return the newest of a checkpoint and its ancestors that `replay` can rebuild."""
        sequence = checkpoint_id.sequence
        while True:
            good, damaged = self._follow(workflow, sequence)
            if damaged is None:
                return good
            if good is not None and (workflow.branched or good.sequence == damaged - 1):
                return good
            # What a damaged row says of its parent may be damage, too. As long as nothing branched,
            # its parent is the row before it.
            before = self._tx.one(sql.SELECT_BEFORE, (workflow.id, damaged), checkpoint_id)
            if before is None:
                return good
            sequence = CheckpointRow._make(before).sequence

    def ids(self, workflow: WorkflowRow, checkpoint_id: CheckpointId) -> tuple[CheckpointId, ...]:
        """Return the ids from a checkpoint back to its oldest ancestor that is kept."""
        name = workflow.workflow_id
        key = {"workflow": workflow.id, "sequence": checkpoint_id.sequence}
        rows = self._tx.each(sql.SELECT_CHAIN_ROWS, key, checkpoint_id)
        return tuple(id_of(intact_row(row, name), name) for row in rows)

    def _follow(
        self, workflow: WorkflowRow, sequence: int
    ) -> tuple[CheckpointId | None, int | None]:
        """Return how far a chain can be rebuilt from its root, and the row where that ends."""
        replay = Replay()
        key = {"workflow": workflow.id, "sequence": sequence}
        at = 1
        try:
            for found in self._tx.each(sql.SELECT_CHAIN, key, Scope(workflow.workflow_id)):
                at = CheckpointRow._make(found[:-1]).sequence
                row = intact_row(found[:-1], workflow.workflow_id)
                if row.parent != (replay.head.sequence if replay.head else None):
                    return None, None  # an ancestor is missing: nothing stands on it
                self._apply(replay, row, found[-1], workflow.workflow_id)
                at = row.sequence + 1  # the next, should it not even be readable
        except Damaged:
            return replay.head, at
        return replay.head, None

    def _rows(
        self, workflow: WorkflowRow, checkpoint_id: CheckpointId
    ) -> Iterator[tuple[CheckpointRow, bytes | None]]:
        """Iterate over a chain from its root, each row held against its seal."""
        name = workflow.workflow_id
        above: int | None = None
        key = {"workflow": workflow.id, "sequence": checkpoint_id.sequence}
        for found in self._tx.each(sql.SELECT_CHAIN, key, checkpoint_id):
            row = intact_row(found[:-1], name)
            if row.parent != above:
                raise ChainBroken(checkpoint_id, parent_of(row, name))
            yield row, found[-1]
            above = row.sequence
        if above is None:
            raise NotFound(f"checkpoint {checkpoint_id}")

    def _apply(
        self, replay: Replay, row: CheckpointRow, body: bytes | None, workflow_id: str
    ) -> None:
        checkpoint = to_checkpoint(row, workflow_id)
        check_body(row, body, checkpoint.id)
        members = unpack(body, self._codec, checkpoint.id)
        replay.apply(Change(checkpoint, **members))
