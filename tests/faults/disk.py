"""What stands between a store and its disk in these tests: it records, it fails, it kills.

Two of them do the same: `preloaded_disk`, beneath everything that a process does, and
`patched_disk`, beneath what goes through Python's `os`, which takes no tools.
"""

from __future__ import annotations

from enum import IntFlag
from pathlib import Path
from typing import Protocol


class StepKind(IntFlag):
    """What is done to a file; a ``CHANGE`` makes, cuts, renames or removes one."""

    WRITE = 1
    SYNC = 2
    CHANGE = 4


EVERY_KIND = StepKind.WRITE | StepKind.SYNC | StepKind.CHANGE


class Disk(Protocol):
    """Watches the files of one folder; steps are counted from the last `fail` or `kill` on."""

    def watch(self, folder: Path) -> None:
        """Look at what is done in *folder* from now on, and at nothing else."""

    def record(self, path: Path | None) -> None:
        """Write down each step to a new file at *path*, for `trace.read_trace`; ``None`` ends."""

    def mark(self, text: str) -> None:
        """Put a note of our own into the record, between two steps."""

    def fail(self, kinds: StepKind, nth: int, error: int, *, lasting: bool = False) -> None:
        """Let the *nth* step of these kinds fail, and with *lasting* all that follow.

        A write that fails has written the first half. With 0 for *nth* nothing fails any more,
        unless it is lasting: then all do.
        """

    def kill(self, nth: int) -> None:
        """Kill the process right before its *nth* step, from 1."""

    def steps(self, kinds: StepKind = EVERY_KIND) -> int:
        """Return how many there were."""

    def heal(self) -> None:
        """Let nothing fail any more."""
