"""What moving the whole of a store into another one asks of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from ..checkpoint import Checkpoint
from ..gone import Gone
from ..payload import Payload
from ..replay import Replay


class Transfer(Protocol):
    """What the other ports do not tell, or would give out anew; part of a unit of work.

    Everything else goes through them: `EventLog.read` is all that happened in its order,
    `CheckpointRepository.add` and `EventLog.append` write it again under the same numbers.
    """

    def names(self) -> Iterator[str]:
        """Iterate over the names of workflows, and of what has a lease or an attempt.

        Each once, sorted by code point. A workflow is whatever something is kept of: checkpoints,
        a sequence that was given out, a retention of its own, a memory of purges.
        """

    def last_number(self) -> int:
        """Return the highest number that a checkpoint or an event was given; 0 when none was."""

    def skip_to(self, number: int) -> None:
        """Let the next checkpoint or event have *number*.

        Raises:
            ValueError: it is not above every one that was given out; numbers only grow. Or it is
                further above them than this store can leave out.
        """

    def last_sequence(self, workflow_id: str) -> int:
        """Return the highest sequence that the workflow ever had acknowledged; 0 when none was."""

    def raise_sequence(self, workflow_id: str, sequence: int) -> None:
        """Take *sequence* for given out, and all below; where it was, nothing changes."""

    def add_cut(self, checkpoint: Checkpoint, payload: Payload, replay: Replay) -> None:
        """Keep a new checkpoint whose parent is not kept any more.

        As `CheckpointRepository.add` does otherwise; it stands for itself.

        Args:
            replay: what its chain, with it, adds up to.
        """

    def purges(self, workflow_id: str) -> list[Gone]:
        """Return what is remembered of purges of the workflow, in the order of sequences."""

    def remember_purges(self, workflow_id: str, gone: Sequence[Gone]) -> None:
        """Remember purges of a workflow of which none is remembered yet."""
