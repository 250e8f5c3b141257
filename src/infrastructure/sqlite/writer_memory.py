"""What a writer remembers from one transaction to the next.

Valid as long as nobody else has committed in between, which SQLite tells for a few microseconds
(``PRAGMA data_version``, asked under the write lock); only `Tails` outlive a commit of another
process, since each is held against the link of the checkpoint that it belongs to.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...domain.scope import Scope

if TYPE_CHECKING:
    from ...domain.lease import Lease
    from .rows import Parent
    from .transaction import WorkflowRow

_MOST_WORKFLOWS = 10_000
_MOST_TAIL_BYTES = 64 << 20


@dataclass(slots=True)
class Tail:
    """The states at the end of a chain, as they were handed in.

    Attributes:
        link: of the checkpoint that the chain ends with. It tells one history from every other.
    """

    link: bytes
    states: dict[Scope, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many bytes it holds, about."""
        return sum(map(len, self.states.values()))


class Tails:
    """The tails of the workflows written to last, by their number; so many bytes at the most."""

    def __init__(self, most: int = _MOST_TAIL_BYTES) -> None:
        self._most = most
        self._tails: OrderedDict[int, Tail] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self._total = 0

    def get(self, workflow: int, link: bytes) -> Tail | None:
        """Return the tail of a workflow, if its chain ends with that link."""
        tail = self._tails.get(workflow)
        return tail if tail is not None and tail.link == link else None

    def put(self, workflow: int, tail: Tail) -> None:
        """Keep the tail of a workflow, as the one that was used last."""
        self._tails[workflow] = tail
        self._tails.move_to_end(workflow)
        size = tail.size
        self._total += size - self._sizes.get(workflow, 0)
        self._sizes[workflow] = size
        while self._total > self._most or len(self._tails) > _MOST_WORKFLOWS:
            oldest, _ = self._tails.popitem(last=False)
            self._total -= self._sizes.pop(oldest)


class WriterMemory:
    """What the connection that writes knows of its file.

    Attributes:
        data_version: that of the file when this was known.
    """

    def __init__(self) -> None:
        self.data_version: int | None = None
        self.tails = Tails()
        self.forget()

    def forget(self) -> None:
        """Forget all but the tails."""
        self.data_version = None
        self.next_number: int | None = None
        self.workflows: dict[str, WorkflowRow | None] = {}
        self.parents: dict[int, Parent | None] = {}
        self.leases: dict[str, Lease | None] = {}
        self.keyframe_sizes: dict[int, int] = {}

    def forget_most(self, most: int) -> None:
        """Forget workflows and leases within a transaction, where there are more than so many."""
        if max(len(self.workflows), len(self.leases)) > most:
            self.workflows.clear()
            self.parents.clear()
            self.leases.clear()
        if len(self.keyframe_sizes) > most:
            self.keyframe_sizes.clear()

    def is_of(self, data_version: int) -> bool:
        """Whether what is known is of that version of the file; else all of it is forgotten."""
        known = self.data_version == data_version
        if not known or len(self.workflows) > _MOST_WORKFLOWS:
            self.forget()
            self.data_version = data_version
        return known
