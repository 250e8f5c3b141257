"""One colour for each state, the same in tables, trees and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.attempt import Outcome
from ...domain.checkpoint_status import CheckpointStatus

if TYPE_CHECKING:
    from rich.text import Text

GOOD, BAD, DOUBTFUL = "green", "red", "yellow"
_WAITS, _OVER = "magenta", "bright_black"

STATUS_COLOURS = {
    CheckpointStatus.ACTIVE: "cyan",
    CheckpointStatus.RECOVERING: DOUBTFUL,
    CheckpointStatus.WAITING: _WAITS,
    CheckpointStatus.FAILED: BAD,
    CheckpointStatus.COMPLETED: GOOD,
    CheckpointStatus.KILLED: _OVER,
}
# An outcome has the colour of the state that it leaves behind.
OUTCOME_COLOURS = {
    Outcome.COMPLETED: GOOD,
    Outcome.FAILED: BAD,
    Outcome.TIMED_OUT: BAD,
    Outcome.WAITING: _WAITS,
    Outcome.GIVEN_UP: DOUBTFUL,
    Outcome.DIED: BAD,
    Outcome.FENCED: DOUBTFUL,
    Outcome.CANCELLED: _OVER,
    Outcome.STORE_TROUBLE: DOUBTFUL,
}


def status_text(status: CheckpointStatus | None) -> Text:
    """Return a status in its colour; a record has none."""
    from rich.text import Text

    if status is None:
        return Text("record", style="dim")
    return Text(status.value, style=STATUS_COLOURS[status])


def outcome_text(outcome: Outcome | None) -> Text:
    """Return how an attempt ended, in its colour; nothing as long as it has not."""
    from rich.text import Text

    return Text(outcome.value, style=OUTCOME_COLOURS[outcome]) if outcome else Text()
