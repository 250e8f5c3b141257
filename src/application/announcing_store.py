"""A store that tells a journal what was written, once it is durable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from ..domain.checkpoint import Checkpoint
from ..domain.events import DomainEvent, EventKind
from ..domain.json_value import JsonValue
from ..domain.payload import Payload
from ..domain.ports import (
    AttemptLog,
    CheckpointRepository,
    EventLog,
    Journal,
    LeaseStore,
    RetentionStore,
    SequenceGenerator,
    Store,
    StoreStats,
    Transfer,
    UnitOfWork,
    Written,
)
from ..domain.verification import VerifyReport, repaired_event
from .correlation import correlation_of

T = TypeVar("T")


class AnnouncingStore:
    """A store around another one: what is written to that one's log of events is told as well.

    Told after the commit, once, however often the transaction was run; nothing of one that was
    rolled back. So the log that people read and the log in the store agree, except where it is not
    known whether a commit was written: then the store's tells.
    """

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    @property
    def target(self) -> str:
        """What was opened, as text that opens it again."""
        return self._store.target

    @property
    def unannounced(self) -> Store:
        """The store without the journal, for what is written again and not new."""
        return self._store

    def write(self, work: Callable[[UnitOfWork], T], *, timeout: float | None = None) -> T:
        """Run *work* as one transaction and return what it returns, durably."""
        noted: list[DomainEvent] = []
        result = self._store.write(self._noting(work, noted), timeout=timeout)
        self._journal.tell(noted)
        return result

    def write_each(
        self, works: Sequence[Callable[[UnitOfWork], T]], *, timeout: float | None = None
    ) -> list[Written[T]]:
        """Run each as a transaction of its own; return what became of each."""
        noted: list[list[DomainEvent]] = [[] for _ in works]
        written = self._store.write_each(
            [self._noting(work, notes) for work, notes in zip(works, noted, strict=True)],
            timeout=timeout,
        )
        for each, notes in zip(written, noted, strict=True):
            if each.error is None:
                self._journal.tell(notes)
        return written

    def read(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run *work* on one unchanging view of the store."""
        return self._store.read(work)

    def give_back(self) -> bool:
        """Give some of the space that is not used any more back to the file system."""
        return self._store.give_back()

    def verify(self, *, repair: bool = False, at: datetime) -> VerifyReport:
        """Look everything through; see `StoreCare`."""
        report = self._store.verify(repair=repair, at=at)
        acts = [each for each in report.findings if each.repair is not None]
        if acts:
            self._journal.tell([repaired_event(each, at) for each in acts])
        return report

    def backup(self, path: Path) -> None:
        """Write a consistent copy; see `StoreCare`."""
        self._store.backup(path)

    def stats(self) -> StoreStats:
        """Return how much the store holds."""
        return self._store.stats()

    def in_force(self) -> Mapping[str, JsonValue]:
        """Return what is in force, as read back."""
        return self._store.in_force()

    def close(self) -> None:
        """Wait for the work that was accepted, then let go of the store."""
        self._store.close()

    def before_fork(self) -> None:
        """Wait for what is under way."""
        self._store.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on after `before_fork`."""
        self._store.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Go on after `before_fork`, as a process of its own."""
        self._store.after_fork_in_child()

    def __getattr__(self, name: str) -> Any:
        # What an adapter has beyond the port.
        return getattr(self._store, name)

    def _noting(
        self, work: Callable[[UnitOfWork], T], noted: list[DomainEvent]
    ) -> Callable[[UnitOfWork], T]:
        wants_saves = self._journal.wants_saves

        def run(uow: UnitOfWork) -> T:
            noted.clear()  # it may be run again
            result = work(_NotingUnit(uow, noted, wants_saves=wants_saves))
            noted[:] = [_correlated(event, uow) for event in noted]
            return result

        return run


class _NotingUnit:
    """A unit of work that notes which events are written."""

    def __init__(self, uow: UnitOfWork, noted: list[DomainEvent], *, wants_saves: bool) -> None:
        self.sequences: SequenceGenerator = uow.sequences
        self.leases: LeaseStore = uow.leases
        self.attempts: AttemptLog = uow.attempts
        self.transfer: Transfer = uow.transfer
        self.events = cast("EventLog", _NotingEvents(uow.events, noted))
        self._uow = uow
        self.checkpoints = uow.checkpoints
        if wants_saves:
            self.checkpoints = cast(
                "CheckpointRepository", _NotingCheckpoints(uow.checkpoints, noted)
            )

    @property
    def retention(self) -> RetentionStore:
        return self._uow.retention


class _NotingEvents:
    def __init__(self, events: EventLog, noted: list[DomainEvent]) -> None:
        self._events = events
        self._noted = noted

    def append(self, event: DomainEvent) -> None:
        self._events.append(event)
        self._noted.append(event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._events, name)


class _NotingCheckpoints:
    """Notes each new checkpoint: its own row is its ``created`` event."""

    def __init__(self, checkpoints: CheckpointRepository, noted: list[DomainEvent]) -> None:
        self._checkpoints = checkpoints
        self._noted = noted

    def add(self, checkpoint: Checkpoint, payload: Payload) -> None:
        self._checkpoints.add(checkpoint, payload)
        event = DomainEvent(
            EventKind.CREATED,
            checkpoint.id.workflow_id,
            checkpoint.created_at,
            checkpoint.id,
            checkpoint.epoch,
            detail={"type": checkpoint.type.value, "name": checkpoint.name},
        )
        self._noted.append(event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._checkpoints, name)


def _correlated(event: DomainEvent, uow: UnitOfWork) -> DomainEvent:
    # At the end of the transaction: the one that begins an attempt writes checkpoints before it.
    if event.kind is not EventKind.CREATED or not event.epoch:
        return event
    return replace(event, correlation_id=correlation_of(event, uow.attempts.all(event.workflow_id)))
