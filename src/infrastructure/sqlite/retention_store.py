"""Looks at the ages of checkpoints in SQLite, and removes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from ...domain.checkpoint_status import CheckpointStatus
from ...domain.errors import CheckpointCorrupted, NotFound
from ...domain.moment import from_microseconds
from ...domain.ports import Removed
from ...domain.retention import AgedCheckpoint, OwnRetention
from ...domain.scope import Scope
from . import statements as sql
from .chains import Chains
from .keyframes import EncodedKeyframe, Keyframes
from .purge_memory import PurgeMemory
from .rows import CheckpointRow, id_of, intact_row, row_with_keyframe, seal_of
from .transaction import Transaction, WorkflowRow

_OPENING_TYPES = frozenset(["workflow_start", "stage_start", "agent_start"])
_UNFINISHED = {each.value: each for each in CheckpointStatus if not each.is_final}


class SqliteRetentionStore:
    """Looks at the ages of checkpoints, and removes them."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction
        self._execute = transaction.connection.execute
        self._keyframes = Keyframes(transaction)
        self._chains = Chains(transaction, self._keyframes)
        self._memory = PurgeMemory(transaction)

    def workflow_ids(self, *, after: str, limit: int) -> list[str]:
        """Return the ids above *after* of workflows that have checkpoints."""
        rows = self._tx.each(sql.WORKFLOWS_AFTER, (after, limit), "the name of a workflow")
        return [name for (name,) in rows]

    def policy(self, workflow_id: str) -> OwnRetention:
        """Return what the workflow says of its own retention."""
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            return OwnRetention()
        subject = f"the retention of {Scope(workflow_id)}"
        found = self._tx.one(sql.SELECT_RETENTION, (workflow.id,), subject)
        if found is None:
            return OwnRetention()
        if seal_of(found[:-1]) != found[-1]:
            raise CheckpointCorrupted(subject, "its seal does not match")
        return OwnRetention(found[1], found[2])

    def set_policy(self, workflow_id: str, policy: OwnRetention) -> None:
        """Keep what the workflow says from now on."""
        workflow = self._tx.ensure_workflow(workflow_id)
        if policy.says_nothing:
            self._execute(sql.DELETE_RETENTION, (workflow.id,))
            return
        days = float(policy.days) if policy.days is not None else None
        values = (workflow.id, days, policy.count)
        self._execute(sql.PUT_RETENTION, (*values, seal_of(values)))

    def count(self, workflow_id: str) -> int:
        """Return how many checkpoints the workflow has."""
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            return 0
        (count,) = self._execute(sql.COUNT_CHECKPOINTS, (workflow.id,)).fetchone()
        return int(count)

    def aged(self, workflow_id: str, *, after: int = 0) -> Iterator[AgedCheckpoint]:
        """Iterate over the checkpoints above a sequence, the oldest first."""
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            return
        subject = Scope(workflow_id)
        for found in self._tx.each(sql.SELECT_AGED, (workflow.id, after), subject):
            row = intact_row(found[:-1], workflow_id)
            yield AgedCheckpoint(
                row.number,
                row.sequence,
                row.parent,
                from_microseconds(row.created_at),
                found[-1],
                _UNFINISHED.get(row.status) if row.type in _OPENING_TYPES else None,
                row.sequence == workflow.opening,
            )

    def number_of_newest(self, size: int, workflow_id: str | None = None) -> int:
        """Return the lowest number such that the checkpoints from it on hold that much."""
        text, key = sql.NEWEST_SIZES, tuple[int, ...]()
        if workflow_id is not None:
            workflow = self._tx.workflow(workflow_id)
            if workflow is None:
                return 0
            text, key = sql.NEWEST_SIZES_OF, (workflow.id,)
        total = 0
        for number, each in self._tx.each(text, key, "a checkpoint"):
            total += each
            if total > size:
                return int(number) + 1
        return 0

    def newest_number(self) -> int:
        """Return the highest number that was given out."""
        known = self._tx.memory.next_number
        if known is None:
            (known,) = self._execute(sql.NEXT_NUMBER).fetchone()
        return int(known) - 1

    def prepare(self, workflow_id: str, sequence: int, *, near: int | None = None) -> Any:
        """Return what `consolidate` needs; ``None`` when the checkpoint stands for itself."""
        workflow, row = self._row(workflow_id, sequence)
        if self._stands_alone(workflow, row):
            return None
        rebuild = self._chains.rebuild(workflow, sequence, id_of(row, workflow_id))
        return self._keyframes.encoded(rebuild, self._keyframe_of(workflow, near, row))

    def consolidate(self, workflow_id: str, sequence: int, prepared: Any = None) -> bool:
        """Make a checkpoint stand for itself; return whether it did not before."""
        workflow, row = self._row(workflow_id, sequence)
        if self._stands_alone(workflow, row):
            return False
        if not isinstance(prepared, EncodedKeyframe) or not self._is_there(prepared.base):
            prepared = self.prepare(workflow_id, sequence)
        self._keyframes.put(row.number, prepared)
        own = row_with_keyframe(row)
        self._execute(
            sql.GIVE_KEYFRAME,
            (own.keyframe, own.since_rows, own.since_bytes, own.seal, own.number),
        )
        self._tx.memory.parents.pop(workflow.id, None)
        return True

    def remove(self, workflow_id: str, first: int, last: int, at: datetime) -> Removed:
        """Remove the checkpoints with these sequences, and remember that they went."""
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            return Removed()
        key = (workflow.id, first, last)
        count, size, lowest, highest = self._execute(sql.MEASURE_RANGE, key).fetchone()
        if not count:
            return Removed()
        self._keep_what_stands_on(workflow, first, last)
        self._execute(sql.DELETE_KEYFRAMES, key)
        self._execute(sql.DELETE_RANGE, key)
        self._memory.remember(workflow, lowest, highest, at)
        self._tx.memory.parents.pop(workflow.id, None)
        if highest > workflow.sequence_floor:
            workflow.sequence_floor = highest
            self._tx.save_workflow(workflow)
        return Removed(count, size)

    def remove_events(self, workflow_id: str, *, below: int, most: int) -> int:
        """Remove the workflow's oldest events with lower numbers."""
        return self._execute(sql.DELETE_EVENTS, (workflow_id, below, most)).rowcount

    def remove_attempts(self, workflow_id: str, *, before: int) -> int:
        """Remove the attempts that had ended before a sequence was written."""
        key = {"workflow_id": workflow_id, "before": before}
        return self._execute(sql.DELETE_ATTEMPTS, key).rowcount

    def remove_all_attempts(self, workflow_id: str) -> int:
        """Remove every attempt of the workflow."""
        return self._execute(sql.DELETE_ALL_ATTEMPTS, (workflow_id,)).rowcount

    def purged_at(self, workflow_id: str, sequence: int | None = None) -> datetime | None:
        """Return when a checkpoint went, or the last time one of the workflow did."""
        workflow = self._tx.workflow(workflow_id)
        return self._memory.at(workflow, sequence) if workflow is not None else None

    def _row(self, workflow_id: str, sequence: int) -> tuple[WorkflowRow, CheckpointRow]:
        what = f"checkpoint {sequence} of {Scope(workflow_id)}"
        workflow = self._tx.workflow(workflow_id)
        if workflow is None:
            raise NotFound(what)
        found = self._tx.one(sql.SELECT_CHECKPOINT, (workflow.id, sequence), what)
        if found is None:
            raise self._memory.missing(what, workflow, sequence)
        return workflow, intact_row(found, workflow_id)

    def _stands_alone(self, workflow: WorkflowRow, row: CheckpointRow) -> bool:
        if row.parent is None:
            return True
        if row.keyframe != row.number:
            return False
        try:
            self._keyframes.load(row.number, workflow)
        except CheckpointCorrupted:
            return False
        return True

    def _keyframe_of(
        self, workflow: WorkflowRow, near: int | None, row: CheckpointRow
    ) -> int | None:
        """Return the number of the keyframe that another one may be a difference from."""
        if near is None or near >= row.sequence:
            return None
        _, other = self._row(workflow.workflow_id, near)
        return other.number if other.keyframe == other.number else None

    def _is_there(self, base: int | None) -> bool:
        return base is None or self._keyframes.has(base)

    def _keep_what_stands_on(self, workflow: WorkflowRow, first: int, last: int) -> None:
        """Let the keyframes that are differences from those that go stand for themselves."""
        key = {"workflow": workflow.id, "first": first, "last": last}
        for (number,) in self._execute(sql.SELECT_STANDING_ON, key).fetchall():
            # A damaged one is of no use either way: what it stands for is rebuilt without it.
            with suppress(CheckpointCorrupted, ValueError):
                self._keyframes.stand_alone(number)
