"""Where the sequence numbers of a workflow come from."""

from __future__ import annotations

from typing import Protocol


class SequenceGenerator(Protocol):
    """Numbers the checkpoints of each workflow."""

    def next(self, workflow_id: str) -> int:
        """Return a number above every one that the workflow ever had acknowledged.

        Taken within the unit of work that uses it: one that is rolled back gives it back. Not given
        out again after a purge or a delete.
        """
