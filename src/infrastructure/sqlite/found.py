"""Something that is damaged, and where it is."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.verification import Finding


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and where it is.

    Attributes:
        rowid: of its row, where it is one.
        workflow: the number of the workflow that it belongs to, where that is known.
        broken: the numbers of the checkpoints that cannot be rebuilt because of it.
    """

    finding: Finding
    table: str = ""
    rowid: int | None = None
    workflow: int | None = None
    broken: tuple[int, ...] = ()
