"""Looks at the ages of checkpoints in memory, and removes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ...domain.errors import NotFound
from ...domain.ports import Removed
from ...domain.retention import AgedCheckpoint, OwnRetention
from ...domain.scope import Scope
from .tables import StoredRow, Tables, UndoLog, purged_at

if TYPE_CHECKING:
    from .checkpoint_repository import MemoryCheckpointRepository

_ROW_SIZE = 250


class MemoryRetentionStore:
    """Looks at the ages of checkpoints, and removes them."""

    def __init__(
        self, checkpoints: MemoryCheckpointRepository, tables: Tables, undo: UndoLog
    ) -> None:
        self._checkpoints = checkpoints
        self._tables = tables
        self._undo = undo

    def workflow_ids(self, *, after: str, limit: int) -> list[str]:
        """Return the ids above *after* of workflows that have checkpoints."""
        names = sorted(name for name, rows in self._tables.checkpoints.items() if rows)
        return [name for name in names if name > after][:limit]

    def policy(self, workflow_id: str) -> OwnRetention:
        """Return what the workflow says of its own retention."""
        return self._tables.retention.get(workflow_id, OwnRetention())

    def set_policy(self, workflow_id: str, policy: OwnRetention) -> None:
        """Keep what the workflow says from now on."""
        self._undo.put(self._tables.retention, workflow_id, policy)

    def count(self, workflow_id: str) -> int:
        """Return how many checkpoints the workflow has."""
        return len(self._tables.checkpoints.get(workflow_id, {}))

    def aged(self, workflow_id: str, *, after: int = 0) -> Iterator[AgedCheckpoint]:
        """Iterate over the checkpoints above a sequence, the oldest first."""
        opening = self._tables.openings.get(workflow_id)
        for sequence, row in sorted(self._tables.checkpoints.get(workflow_id, {}).items()):
            if sequence <= after:
                continue
            checkpoint = row.checkpoint
            unfinished = checkpoint.type.opens and not checkpoint.status.is_final
            yield AgedCheckpoint(
                row.number,
                sequence,
                checkpoint.parent_id.sequence if checkpoint.parent_id else None,
                checkpoint.created_at,
                _size_of(row),
                checkpoint.status if unfinished else None,
                sequence == opening,
            )

    def number_of_newest(self, size: int, workflow_id: str | None = None) -> int:
        """Return the lowest number such that the checkpoints from it on hold that much."""
        tables = self._tables.checkpoints
        chosen = tables.values() if workflow_id is None else [tables.get(workflow_id, {})]
        total = 0
        rows = (row for table in chosen for row in table.values())
        for row in sorted(rows, key=lambda each: -each.number):
            total += _size_of(row)
            if total > size:
                return row.number + 1
        return 0

    def newest_number(self) -> int:
        """Return the highest number that was given out."""
        return self._tables.counters["number"]

    def prepare(self, workflow_id: str, sequence: int, *, near: int | None = None) -> Any:
        """Return what `consolidate` needs; ``None`` when the checkpoint stands for itself."""
        del near  # states are shared anyway
        row = self._tables.checkpoints.get(workflow_id, {}).get(sequence)
        if row is None:
            raise NotFound(f"checkpoint {sequence} of {Scope(workflow_id)}")
        if row.checkpoint.parent_id is None or (workflow_id, sequence) in self._tables.bases:
            return None
        return self._checkpoints.replay(row.checkpoint.id)

    def consolidate(self, workflow_id: str, sequence: int, prepared: Any = None) -> bool:
        """Make a checkpoint stand for itself; return whether it did not before."""
        del prepared
        replay = self.prepare(workflow_id, sequence)
        if replay is not None:
            self._undo.put(self._tables.bases, (workflow_id, sequence), replay)
        return replay is not None

    def remove(self, workflow_id: str, first: int, last: int, at: datetime) -> Removed:
        """Remove the checkpoints with these sequences, and remember that they went."""
        rows = self._tables.checkpoints.get(workflow_id, {})
        gone = sorted(each for each in rows if first <= each <= last)
        if not gone:
            return Removed()
        size = sum(_size_of(rows[each]) for each in gone)
        for each in gone:
            self._undo.remove(rows, each)
            self._undo.remove(self._tables.bases, (workflow_id, each))
        ranges = (*self._tables.purged.get(workflow_id, ()), (gone[0], gone[-1], at))
        self._undo.put(self._tables.purged, workflow_id, ranges)
        counter = f"sequence of {workflow_id}"
        highest = max(self._tables.counters.get(counter, 0), gone[-1])
        self._undo.put(self._tables.counters, counter, highest)
        return Removed(len(gone), size)

    def remove_events(self, workflow_id: str, *, below: int, most: int) -> int:
        """Remove the workflow's oldest events with lower numbers."""
        events = self._tables.events
        gone = [
            number
            for number in sorted(events)
            if number < below and events[number].workflow_id == workflow_id
        ][:most]
        for number in gone:
            self._undo.remove(events, number)
        return len(gone)

    def remove_attempts(self, workflow_id: str, *, before: int) -> int:
        """Remove the attempts that had ended before a sequence was written."""
        attempts = self._tables.attempts.get(workflow_id, {})
        gone = [
            number
            for number, following in pairwise(sorted(attempts))
            if attempts[following].begun_after < before
        ]
        for number in gone:
            self._undo.remove(attempts, number)
        return len(gone)

    def remove_all_attempts(self, workflow_id: str) -> int:
        """Remove every attempt of the workflow."""
        count = len(self._tables.attempts.get(workflow_id, {}))
        self._undo.remove(self._tables.attempts, workflow_id)
        return count

    def purged_at(self, workflow_id: str, sequence: int | None = None) -> datetime | None:
        """Return when a checkpoint went, or the last time one of the workflow did."""
        return purged_at(self._tables, workflow_id, sequence)


def _size_of(row: StoredRow) -> int:
    payload = row.payload
    members = (payload.state, payload.patch, payload.input, payload.output)
    return _ROW_SIZE + sum(len(member) for member in members if member is not None)
