"""What stands in the way of carrying a workflow on: every reason, not only the first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .advice import ANSWER, AT_ONCE, LET_IT_END, NOTHING_TO_DO, ONCE_MORE, OPEN_ANEW, answer_with
from .checkpoint import Checkpoint
from .checkpoint_status import CheckpointStatus
from .lease import Lease
from .wording import known_names


class ObstacleKind(StrEnum):
    """What kind of reason it is."""

    COMPLETED = "completed"
    KILLED = "killed"
    HELD = "held"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    RETRIES_USED_UP = "retries_used_up"
    NOT_DUE = "not_due"
    NO_HANDLER = "no_handler"
    UNKNOWN_HANDLER = "unknown_handler"


_PASSED_BY_FORCE = frozenset(
    [ObstacleKind.HELD, ObstacleKind.RETRIES_USED_UP, ObstacleKind.NOT_DUE]
)


FATAL = frozenset([ObstacleKind.RETRIES_USED_UP, ObstacleKind.CANCELLED])
"""Where nothing else is in the way, a recovery closes the workflow as killed."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A reason why a workflow is not carried on now; ``text`` says what to do about it."""

    kind: ObstacleKind
    text: str

    @property
    def yields_to_force(self) -> bool:
        """Whether ``force`` passes over it."""
        return self.kind in _PASSED_BY_FORCE

    def __str__(self) -> str:
        return self.text


def obstacles_of_state(
    opening: Checkpoint,
    now: datetime,
    *,
    exhausted: bool,
    attempts: int,
    longest_pause: timedelta = timedelta.max,
    waits: tuple[str, ...] = (),
    cancel_asked: bool = False,
    max_attempts: int | None = None,
) -> list[Obstacle]:
    """Return what the state of a workflow's opening puts in the way.

    Args:
        exhausted: whether the executions so far have used up its retries.
        attempts: how many executions there were.
        longest_pause: that back-off makes; one that seems to last longer comes of a clock that was
            set back, and is over.
        max_attempts: that there may be; ``None`` for no bound.
        waits: the names of what it waits for.
        cancel_asked: whether it was asked to stop by whoever cannot do so any more.
    """
    found = []
    if opening.status is CheckpointStatus.COMPLETED:
        text = (
            f"{opening.scope} is completed since {opening.updated_at.isoformat()}; {NOTHING_TO_DO}"
        )
        found.append(Obstacle(ObstacleKind.COMPLETED, text))
    if opening.status is CheckpointStatus.KILLED:
        text = (
            f"{opening.scope} was killed at {opening.updated_at.isoformat()} "
            f"({opening.reason}); {OPEN_ANEW}"
        )
        found.append(Obstacle(ObstacleKind.KILLED, text))
    if opening.status is CheckpointStatus.WAITING and not is_due(opening, now):
        found.append(Obstacle(ObstacleKind.WAITING, _waiting_text(opening, waits)))
    if cancel_asked and not opening.status.is_final:
        text = f"{opening.scope} was asked to stop, and ended before it did"
        found.append(Obstacle(ObstacleKind.CANCELLED, text))
    if exhausted and not opening.status.is_final:
        text = f"{retries_used_up(attempts, opening.max_retries, max_attempts)}; {ONCE_MORE}"
        found.append(Obstacle(ObstacleKind.RETRIES_USED_UP, text))
    if opening.due_at is not None and is_backing_off(opening, now, longest_pause):
        text = f"it is not due before {opening.due_at.isoformat()} (back-off); {AT_ONCE}"
        found.append(Obstacle(ObstacleKind.NOT_DUE, text))
    return found


def is_backing_off(opening: Checkpoint, now: datetime, longest_pause: timedelta) -> bool:
    """Whether it failed, and is not to be carried on yet.

    Args:
        longest_pause: that back-off makes; one that seems to last longer comes of a clock that was
            set back, and is over.
    """
    if opening.status is CheckpointStatus.WAITING or opening.due_at is None:
        return False
    return timedelta() < opening.due_at - now <= longest_pause


def is_due(opening: Checkpoint, now: datetime) -> bool:
    """Whether what it waits for was answered, or its time is over."""
    return opening.due_at is not None and opening.due_at <= now


def retries_used_up(attempts: int, max_retries: int, max_attempts: int | None = None) -> str:
    """Return the sentence that says so."""
    if max_attempts is not None and attempts >= max_attempts:
        return f"it was executed {attempts} times, and max_attempts is {max_attempts}"
    tried = "1 execution, without progress"
    if attempts != 1:
        tried = f"{attempts} executions, and no progress in the last of them"
    return f"its retries are used up: {tried} (max_retries is {max_retries})"


def _waiting_text(opening: Checkpoint, waits: tuple[str, ...]) -> str:
    names = f" to {' and '.join(map(repr, waits))}" if waits else ""
    until = f" until {opening.due_at.isoformat()}" if opening.due_at else ""
    advice = " or ".join(answer_with(opening.scope, each) for each in waits) or ANSWER
    return f"{opening.scope} waits for an answer{names}{until}; {advice}"


def obstacle_of_lease(lease: Lease) -> Obstacle:
    """Return what a living lease puts in the way."""
    return Obstacle(
        ObstacleKind.HELD,
        f"{lease.owner} carries it on since {lease.taken_at.isoformat()} (epoch {lease.epoch}, "
        f"lease until {lease.expires_at.isoformat()}); {LET_IT_END}",
    )


def obstacle_of_handler(handler: str | None, known: tuple[str, ...]) -> Obstacle | None:
    """Return what the resolved handler puts in the way, if anything."""
    if handler is None:
        text = "no handler is named for it; name one with handler= or --handler"
        return Obstacle(ObstacleKind.NO_HANDLER, text)
    if handler not in known:
        text = (
            f"its handler {handler!r} is not registered here ({known_names(handler, known)}); name "
            "the program that registers it with --app"
        )
        return Obstacle(ObstacleKind.UNKNOWN_HANDLER, text)
    return None
