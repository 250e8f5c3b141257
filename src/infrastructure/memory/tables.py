"""What a store in memory holds, and how a transaction on it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...domain.attempt import Attempt
from ...domain.checkpoint import Checkpoint
from ...domain.events import DomainEvent
from ...domain.lease import Lease
from ...domain.payload import Payload


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

    def roll_back(self) -> None:
        """Take everything back, the newest first."""
        while self._steps:
            self._steps.pop()()
