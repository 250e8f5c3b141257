"""Moving the whole of a store in memory."""

from __future__ import annotations

from collections.abc import Iterator

from .logs import sequence_key
from .tables import Tables, UndoLog


class MemoryTransfer:
    """What the other repositories do not tell, or would give out anew."""

    def __init__(self, tables: Tables, undo: UndoLog) -> None:
        self._tables = tables
        self._undo = undo

    def names(self) -> Iterator[str]:
        """Iterate over the names of workflows, and of what has a lease or an attempt."""
        tables = self._tables
        # The counter of a workflow outlives its checkpoints.
        counted = [key.removeprefix(sequence_key("")) for key in tables.counters if key != "number"]
        yield from sorted({*tables.checkpoints, *tables.leases, *tables.attempts, *counted})

    def last_number(self) -> int:
        """Return the highest number that a checkpoint or an event was given."""
        return self._tables.counters["number"]

    def skip_to(self, number: int) -> None:
        """Let the next checkpoint or event have *number*."""
        last = self.last_number()
        if number <= last:
            raise ValueError(f"number {number} is not above {last}")
        self._undo.put(self._tables.counters, "number", number - 1)

    def last_sequence(self, workflow_id: str) -> int:
        """Return the highest sequence that the workflow ever had acknowledged."""
        rows = self._tables.checkpoints.get(workflow_id, {})
        return max(self._tables.counters.get(sequence_key(workflow_id), 0), max(rows, default=0))

    def raise_sequence(self, workflow_id: str, sequence: int) -> None:
        """Take *sequence* for given out."""
        if sequence > self.last_sequence(workflow_id):
            self._undo.put(self._tables.counters, sequence_key(workflow_id), sequence)
