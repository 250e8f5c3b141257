"""What chains of rows add up to."""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import ChainBroken, CheckpointCorrupted, Damaged, NotFound
from ...domain.replay import Replay
from ...domain.scope import Scope
from . import statements as sql
from .body import unpack
from .keyframes import Keyframes
from .purge_memory import PurgeMemory
from .rebuild import Rebuild
from .rows import CheckpointRow, RowName, id_of, intact_row, parent_of
from .transaction import Transaction, WorkflowRow


class Chains:
    """Reads chains; every row on the way is held against its seal, its body against its digest."""

    def __init__(self, transaction: Transaction, keyframes: Keyframes) -> None:
        self._tx = transaction
        self._keyframes = keyframes
        self._at = 0  # the sequence of the row that is being read

    def replay(self, workflow: WorkflowRow, checkpoint_id: CheckpointId) -> Replay:
        """Return what the chain adds up to at a checkpoint."""
        return self.rebuild(workflow, checkpoint_id.sequence, checkpoint_id).finish()

    def rebuild(self, workflow: WorkflowRow, sequence: int, subject: CheckpointId) -> Rebuild:
        """Return what the chain adds up to at a sequence, states as texts.

        Starts from the nearest keyframe that is intact, or else from the root, or from the oldest
        checkpoint that is kept, if that stands for itself.

        Raises:
            NotFound, ChainBroken, CheckpointCorrupted: what is needed is missing or damaged.
        """
        self._at = sequence
        found = self._tx.one(sql.SELECT_CHECKPOINT, (workflow.id, sequence), subject)
        if found is None:
            raise PurgeMemory(self._tx).missing(f"checkpoint {subject}", workflow, sequence)
        row = intact_row(found, workflow.workflow_id, subject)
        trouble: Damaged | None = None
        for number in self._starts(row, workflow):
            try:
                start = self._keyframes.load(number, workflow)
            except CheckpointCorrupted as error:
                trouble = trouble or error
            else:
                return self._add_rows(start, number, workflow, row)
        try:
            return self._add_rows(Rebuild(self._tx.store.codec), 0, workflow, row)
        except ChainBroken:
            # Without its keyframe there is no way to what was before.
            if trouble is not None:
                raise trouble from None
            raise

    def newest_intact(
        self, workflow: WorkflowRow, checkpoint_id: CheckpointId
    ) -> CheckpointId | None:
        """Return the newest of a checkpoint and its ancestors that `rebuild` can rebuild."""
        sequence: int | None = checkpoint_id.sequence
        while sequence is not None:
            try:
                return self.rebuild(workflow, sequence, checkpoint_id).replay.head
            except ChainBroken as broken:
                sequence = self._before_missing(workflow, CheckpointId.parse(broken.missing))
            except (Damaged, NotFound):
                sequence = self._before(workflow, self._at)
        return None

    def ids(self, workflow: WorkflowRow, checkpoint_id: CheckpointId) -> tuple[CheckpointId, ...]:
        """Return the ids from a checkpoint back to its oldest ancestor that is kept."""
        name = workflow.workflow_id
        key = {"workflow": workflow.id, "sequence": checkpoint_id.sequence, "after": 0}
        rows = self._tx.each(sql.SELECT_CHAIN_ROWS, key, checkpoint_id)
        return tuple(id_of(intact_row(row, name), name) for row in rows)

    def _starts(self, row: CheckpointRow, workflow: WorkflowRow) -> Iterator[int]:
        """Iterate over the keyframes in a row's chain, the nearest first."""
        number = row.keyframe
        while number is not None:
            yield number
            number = self._keyframes.before(number, workflow)

    def _add_rows(
        self, rebuild: Rebuild, after: int, workflow: WorkflowRow, last: CheckpointRow
    ) -> Rebuild:
        """Add what a chain has from the row numbered above *after* to *last*."""
        if last.number == after:
            return rebuild
        name = workflow.workflow_id
        key = {"workflow": workflow.id, "sequence": last.sequence, "after": after}
        head = rebuild.replay.head
        above = head.sequence if head else None
        self._at = above + 1 if above else 1
        is_first = True
        for found in self._tx.each(sql.SELECT_CHAIN, key, Scope(name)):
            self._at = CheckpointRow._make(found[:-1]).sequence
            row = intact_row(found[:-1], name)
            if is_first and row.parent != above and row.keyframe == row.number:
                # What was before is gone, and was added up when it went.
                rebuild = self._keyframes.load(row.number, workflow)
                above, is_first = row.sequence, False
                continue
            is_first = False
            if row.parent != above:
                raise ChainBroken(id_of(last, name), parent_of(row, name))
            rebuild.apply(row, unpack(found[-1], row.body_digest, RowName(row, name)), name)
            above = row.sequence
            self._at = row.sequence + 1  # the next, should it not even be readable
        rebuild.set_head(id_of(last, name))
        return rebuild

    def _before(self, workflow: WorkflowRow, damaged: int) -> int | None:
        """Return the sequence to go on with below a damaged row.

        What that row says of its parent may be damage, too. As long as nothing branched, its
        parent is the row before it.
        """
        key = (workflow.id, damaged)
        subject = Scope(workflow.workflow_id)
        text = sql.SELECT_PARENT if workflow.branched else sql.SELECT_SEQUENCE_BEFORE
        found = self._tx.one(text, key, subject)
        before = found[0] if found else None
        return before if isinstance(before, int) and before < damaged else None

    def _before_missing(self, workflow: WorkflowRow, missing: CheckpointId) -> int | None:
        """Return the sequence to go on with below a row that is gone.

        Where something branched, what was its parent is not known, but a keyframe before it that
        its child still names is one of its ancestors.
        """
        if not workflow.branched:
            return self._before(workflow, missing.sequence)
        key = (workflow.id, missing.sequence, missing.sequence)
        found = self._tx.one(sql.SELECT_SEQUENCE_OF_KEYFRAME, key, missing)
        return found[0] if found else None
