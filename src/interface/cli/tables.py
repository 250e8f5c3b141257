"""How things look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ...domain.checkpoint_status import CheckpointStatus

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_STYLES = {
    CheckpointStatus.ACTIVE: "cyan",
    CheckpointStatus.RECOVERING: "yellow",
    CheckpointStatus.WAITING: "magenta",
    CheckpointStatus.FAILED: "red",
    CheckpointStatus.COMPLETED: "green",
    CheckpointStatus.KILLED: "bright_black",
}


def table(*columns: str) -> Table:
    """Return an empty table; a column that begins with ``>`` is aligned to the right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.startswith(">")
        made.add_column(column.lstrip(">"), justify="right" if right else "left", overflow="fold")
    return made


def status_text(status: CheckpointStatus | None) -> Text:
    """Return a status in its colour; a dash for a record."""
    from rich.text import Text

    if status is None:
        return Text("record", style="dim")
    return Text(status.value, style=_STYLES[status])


def time_text(at: datetime | None) -> str:
    """Return a time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at is not None else ""


def retries_text(count: int, allowed: int) -> str:
    """Return how many retries without progress there were, of those that are allowed."""
    # The execution after the last retry counts as well, when it brought nothing.
    return f"{min(count, allowed)} of {allowed}{' (used up)' if count > allowed else ''}"


def fields_of(facts: Mapping[str, RenderableType]) -> Table:
    """Return names and values, one below the other: readable however narrow the terminal is."""
    from rich.table import Table

    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, value in facts.items():
        rows.add_row(f"  {name}", value)
    return rows


def duration_text(took: timedelta | None) -> str:
    """Return how long something took."""
    if took is None:
        return ""
    seconds = took.total_seconds()
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"
