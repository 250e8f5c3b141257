"""Moving the whole of a store in SQLite."""

from __future__ import annotations

from collections.abc import Iterator

from . import statements as sql
from .transaction import Transaction

# A transaction that writes a whole store would else remember each workflow of it.
_MOST_REMEMBERED = 2_000


class SqliteTransfer:
    """What the other repositories do not tell, or would give out anew."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

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
