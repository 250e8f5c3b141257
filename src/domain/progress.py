"""Progress: something named that was never achieved before."""

from __future__ import annotations

from typing import NamedTuple

from .checkpoint import Checkpoint
from .checkpoint_type import CheckpointType
from .scope import Scope


class Achievement(NamedTuple):
    """What a checkpoint achieves, as far as progress goes: equal ones count once."""

    type: CheckpointType
    scope: Scope
    name: str | None


def achievement(checkpoint: Checkpoint) -> Achievement | None:
    """Return what *checkpoint* achieves, or ``None`` when it is nothing that counts.

    A scope closed counts, a barrier joined, and a progress that has a name; one without a name may
    be written a thousand times by a run that gets nowhere.
    """
    kind = checkpoint.type
    if kind.closes:
        return Achievement(kind, checkpoint.scope, None)
    if kind is CheckpointType.SYNC_BARRIER or (
        kind is CheckpointType.PROGRESS and checkpoint.name is not None
    ):
        return Achievement(kind, checkpoint.scope, checkpoint.name)
    return None
