"""Where draws and tokens come from."""

from __future__ import annotations

from typing import Protocol


class Randomness(Protocol):
    """Draws; may be called from any thread."""

    def draw(self) -> float:
        """Return a number from [0, 1)."""

    def token(self) -> str:
        """Return a text that nobody can guess and that never comes twice: 128 bits or more."""
