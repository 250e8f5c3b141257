"""Sizes and durations as people read them."""

from __future__ import annotations

from .options import KB, MB


def size_text(count: int) -> str:
    """Return a number of bytes, in the unit that gives it few digits."""
    for unit, factor in (("MB", MB), ("KB", KB)):
        if count >= factor:
            return f"{count / factor:,.3g} {unit}"
    return f"{count} bytes"


def time_text(seconds: float) -> str:
    """Return a duration, in seconds or milliseconds."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.2f} ms"
