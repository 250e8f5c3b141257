"""The run as it went, on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .director import Performance, Play

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_WIDTH = 24
_NAMES_SHOWN = 1


def timeline(run: Performance) -> Table:
    """Return a table: a line a process, with a bar where it was alive and what it did."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    total = max(play.ended for play in run.plays)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in (
        "process",
        f"0 s {'':{_WIDTH - 9}} {total:.1f} s",
        "finished",
        "found saved",
        "ended",
    ):
        table.add_column(column, no_wrap=True)
    done: tuple[str, ...] = ()
    for play in run.plays:
        table.add_row(
            f"{play.pid} {play.command}",
            _bar(play, total),
            f"{len(play.finished)} agents",
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


def _bar(play: Play, total: float) -> Text:
    from rich.text import Text

    begin = int(play.began / total * _WIDTH)
    end = max(begin + 1, int(play.ended / total * _WIDTH))
    bar = Text(" " * begin).append("━" * (end - begin), style="cyan")
    return bar.append("✗" if play.killed else "✓", style="red" if play.killed else "green")
