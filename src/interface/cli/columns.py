"""How wide a terminal is; a module of its own, since `shutil` takes longer to load than to ask."""

from __future__ import annotations

import os
import sys

_USUAL = 80
_MOST_FOR_TEXT = 80
_LEAST_FOR_TEXT = 50


def columns() -> int:
    """Return how many columns the terminal has: as COLUMNS says, or it itself; else 80."""
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and int(said) > 0:
        return int(said)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _USUAL  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # there is none, or it is closed
        return _USUAL


def text_width() -> int:
    """Return how wide the lines of a help text are, as click has it."""
    return max(min(columns(), _MOST_FOR_TEXT) - 2, _LEAST_FOR_TEXT)
