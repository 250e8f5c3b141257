"""The run as it went, on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .director import Performance, Play

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_WIDTH = 36
_LEAST = 10
# Blanks around the columns, and the mark at the end of a bar.
_BETWEEN = 17
_NAMES_SHOWN = 1


def timeline(run: Performance, width: int = 80) -> Table:
    """Return a table: a line a process, with a bar where it was alive and what it did.

    Args:
        width: columns that there are; the bar, and what is lost below it, get what is left.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    total = max(play.ended for play in run.plays)
    names = [f"{play.pid} {play.command}" for play in run.plays]
    taken = max(map(len, names)) + len("finishedsavedSIGKILL") + _BETWEEN
    room = max(_LEAST, min(_WIDTH, width - taken))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("process", no_wrap=True)
    # What was lost is told below a bar, on as many lines as that takes.
    scale = f"0 s{f'{total:.1f} s':>{room - 2}}"
    table.add_column(scale, width=room + 1, overflow="fold")
    for column in ("finished", "saved", "ended"):
        table.add_column(column, no_wrap=True)
    done: tuple[str, ...] = ()
    for name, play in zip(names, run.plays, strict=True):
        table.add_row(
            name,
            _bar(play, total, room),
            str(len(play.finished)),
            str(len(done)) if done else "",
            Text("SIGKILL", style="red") if play.killed else Text("done", style="green"),
        )
        for lost in _lost(play):
            table.add_row("", Text(lost, style="yellow"))
        done = play.saved
    return table


def _lost(play: Play) -> list[str]:
    """Return what has to run again: what a kill cut off, or kept from being saved."""
    unsaved = [agent for agent in play.finished if agent not in play.saved]
    both = (("cut off", play.interrupted), ("not yet saved", unsaved))
    return [f"{what}: {_names(agents)}" for what, agents in both if agents]


def _names(agents: Sequence[str]) -> str:
    more = len(agents) - _NAMES_SHOWN
    return ", ".join(agents[:_NAMES_SHOWN]) + (f", {more} more" if more > 0 else "")


def _bar(play: Play, total: float, room: int) -> Text:
    from rich.text import Text

    begin = int(play.began / total * room)
    end = max(begin + 1, int(play.ended / total * room))
    bar = Text(" " * begin).append("━" * (end - begin), style="cyan")
    return bar.append("✗" if play.killed else "✓", style="red" if play.killed else "green")
