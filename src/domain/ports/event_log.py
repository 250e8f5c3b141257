"""The log of what happened."""

from __future__ import annotations

from typing import Protocol

from ..events import DomainEvent
from .on_damage import OnDamage


class EventLog(Protocol):
    """An append-only log; part of a unit of work, so that an event is there if its change is."""

    def append(self, event: DomainEvent) -> None:
        """Add *event* under a number above every one given out before in this store."""

    def read(
        self,
        *,
        after: int = 0,
        workflow_id: str | None = None,
        limit: int = 1000,
        on_damage: OnDamage | None = None,
    ) -> list[DomainEvent]:
        """Return the events numbered above *after*, the oldest first, at most *limit*.

        A checkpoint's own row is its ``created`` event and is among them.
        """
