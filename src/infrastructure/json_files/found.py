"""Something that is damaged, and in which files."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.checkpoint_id import CheckpointId
from ...domain.verification import Finding


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and what a repair has to do with it.

    Attributes:
        files: those that are to be taken out.
        broken: the files of the checkpoints that cannot be rebuilt because of it.
        sequence: of the checkpoint, where it is about one.
        stands_on: the checkpoint whose context is kept and all that is left of what was before;
            it is to be made to stand for itself.
        is_final: whether nothing can be done about it here.
    """

    finding: Finding
    files: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    sequence: int = 0
    stands_on: CheckpointId | None = None
    is_final: bool = False
