"""The run as it went, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .director import Performance, Play

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_WIDTH = 24


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
        "ran",
        "not repeated",
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
        if play.interrupted:
            table.add_row(
                "", Text(f"ran, runs again: {', '.join(play.interrupted)}", style="yellow")
            )
        done = play.acknowledged
    return table


def _axis(total: float) -> str:
    end = f"{total:.1f} s"
    return f"0 s{end:>{_WIDTH - 2}}"


def _bar(play: Play, total: float) -> Text:
    from rich.text import Text

    begin = int(play.began / total * _WIDTH)
    end = max(begin + 1, int(play.ended / total * _WIDTH))
    bar = Text(" " * begin).append("━" * (end - begin), style="cyan")
    return bar.append("✗" if play.killed else "✓", style="red" if play.killed else "green")
