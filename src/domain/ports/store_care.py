"""Looking after a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ..json_value import JsonValue
from ..verification import VerifyReport


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How much a store holds.

    Attributes:
        statuses: how many workflows have each status; records are those without one.
        size: bytes on disk; 0 in memory. ``free`` of them are not used.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     saved = engine.checkpoint("nightly")
    ...     stats = engine.stats()
    >>> stats.workflows, stats.checkpoints, stats.statuses
    (1, 1, {'record': 1})
    """

    target: str
    workflows: int
    checkpoints: int
    events: int
    attempts: int
    statuses: Mapping[str, int]
    size: int
    free: int


class StoreCare(Protocol):
    """Looks after a store; may be called from any thread."""

    def verify(self, *, repair: bool = False, at: datetime) -> VerifyReport:
        """Look everything through, in flat memory, and return what is damaged.

        With *repair* what is damaged is put right, or goes to a quarantine that nothing reads, and
        each act is an event of *at*; all of it, or nothing. Other writers wait meanwhile.
        """

    def backup(self, path: Path) -> None:
        """Write a consistent copy, which opens as a store, to *path*; others go on meanwhile.

        Raises:
            TargetExists: there is something at *path* already.
            InvalidRequest: the store is not in a file.
            StorageUnavailable: it cannot be written; nothing is left there.
        """

    def stats(self) -> StoreStats:
        """Return how much the store holds."""

    def in_force(self) -> Mapping[str, JsonValue]:
        """Return what is in force, as read back, by name; and what is to be worried about.

        ``warnings`` is a list of sentences, each with what to do.
        """
