"""What moving the whole of a store into another one asks of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Transfer(Protocol):
    """What the other ports do not tell, or would give out anew; part of a unit of work.

    Everything else goes through them: `EventLog.read` is all that happened in its order,
    `CheckpointRepository.add` and `EventLog.append` write it again under the same numbers.
    """

    def names(self) -> Iterator[str]:
        """Iterate over the names of workflows, and of what has a lease or an attempt.

        Each once, sorted by code point, in flat memory.
        """

    def last_number(self) -> int:
        """Return the highest number that a checkpoint or an event was given; 0 when none was."""

    def skip_to(self, number: int) -> None:
        """Let the next checkpoint or event have *number*.

        Raises:
            ValueError: it is not above every one that was given out; numbers only grow.
        """

    def last_sequence(self, workflow_id: str) -> int:
        """Return the highest sequence that the workflow ever had acknowledged; 0 when none was."""

    def raise_sequence(self, workflow_id: str, sequence: int) -> None:
        """Take *sequence* for given out, and all below; where it was, nothing changes."""
