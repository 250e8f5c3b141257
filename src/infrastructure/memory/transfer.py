"""Moving the whole of a store in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...domain.checkpoint import Checkpoint
from ...domain.gone import Gone
from ...domain.payload import Payload
from ...domain.replay import Replay
from .logs import sequence_key
from .tables import Tables, UndoLog

if TYPE_CHECKING:
    from .checkpoint_repository import MemoryCheckpointRepository


class MemoryTransfer:
    """What the other repositories do not tell, or would give out anew."""

    def __init__(
        self, checkpoints: MemoryCheckpointRepository, tables: Tables, undo: UndoLog
    ) -> None:
        self._checkpoints = checkpoints
        self._tables = tables
        self._undo = undo

    def names(self) -> Iterator[str]:
        """Iterate over the names of workflows, and of what has a lease or an attempt."""
        tables = self._tables
        # The counter of a workflow outlives its checkpoints.
        counted = [key.removeprefix(sequence_key("")) for key in tables.counters if key != "number"]
        kept = {*tables.checkpoints, *tables.retention, *tables.purged}
        yield from sorted({*kept, *tables.leases, *tables.attempts, *counted})

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

    def add_cut(self, checkpoint: Checkpoint, payload: Payload, replay: Replay) -> None:
        """Keep a new checkpoint whose parent is not kept any more."""
        self._checkpoints.add_cut(checkpoint, payload, replay)

    def purges(self, workflow_id: str) -> list[Gone]:
        """Return what is remembered of purges of the workflow."""
        return sorted(Gone(*each) for each in self._tables.purged.get(workflow_id, ()))

    def remember_purges(self, workflow_id: str, gone: Sequence[Gone]) -> None:
        """Remember purges of a workflow."""
        self._undo.put(self._tables.purged, workflow_id, tuple(tuple(each) for each in gone))
