"""How far long work is: a bar with its rate and the time left, on a terminal that can draw one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeAlias

from .screen import console_on, is_dumb, width_of

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import Task

Progress: TypeAlias = Callable[[int, int], object]
"""Told how much is done, and of how much; 0 where that is not known."""

# What is over sooner needs no bar: it would only flicker.
_PATIENCE = 0.4
# Under that a bar leaves no room for what it says.
_NARROW = 60


@contextmanager
def progress(text: str, unit: str = "", *, in_bytes: bool = False) -> Iterator[Progress | None]:
    """Give what is told how far the work is; ``None`` where no bar can be drawn.

    It stands on standard error, and is gone when the block ends.

    Args:
        unit: what is counted.
    """
    if not sys.stderr.isatty() or is_dumb():
        yield None
        return
    line = _Line(text, unit, in_bytes=in_bytes)
    try:
        yield line
    finally:
        line.close()


@contextmanager
def elapsing(text: str) -> Iterator[None]:
    """Show for how long work goes on of which nobody can tell how far it is."""
    with progress(text) as tell:
        if tell is None:
            yield
            return
        over = Event()

        def tick() -> None:
            while not over.wait(_PATIENCE / 2):
                tell(0, 0)

        ticking = Thread(target=tick, name="holdfast-progress", daemon=True)
        ticking.start()
        try:
            yield
        finally:
            over.set()
            ticking.join()


class _Line:
    def __init__(self, text: str, unit: str, *, in_bytes: bool) -> None:
        self._text, self._unit, self._in_bytes = text, unit, in_bytes
        self._begun = time.monotonic()
        self._bars: Bars | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._bars is None:
            if time.monotonic() - self._begun < _PATIENCE:
                return
            self._bars = self._drawn()
            self._bars.start()
        self._bars.update(self._bars.task_ids[0], completed=done, total=total or None)

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()

    def _drawn(self) -> Bars:
        from rich.progress import BarColumn, ProgressColumn, TextColumn
        from rich.progress import Progress as Bars
        from rich.text import Text

        line = self

        class Told(ProgressColumn):
            """How much, how quick, how long still."""

            def render(self, task: Task) -> Text:
                return Text(line.told(task), style="dim")

        is_narrow = (width_of(sys.stderr) or _NARROW) < _NARROW
        columns = [TextColumn("{task.description}", markup=False)]
        columns += [] if is_narrow else [BarColumn(bar_width=20)]  # type: ignore[list-item]
        bars = Bars(*columns, Told(), console=console_on(sys.stderr), transient=True)
        bars.add_task(self._text, total=None)
        return bars

    def told(self, task: Task) -> str:
        """Return what stands behind the bar."""
        seconds = time.monotonic() - self._begun
        if not task.completed and not task.total:
            return _clock(seconds)
        parts = [self._amount(task.completed)]
        if task.total:
            parts[0] += f" of {self._amount(task.total)}"
        parts[0] += f" {self._unit}".rstrip()
        rate = task.completed / seconds if seconds else 0.0
        if rate:
            parts.append(f"{self._amount(rate)}/s" if rate >= 1 else f"{60 * rate:.1f}/min")
        if rate and task.total:
            parts.append(f"{_clock((task.total - task.completed) / rate)} left")
        return ", ".join(parts)

    def _amount(self, count: float) -> str:
        from .quantities import size_text

        return size_text(int(count)) if self._in_bytes else f"{int(count):,}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
