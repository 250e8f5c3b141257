"""Who is told what has happened, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from ..events import DomainEvent
from ..json_value import JsonValue

JournalLevel = Literal["debug", "info", "warning", "error"]


class Journal(Protocol):
    """Writes lines for people and machines; may be called from any thread.

    It never raises: what it tells of has happened, whether it can be told or not. It never writes
    states, inputs or outputs.
    """

    @property
    def wants_saves(self) -> bool:
        """Whether it is to be told of each checkpoint, too."""

    def tell(self, events: Sequence[DomainEvent]) -> None:
        """Write a line for each event, in their order; they are durable."""

    def say(self, event: str, *, level: JournalLevel = "info", **fields: JsonValue) -> None:
        """Write a line that no event of a workflow stands behind."""
