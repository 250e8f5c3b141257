"""A handler that was named for a workflow after its chain had been added up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from ..domain.checkpoint import Checkpoint
from ..domain.checkpoint_id import CheckpointId
from ..domain.errors import Damaged, NotFound
from ..domain.replay import Replay
from ..domain.scope import Scope


def with_present_handler(replay: Replay, get: Callable[[CheckpointId], Checkpoint]) -> Replay:
    """Return *replay* with its workflow's handler, where only the opening itself tells it.

    An opening without a handler may be given one later, in place, and what a chain adds up to may
    have been kept before that.

    Args:
        get: returns a checkpoint as it is now.
    """
    if replay.head is None:
        return replay
    workflow = Scope(replay.head.workflow_id)
    record = replay.scopes.get(workflow)
    if record is None or record.handler is not None or record.opening is None:
        return replay
    with suppress(NotFound, Damaged):  # purged, it is not what the workflow stands on
        replay.scopes[workflow] = replace(record, handler=get(record.opening).resume_handler)
    return replay
