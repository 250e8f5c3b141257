"""The memory of what was purged: ranges of sequences, with the date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ...domain.errors import CheckpointCorrupted, NotFound, Purged
from ...domain.gone import Gone
from ...domain.moment import from_microseconds, to_microseconds
from ...domain.scope import Scope
from . import statements as sql
from .rows import seal_of
from .transaction import Transaction, WorkflowRow

# Of one workflow; beyond, ranges that follow each other are made one, with the later date.
_MOST_RANGES = 128


class _Range(NamedTuple):
    """A row of ``purged``, column by column, without its seal."""

    workflow: int
    first: int
    last: int
    at: int


class PurgeMemory:
    """Remembers what went, within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    def at(self, workflow: WorkflowRow, sequence: int | None = None) -> datetime | None:
        """Return when a checkpoint went, or the last time that one of the workflow did."""
        if sequence is None:
            found = self._read(sql.SELECT_PURGED_LAST, (workflow.id,), workflow)
        else:
            key = {"workflow": workflow.id, "sequence": sequence}
            found = self._read(sql.SELECT_PURGED_AT, key, workflow)
        return from_microseconds(found[0].at) if found else None

    def missing(self, what: str, workflow: WorkflowRow, sequence: int) -> NotFound:
        """Return the error for a checkpoint that is not there: it says so if it was purged."""
        at = self.at(workflow, sequence)
        return Purged(what, at) if at is not None else NotFound(what)

    def remember(self, workflow: WorkflowRow, first: int, last: int, at: datetime) -> None:
        """Remember that a range went; what went at the same time beside it becomes one with it."""
        when = to_microseconds(at)
        known = self._read(sql.SELECT_PURGED, (workflow.id,), workflow)
        for each in known:
            if each.at == when and each.first == last + 1:
                last = each.last
                self._forget(each)
            elif each.at == when and each.last == first - 1:
                first = each.first
                self._forget(each)
        self._put(_Range(workflow.id, first, last, when))
        if len(known) >= _MOST_RANGES:
            self._merge(workflow)

    def all(self, workflow: WorkflowRow) -> list[Gone]:
        """Return all that is remembered of a workflow, in the order of sequences."""
        known = self._read(sql.SELECT_PURGED, (workflow.id,), workflow)
        return [Gone(each.first, each.last, from_microseconds(each.at)) for each in known]

    def put_all(self, workflow: WorkflowRow, gone: Sequence[Gone]) -> None:
        """Remember ranges as another store did."""
        for each in gone:
            self._put(_Range(workflow.id, each.first, each.last, to_microseconds(each.at)))

    def _merge(self, workflow: WorkflowRow) -> None:
        """Make the older half of the ranges one where they follow each other."""
        known = self._read(sql.SELECT_PURGED, (workflow.id,), workflow)
        merged = known[0]
        for each in known[1 : len(known) // 2]:
            if each.first == merged.last + 1:
                self._forget(each)
                merged = merged._replace(last=each.last, at=max(merged.at, each.at))
                self._put(merged)
            else:
                merged = each

    def _put(self, row: _Range) -> None:
        self._tx.connection.execute(sql.PUT_PURGED, (*row, seal_of(tuple(row))))

    def _forget(self, row: _Range) -> None:
        self._tx.connection.execute(sql.DELETE_PURGED, (row.workflow, row.first))

    def _read(self, text: str, key: Any, workflow: WorkflowRow) -> list[_Range]:
        subject = f"what is remembered of purges of {Scope(workflow.workflow_id)}"
        rows = []
        for found in self._tx.each(text, key, subject):
            if seal_of(found[:-1]) != found[-1]:
                raise CheckpointCorrupted(subject, "a seal does not match")
            rows.append(_Range._make(found[:-1]))
        return rows
