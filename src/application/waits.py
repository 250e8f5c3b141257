"""What a workflow waits for: each question is a stage of kind ``wait``.

The stage's input is the question; the answer is its state, until the run that asked goes on with it
and closes the stage with the answer as its output.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ..domain.checkpoint import Checkpoint
from ..domain.json_value import JsonValue
from ..domain.ports import UnitOfWork
from ..domain.replay import Replay

WAIT_KIND = "wait"
ANSWER_KEY = "answer"
# What the checkpoint is called that closes a question.
ANSWERED, OVERDUE = "answered", "overdue"
# When what was answered is due. Not the time of the answer: should the clock be set back after it,
# the workflow would wait for that time once more.
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OpenWait:
    """A question that the run has not gone on from.

    Attributes:
        due_at: until when it may be answered; ``None`` for ever.
        answer: where ``is_answered``.
    """

    opening: Checkpoint
    name: str
    due_at: datetime | None
    is_answered: bool
    answer: JsonValue

    def is_over(self, now: datetime) -> bool:
        """Whether the run can go on from it: it was answered, or its time is over."""
        return self.is_answered or (self.due_at is not None and self.due_at <= now)


def open_waits(workflow_id: str, uow: UnitOfWork) -> list[OpenWait]:
    """Return what the workflow waits for, in the order of asking."""
    openings = [
        opening for opening in uow.checkpoints.unfinished(workflow_id) if opening.kind == WAIT_KIND
    ]
    standing = uow.checkpoints.standing(workflow_id) if openings else None
    if standing is None:
        return []
    replay = uow.checkpoints.replay(standing.head)
    return [_open_wait(opening, replay) for opening in openings]


def resumable_at(waits: list[OpenWait]) -> datetime | None:
    """Return when a workflow that waits can go on: at the first that is over; ``None``: never."""
    if any(wait.is_answered for wait in waits):
        return AT_ONCE
    return min((wait.due_at for wait in waits if wait.due_at is not None), default=None)


def _open_wait(opening: Checkpoint, replay: Replay) -> OpenWait:
    state = replay.record(opening.scope).state
    return OpenWait(
        opening,
        opening.scope.stage_id or "",
        opening.due_at,
        ANSWER_KEY in state,
        state.get(ANSWER_KEY),
    )
