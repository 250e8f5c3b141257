"""What a writer remembers from one transaction to the next.

Valid as long as nobody else has committed in between, which SQLite tells for a few microseconds
(``PRAGMA data_version``, asked under the write lock). What was known before that is held against
the file when it is needed, a workflow at a time and by one look (`recollection`); `Tails` are held
against the link of the checkpoint that each belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .tails import Tails

if TYPE_CHECKING:
    from ...domain.lease import Lease
    from .rows import Parent
    from .transaction import WorkflowRow

_MOST_WORKFLOWS = 10_000


@dataclass(slots=True)
class Records:
    """What is known of workflows: their rows, the heads of their chains, their leases."""

    workflows: dict[str, WorkflowRow | None] = field(default_factory=dict)
    parents: dict[int, Parent | None] = field(default_factory=dict)
    leases: dict[str, Lease | None] = field(default_factory=dict)


class WriterMemory:
    """What the connection that writes knows of its file.

    Attributes:
        data_version: that of the file when this was known.
        unsure: what was known of the version before; `recollection` says what of it is still so.
    """

    def __init__(self) -> None:
        self.data_version: int | None = None
        self.tails = Tails()
        self.forget()

    def forget(self) -> None:
        """Forget all but the tails."""
        self.data_version = None
        self._begin(Records())

    def _begin(self, unsure: Records) -> None:
        self.unsure = unsure
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

    def note_keyframe(self, number: int, size: int) -> None:
        """Remember the size of a keyframe: of the newest, which are the ones that are asked for."""
        if len(self.keyframe_sizes) >= _MOST_WORKFLOWS:
            self.keyframe_sizes.clear()
        self.keyframe_sizes[number] = size

    def is_of(self, data_version: int) -> bool:
        """Whether what is known is of that version of the file; else none of it is sure."""
        known = self.data_version == data_version
        if len(self.workflows) > _MOST_WORKFLOWS:
            self.forget()
        elif not known:
            self._begin(Records(self.workflows, self.parents, self.leases))
        self.data_version = data_version
        return known
