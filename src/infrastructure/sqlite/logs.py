"""Sequences, leases, attempts and events in SQLite."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from ...domain.attempt import Attempt, Outcome
from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted
from ...domain.events import DomainEvent, EventKind
from ...domain.lease import Lease
from ...domain.moment import Moment, from_microseconds, to_microseconds
from ...domain.ports import OnDamage
from ..passing_over import passing_over
from . import statements as sql
from .recollection import recollect
from .rows import (
    CheckpointRow,
    error_of,
    error_text,
    id_of,
    intact_row,
    lease_columns,
    owner_of,
    owner_text,
    seal_of,
)
from .transaction import Transaction


class SqliteSequences:
    """Numbers the checkpoints of each workflow."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    def next(self, workflow_id: str) -> int:
        """Return a number above every one that the workflow ever had acknowledged."""
        last = self._tx.given.get(workflow_id, 0)
        workflow = self._tx.workflow(workflow_id)
        if workflow is not None:
            head = self._tx.head(workflow)
            last = max(last, head.id.sequence if head else 0, workflow.sequence_floor)
        self._tx.given[workflow_id] = last + 1
        return last + 1


class SqliteLeaseStore:
    """Keeps the last lease of each resource."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction
        self._execute = transaction.connection.execute

    def get(self, resource: str) -> Lease | None:
        """Return the last lease of *resource*, over or not."""
        leases = self._tx.memory.leases
        if resource not in leases and not (recollect(self._tx, resource) and resource in leases):
            leases[resource] = self._read(resource)
        return leases[resource]

    def put(self, lease: Lease) -> None:
        """Keep *lease* as the last one of its resource."""
        old = self.get(lease.resource)
        if old is not None and lease.epoch < old.epoch:
            raise ValueError(f"epoch {lease.epoch} of {lease.resource} is below {old.epoch}")
        values = lease_columns(lease)
        self._execute(sql.PUT_LEASE, (*values, seal_of(values)))
        self._tx.memory.leases[lease.resource] = lease

    def _read(self, resource: str) -> Lease | None:
        found = self._tx.one(sql.SELECT_LEASE, (resource,), f"the lease of {resource}")
        if found is None:
            return None
        _require_intact(found, f"the lease of {resource}")
        _, epoch, token, owner, duration, taken_at, renewed_at, boot_id, uptime_ns, stop, _ = found
        return Lease(
            resource,
            epoch,
            token,
            owner_of(owner),
            duration,
            from_microseconds(taken_at),
            Moment(from_microseconds(renewed_at), boot_id, uptime_ns),
            from_microseconds(stop) if stop is not None else None,
        )


class SqliteAttemptLog:
    """Keeps the attempts of each workflow."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction
        self._execute = transaction.connection.execute

    def put(self, attempt: Attempt) -> None:
        """Keep *attempt*, in place of the one with its workflow and number."""
        values = (
            attempt.workflow_id,
            attempt.number,
            attempt.epoch,
            attempt.handler,
            owner_text(attempt.owner),
            attempt.correlation_id,
            to_microseconds(attempt.begun_at),
            attempt.begun_after,
            str(attempt.target) if attempt.target else None,
            to_microseconds(attempt.ended_at) if attempt.ended_at else None,
            attempt.outcome.value if attempt.outcome else None,
            error_text(attempt.error),
            attempt.output_tail,
        )
        self._execute(sql.PUT_ATTEMPT, (*values, seal_of(values)))

    def last(self, workflow_id: str) -> Attempt | None:
        """Return the workflow's newest attempt."""
        subject = f"the last attempt of {workflow_id}"
        found = self._tx.one(sql.SELECT_LAST_ATTEMPT, (workflow_id,), subject)
        return _attempt(found) if found else None

    def all(self, workflow_id: str) -> list[Attempt]:
        """Return the workflow's attempts, the oldest first."""
        subject = f"an attempt of {workflow_id}"
        return [
            _attempt(each) for each in self._tx.each(sql.SELECT_ATTEMPTS, (workflow_id,), subject)
        ]


