"""Where things are printed: a terminal, whatever it can do, or a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

import click

from .columns import columns

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

IS_WIDE = 140
"""Columns from which on there is room for what is otherwise told in short."""

# A pipe has no width to fit: what is broken or cut off there is lost to whoever reads it.
_NO_EDGE = 1 << 20
_DUMB = ("dumb", "unknown")


def width_of(stream: IO[str]) -> int | None:
    """Return how many columns a terminal has; ``None`` for what is none."""
    if not stream.isatty():
        return None
    return max(columns(), 20)


def is_dumb(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal can do no more than print one line after the other."""
    return environment.get("TERM", "").lower() in _DUMB


def console_on(stream: IO[str], environment: Mapping[str, str] = os.environ) -> Console:
    """Return what prints tables and trees on a stream.

    In colour on a terminal alone, unless ``NO_COLOR`` is set to something, or it is a dumb one.
    """
    from rich.console import Console

    plain = bool(environment.get("NO_COLOR")) or is_dumb(environment) or not stream.isatty()
    return Console(
        file=stream,
        width=width_of(stream) or _NO_EDGE,
        color_system=None if plain else "auto",
        highlight=False,
        emoji=False,
        soft_wrap=False,
    )


def print_fitted(*parts: RenderableType) -> None:
    """Print on standard output, as wide as that is; no line ends in blanks."""
    console = console_on(sys.stdout)
    for part in parts:
        with console.capture() as captured:
            console.print(part)
        _write("".join(f"{line.rstrip(' ')}\n" for line in captured.get().split("\n")[:-1]))


def print_whole(*parts: Text) -> None:
    """Print texts on standard output that are neither wrapped nor cut."""
    console = console_on(sys.stdout)
    for part in parts:
        with console.capture() as captured:
            console.print(part, soft_wrap=True)
        _write(captured.get())


def _write(text: str) -> None:
    # Colours are chosen already: click would take them for a pipe's.
    click.echo(text, nl=False, color=True)
