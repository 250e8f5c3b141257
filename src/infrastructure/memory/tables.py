"""What a store in memory holds, and how a transaction on it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.events import DomainEvent
from ...domain.lease import Lease
from ...domain.payload import Payload
from ...domain.replay import Replay
from ...domain.retention import OwnRetention


@dataclass(slots=True)
class StoredRow:
    """A checkpoint as stored: a copy of its own, with its payload and its event.

    Attributes:
        number: of its ``created`` event.
        epoch: that it was written under, whoever took it over since.
    """

    number: int
    epoch: int
    checkpoint: Checkpoint
    payload: Payload


@dataclass(slots=True)
class Tables:
    """Everything that a store in memory holds. Rows are replaced, never changed in place."""

    checkpoints: dict[str, dict[int, StoredRow]] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    attempts: dict[str, dict[int, Attempt]] = field(default_factory=dict)
    events: dict[int, DomainEvent] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=lambda: {"number": 0})
    openings: dict[str, int | None] = field(default_factory=dict)
    # What the chains of consolidated checkpoints add up to, by workflow and sequence.
    bases: dict[tuple[str, int], Replay] = field(default_factory=dict)
    retention: dict[str, OwnRetention] = field(default_factory=dict)
    purged: dict[str, tuple[tuple[int, int, datetime], ...]] = field(default_factory=dict)


def purged_at(tables: Tables, workflow_id: str, sequence: int | None) -> datetime | None:
    """Return when a checkpoint went, or the last time that one of the workflow did."""
    ranges = tables.purged.get(workflow_id, ())
    if sequence is None:
        return max((at for _, _, at in ranges), default=None)
    return min((at for first, last, at in ranges if first <= sequence <= last), default=None)


class UndoLog:
    """Remembers how to take back what a transaction has put into the tables."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], Any]] = []

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Set ``table[key]``, so that it can be taken back."""
        if key in table:
            old = table[key]
            self._steps.append(lambda: table.__setitem__(key, old))
        else:
            self._steps.append(lambda: table.pop(key))
        table[key] = value

    def remove(self, table: dict[Any, Any], key: Any) -> None:
        """Remove ``table[key]``, if it is there, so that it can be taken back."""
        if key in table:
            old = table.pop(key)
            self._steps.append(lambda: table.__setitem__(key, old))

    def roll_back(self) -> None:
        """Take everything back, the newest first."""
        while self._steps:
            self._steps.pop()()