class SqliteEventLog:
    """An append-only log; a checkpoint's own row is its ``created`` event."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    def append(self, event: DomainEvent) -> None:
        """Add *event*."""
        values = (
            self._tx.next_number(),
            event.workflow_id,
            event.kind.value,
            to_microseconds(event.at),
            str(event.checkpoint_id) if event.checkpoint_id else None,
            event.epoch,
            event.correlation_id,
            orjson.dumps(event.detail).decode() if event.detail else None,
        )
        self._tx.insert(sql.INSERT_EVENT, "events", (*values, seal_of(values)))

    def read(
        self,
        *,
        after: int = 0,
        workflow_id: str | None = None,
        limit: int = 1000,
        on_damage: OnDamage | None = None,
    ) -> list[DomainEvent]:
        """Return the events numbered above *after*, the oldest first."""
        logged = self._logged(after, workflow_id, limit, on_damage)
        created = self._created(after, workflow_id, limit, on_damage)
        merged = heapq.merge(logged, created, key=lambda each: each.number)
        return list(islice(merged, limit))

    def _logged(
        self, after: int, workflow_id: str | None, limit: int, on_damage: OnDamage | None
    ) -> Iterator[DomainEvent]:
        key = {"after": after, "limit": limit, "workflow_id": workflow_id}
        text = sql.SELECT_EVENTS if workflow_id is None else sql.SELECT_EVENTS_OF
        for found in self._tx.listed(text, key, "an event", on_damage):
            event: DomainEvent | None = None
            with passing_over(on_damage, f"event {found[0]}"):
                event = _event(found)
            if event is not None:
                yield event

    def _created(
        self, after: int, workflow_id: str | None, limit: int, on_damage: OnDamage | None
    ) -> Iterator[DomainEvent]:
        key: dict[str, Any] = {"after": after, "limit": limit}
        if workflow_id is not None:
            workflow = self._tx.workflow(workflow_id)
            if workflow is None:
                return
            key["workflow"] = workflow.id
        text = sql.SELECT_CREATED if workflow_id is None else sql.SELECT_CREATED_OF
        for found in self._tx.listed(text, key, "a checkpoint", on_damage):
            event: DomainEvent | None = None
            with passing_over(on_damage, f"checkpoint number {found[0]}"):
                name = workflow_id or self._tx.name_of(CheckpointRow._make(found).workflow)
                event = _created_event(intact_row(found, name), name)
            if event is not None:
                yield event


def _created_event(row: CheckpointRow, workflow_id: str) -> DomainEvent:
    return DomainEvent(
        EventKind.CREATED,
        workflow_id,
        from_microseconds(row.created_at),
        id_of(row, workflow_id),
        row.epoch,
        detail={"type": row.type, "name": row.name},
        number=row.number,
    )


def _event(found: tuple[Any, ...]) -> DomainEvent:
    _require_intact(found, f"event {found[0]}")
    number, workflow_id, kind, at, checkpoint, epoch, correlation_id, detail, _ = found
    return DomainEvent(
        EventKind(kind),
        workflow_id,
        from_microseconds(at),
        CheckpointId.parse(checkpoint) if checkpoint else None,
        epoch,
        correlation_id,
        orjson.loads(detail) if detail else {},
        number,
    )


def _attempt(found: tuple[Any, ...]) -> Attempt:
    _require_intact(found, f"attempt {found[1]} of {found[0]}")
    (
        workflow_id,
        number,
        epoch,
        handler,
        owner,
        correlation_id,
        begun_at,
        begun_after,
        target,
        ended_at,
        outcome,
        error,
        output_tail,
        _,
    ) = found
    return Attempt(
        workflow_id=workflow_id,
        number=number,
        epoch=epoch,
        handler=handler,
        owner=owner_of(owner),
        correlation_id=correlation_id,
        begun_at=from_microseconds(begun_at),
        begun_after=begun_after,
        target=CheckpointId.parse(target) if target else None,
        ended_at=from_microseconds(ended_at) if ended_at is not None else None,
        outcome=Outcome(outcome) if outcome else None,
        error=error_of(error),
        output_tail=output_tail,
    )


def _require_intact(found: tuple[Any, ...], subject: str) -> None:
    if seal_of(found[:-1]) != found[-1]:
        raise CheckpointCorrupted(subject, "its seal does not match")
