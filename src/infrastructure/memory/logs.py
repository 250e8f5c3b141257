"""Sequences, leases, attempts and events in memory."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import islice

from ...domain.attempt import Attempt
from ...domain.events import DomainEvent, EventKind
from ...domain.lease import Lease
from ...domain.ports import OnDamage
from .tables import StoredRow, Tables, UndoLog


class MemorySequences:
    """Numbers the checkpoints of each workflow."""

    def __init__(self, tables: Tables, undo: UndoLog) -> None:
        self._tables = tables
        self._counters = tables.counters
        self._undo = undo

    def next(self, workflow_id: str) -> int:
        """Return a number above every one that the workflow ever had acknowledged."""
        key = sequence_key(workflow_id)
        rows = self._tables.checkpoints.get(workflow_id, {})
        sequence = max(self._counters.get(key, 0), max(rows, default=0)) + 1
        self._undo.put(self._counters, key, sequence)
        return sequence


class MemoryLeaseStore:
    """Keeps the last lease of each resource."""

    def __init__(self, tables: Tables, undo: UndoLog) -> None:
        self._leases = tables.leases
        self._undo = undo

    def get(self, resource: str) -> Lease | None:
        """Return the last lease of *resource*, over or not."""
        return self._leases.get(resource)

    def put(self, lease: Lease) -> None:
        """Keep *lease* as the last one of its resource."""
        old = self._leases.get(lease.resource)
        if old is not None and lease.epoch < old.epoch:
            raise ValueError(f"epoch {lease.epoch} of {lease.resource} is below {old.epoch}")
        self._undo.put(self._leases, lease.resource, lease)


class MemoryAttemptLog:
    """Keeps the attempts of each workflow."""

    def __init__(self, tables: Tables, undo: UndoLog) -> None:
        self._attempts = tables.attempts
        self._undo = undo

    def put(self, attempt: Attempt) -> None:
        """Keep *attempt*, in place of the one with its workflow and number."""
        if attempt.workflow_id not in self._attempts:
            self._undo.put(self._attempts, attempt.workflow_id, {})
        self._undo.put(self._attempts[attempt.workflow_id], attempt.number, attempt)

    def last(self, workflow_id: str) -> Attempt | None:
        """Return the workflow's newest attempt."""
        attempts = self._attempts.get(workflow_id)
        return attempts[max(attempts)] if attempts else None

    def all(self, workflow_id: str) -> list[Attempt]:
        """Return the workflow's attempts, the oldest first."""
        attempts = self._attempts.get(workflow_id, {})
        return [attempts[number] for number in sorted(attempts)]


class MemoryEventLog:
    """An append-only log."""

    def __init__(self, tables: Tables, undo: UndoLog) -> None:
        self._tables = tables
        self._undo = undo

    def append(self, event: DomainEvent) -> None:
        """Add *event*."""
        number = take_number(self._tables, self._undo)
        detail = copy.deepcopy(dict(event.detail))
        self._undo.put(self._tables.events, number, replace(event, number=number, detail=detail))

    def read(
        self,
        *,
        after: int = 0,
        workflow_id: str | None = None,
        limit: int = 1000,
        on_damage: OnDamage | None = None,  # noqa: ARG002 - memory has none
    ) -> list[DomainEvent]:
        """Return the events numbered above *after*, the oldest first."""
        rows = (row for rows in self._tables.checkpoints.values() for row in rows.values())
        events = {row.number: created_event(row) for row in rows} | self._tables.events
        wanted = (
            events[number]
            for number in sorted(events)
            if number > after and workflow_id in (None, events[number].workflow_id)
        )
        return copy.deepcopy(list(islice(wanted, limit)))


def sequence_key(workflow_id: str) -> str:
    """Return the name of the counter of a workflow's sequences."""
    return f"sequence of {workflow_id}"


def take_number(tables: Tables, undo: UndoLog) -> int:
    """Return the number of the next change of the store."""
    number = tables.counters["number"] + 1
    undo.put(tables.counters, "number", number)
    return number


def created_event(row: StoredRow) -> DomainEvent:
    """Return the event that a checkpoint's own row is."""
    checkpoint = row.checkpoint
    return DomainEvent(
        EventKind.CREATED,
        checkpoint.id.workflow_id,
        checkpoint.created_at,
        checkpoint.id,
        row.epoch,
        detail={"type": checkpoint.type.value, "name": checkpoint.name},
        number=row.number,
    )
