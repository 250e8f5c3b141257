"""Moving the whole of a store in files."""

from __future__ import annotations

from collections.abc import Iterator

from .pointer import Pointer, pointer_of
from .view import View


class JsonTransfer:
    """What the other repositories do not tell, or would give out anew."""

    def __init__(self, view: View) -> None:
        self._view = view

    def names(self) -> Iterator[str]:
        """Iterate over the names of whatever has something in the index."""
        yield from sorted({each.workflow_id for each in self._view.entries_after(0)})

    def last_number(self) -> int:
        """Return the highest number that a checkpoint or an event was given."""
        return self._view.next_number - 1

    def skip_to(self, number: int) -> None:
        """Let the next checkpoint or event have *number*."""
        self._view.skip_to(number)

    def last_sequence(self, workflow_id: str) -> int:
        """Return the highest sequence that the workflow ever had acknowledged."""
        pointer = pointer_of(self._view, workflow_id)
        if pointer is None:
            return 0
        return max(pointer.floor, pointer.head.sequence if pointer.head else 0)

    def raise_sequence(self, workflow_id: str, sequence: int) -> None:
        """Take *sequence* for given out."""
        if sequence > self.last_sequence(workflow_id):
            pointer = pointer_of(self._view, workflow_id) or Pointer(workflow_id)
            pointer.floor = sequence
            pointer.save(self._view)
