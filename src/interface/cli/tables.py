"""Tables on a terminal: whole rows where they fit, and where they do not, a block for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table
    from rich.text import Text

# Narrower than that a sentence is a column of words.
_READABLE = 28
# In a block what is longer than that has lines of its own.
_SHORT = 40
_ROOM = 1 << 20


class Rows:
    """Rows of text under headings; what people copy is never cut, nor broken in the middle.

    Args:
        columns: the first is what a row is about. One that begins with ``>`` is aligned to the
            right, one with ``=`` says nothing without its heading.
    """

    def __init__(self, *columns: str) -> None:
        self._names = [column.lstrip(">=") for column in columns]
        self._is_right = [">" in column[:2] for column in columns]
        self._is_labelled = ["=" in column[:2] for column in columns]
        self._rows: list[list[Text]] = []

    def add_row(self, *cells: str | Text) -> None:
        """Add a row."""
        from rich.text import Text

        self._rows.append([Text(cell) if isinstance(cell, str) else cell for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as it fits."""
        table = self._table()
        # Measured as if there were room: a console takes whatever it is given for enough.
        without_end = options.update(max_width=_ROOM)
        if console.measure(table, options=without_end).minimum <= options.max_width:
            yield table
            return
        for number, row in enumerate(self._rows):
            yield from self._block(row, options.max_width)
            if number + 1 < len(self._rows) and any(len(cell) > _SHORT for cell in row[1:]):
                yield ""

    def _table(self) -> Table:
        from rich import box
        from rich.table import Table

        made = Table(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
            header_style="bold",
        )
        widths = [
            max((row[index].cell_len for row in self._rows), default=0)
            for index in range(len(self._names))
        ]
        # A column without a value takes room from the others, and says nothing.
        shown = [index for index, width in enumerate(widths) if width or not self._rows]
        for index in shown:
            name, widest = self._names[index], widths[index]
            made.add_column(
                name,
                justify="right" if self._is_right[index] else "left",
                no_wrap=index == 0 or widest <= _READABLE,
                min_width=widest if index == 0 else min(widest, _READABLE),
                overflow="fold",
            )
        for row in self._rows:
            made.add_row(*(row[index] for index in shown))
        return made

    def _block(self, row: list[Text], width: int) -> Iterator[RenderableType]:
        from rich.padding import Padding
        from rich.text import Text

        # Wrapped nowhere: a terminal breaks it at its edge, and it is copied whole.
        name = f"{self._names[0]} " if self._is_labelled[0] else ""
        yield Text(f"{name}{row[0].plain}", style="bold", no_wrap=True, overflow="ignore")
        long: list[Text] = []
        line = Text()
        for index, cell in enumerate(row[1:], 1):
            if not cell:
                continue
            named = self._is_labelled[index] or cell.cell_len > _SHORT
            item = Text.assemble((f"{self._names[index]} ", "dim"), cell) if named else cell
            if cell.cell_len > _SHORT:
                long.append(item)
            elif line and line.cell_len + item.cell_len + 5 > width:
                yield Padding(line, (0, 0, 0, 2))
                line = item.copy()
            else:
                line = Text.assemble(line, "   " if line else "", item)
        for each in [line, *long]:
            if each:
                yield Padding(each, (0, 0, 0, 2))


def retries_text(count: int, allowed: int) -> str:
    """Return how many retries without progress there were, of those that are allowed."""
    # The execution after the last retry counts as well, when it brought nothing.
    return f"{min(count, allowed)} of {allowed}{' (used up)' if count > allowed else ''}"


def fields_of(facts: Mapping[str, RenderableType]) -> Table:
    """Return names and values, one below the other: readable however narrow the terminal is."""
    from rich.table import Table
    from rich.text import Text

    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, value in facts.items():
        # As a text: names that people gave are no markup.
        rows.add_row(f"  {name}", Text(value) if isinstance(value, str) else value)
    return rows
