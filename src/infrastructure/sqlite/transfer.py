"""Moving the whole of a store in SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...domain.checkpoint import Checkpoint
from ...domain.gone import Gone
from ...domain.payload import Payload
from ...domain.replay import Replay
from . import statements as sql
from .purge_memory import PurgeMemory
from .transaction import Transaction

if TYPE_CHECKING:
    from .checkpoint_repository import SqliteCheckpointRepository

# A transaction that writes a whole store would else remember each workflow of it.
_MOST_REMEMBERED = 2_000


class SqliteTransfer:
    """What the other repositories do not tell, or would give out anew."""

    def __init__(self, transaction: Transaction, checkpoints: SqliteCheckpointRepository) -> None:
        self._tx = transaction
        self._checkpoints = checkpoints

    def names(self) -> Iterator[str]:
        """Iterate over the names of workflows, and of what has a lease or an attempt."""
        for (name,) in self._tx.each(sql.NAMES, (), "the name of a workflow"):
            self._tx.memory.forget_most(_MOST_REMEMBERED)
            yield name

    def last_number(self) -> int:
        """Return the highest number that a checkpoint or an event was given."""
        (following,) = self._tx.connection.execute(sql.NEXT_NUMBER).fetchone()
        return int(following) - 1

    def skip_to(self, number: int) -> None:
        """Let the next checkpoint or event have *number*."""
        memory = self._tx.memory
        memory.forget_most(_MOST_REMEMBERED)
        following = memory.next_number
        if following is None:
            following = self.last_number() + 1
        if number < following:
            raise ValueError(f"number {number} is not above {following - 1}")
        memory.next_number = number

    def last_sequence(self, workflow_id: str) -> int:
        """Return the highest sequence that the workflow ever had acknowledged."""
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            return 0
        head = self._tx.head(workflow)
        return max(head.id.sequence if head else 0, workflow.sequence_floor)

    def raise_sequence(self, workflow_id: str, sequence: int) -> None:
        """Take *sequence* for given out."""
        if sequence > self.last_sequence(workflow_id):
            workflow = self._tx.ensure_workflow(workflow_id)
            workflow.sequence_floor = sequence
            self._tx.save_workflow(workflow)

    def add_cut(self, checkpoint: Checkpoint, payload: Payload, replay: Replay) -> None:
        """Keep a new checkpoint whose parent is not kept any more."""
        self._checkpoints.add_cut(checkpoint, payload, replay)

    def purges(self, workflow_id: str) -> list[Gone]:
        """Return what is remembered of purges of the workflow."""
        workflow = self._tx.workflow(workflow_id)
        return PurgeMemory(self._tx).all(workflow) if workflow is not None else []

    def remember_purges(self, workflow_id: str, gone: Sequence[Gone]) -> None:
        """Remember purges of a workflow."""
        PurgeMemory(self._tx).put_all(self._tx.ensure_workflow(workflow_id), gone)
