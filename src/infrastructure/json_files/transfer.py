"""Moving the whole of a store in files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...domain.checkpoint import Checkpoint
from ...domain.gone import Gone
from ...domain.payload import Payload
from ...domain.replay import Replay
from .appender import append
from .chains import Chains
from .contexts import scopes_of
from .pointer import Pointer, pointer_of
from .purge_memory import memory_of
from .view import View
from .workflow_names import every_name

# The index has an entry in some file for each thousand of numbers, also of those that are gone.
_FURTHEST = 10_000_000


class JsonTransfer:
    """What the other repositories do not tell, or would give out anew."""

    def __init__(self, view: View) -> None:
        self._view = view

    def names(self) -> Iterator[str]:
        """Iterate over the names of workflows, and of what has a lease or an attempt."""
        yield from sorted(set(every_name(self._view)))

    def last_number(self) -> int:
        """Return the highest number that a checkpoint or an event was given."""
        return self._view.next_number - 1

    def skip_to(self, number: int) -> None:
        """Let the next checkpoint or event have *number*."""
        last = self.last_number()
        if number > last + _FURTHEST:
            raise ValueError(
                f"number {number} is more than {_FURTHEST:,} above {last}, the one before: a store "
                "of JSON files cannot leave out so many; take one in SQLite"
            )
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

    def add_cut(self, checkpoint: Checkpoint, payload: Payload, replay: Replay) -> None:
        """Keep a new checkpoint whose parent is not kept any more."""
        append(self._view, Chains(self._view), checkpoint, payload, scopes_of(replay))

    def purges(self, workflow_id: str) -> list[Gone]:
        """Return what is remembered of purges of the workflow."""
        return memory_of(self._view, workflow_id).gone

    def remember_purges(self, workflow_id: str, gone: Sequence[Gone]) -> None:
        """Remember purges of a workflow."""
        memory = memory_of(self._view, workflow_id)
        memory.gone = list(gone)
        memory.save(self._view)
