"""What purging asks of a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..retention import AgedCheckpoint, OwnRetention


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed: how many, and how many bytes those held, about."""

    count: int = 0
    size: int = 0


class RetentionStore(Protocol):
    """Looks at the ages of checkpoints, and removes them; part of a unit of work.

    Numbers and sequences that were given out are never given out again, whatever is removed.
    """

    def workflow_ids(self, *, after: str, limit: int) -> list[str]:
        """Return the ids above *after* of workflows that have checkpoints, sorted by code point."""

    def policy(self, workflow_id: str) -> OwnRetention:
        """Return what the workflow says of its own retention; nothing where it says nothing."""

    def set_policy(self, workflow_id: str, policy: OwnRetention) -> None:
        """Keep what the workflow, which may have no checkpoint yet, says from now on."""

    def count(self, workflow_id: str) -> int:
        """Return how many checkpoints the workflow has."""

    def aged(self, workflow_id: str, *, after: int = 0) -> Iterator[AgedCheckpoint]:
        """Iterate over the checkpoints above a sequence, the oldest first, in flat memory.

        Raises:
            CheckpointCorrupted: one is damaged, so that it cannot be told whether it may go.
        """

    def number_of_newest(self, size: int, workflow_id: str | None = None) -> int:
        """Return the lowest number such that the checkpoints from it on hold at most *size* bytes.

        Those of one workflow, or of all.
        """

    def newest_number(self) -> int:
        """Return the highest number that was given out in the store; 0 when none was."""

    def prepare(self, workflow_id: str, sequence: int, *, near: int | None = None) -> Any:
        """Return what `consolidate` needs, so that it need not be found under the write lock.

        Only reads. ``None`` when the checkpoint stands for itself already.

        Args:
            near: the sequence of another one that was consolidated, and holds nearly the same.

        Raises:
            NotFound: there is no such checkpoint.
            Damaged: its context cannot be rebuilt, so nothing before it may go.
        """

    def consolidate(self, workflow_id: str, sequence: int, prepared: Any = None) -> bool:
        """Make a checkpoint stand for itself; return whether it did not before.

        Its context, and that of all that come after it, is the same before and after, and does not
        need its ancestors any more; links and ids do not change. Once more changes nothing.

        Args:
            prepared: what `prepare` returned for it, in an earlier transaction.
        """

    def remove(self, workflow_id: str, first: int, last: int, at: datetime) -> Removed:
        """Remove the checkpoints with these sequences, and remember that they went at *at*.

        Whoever stays and has its parent among them must have been consolidated. Of the same
        workflow the highest go first, so that at every moment whatever is left has its context.
        """

    def remove_events(self, workflow_id: str, *, below: int, most: int) -> int:
        """Remove at most *most* of the workflow's events with lower numbers; return how many."""

    def remove_attempts(self, workflow_id: str, *, before: int) -> int:
        """Remove the attempts that had ended before a sequence was written, never the last one.

        Returns how many.
        """

    def remove_all_attempts(self, workflow_id: str) -> int:
        """Remove every attempt of the workflow; return how many."""

    def purged_at(self, workflow_id: str, sequence: int | None = None) -> datetime | None:
        """Return when a checkpoint went, or the last time one of the workflow did.

        ``None`` when it never did.
        """
