"""Draws and tokens from the system."""

from __future__ import annotations

import os


class SystemRandomness:
    """Draws from the system's generators; right after a fork, too."""

    def draw(self) -> float:
        """Return a number from [0, 1)."""
        # As many bits as a float can hold; the module `random` takes longer to load than to use.
        return int.from_bytes(os.urandom(7), "big") / (1 << 56)

    def token(self) -> str:
        """Return a text that nobody can guess and that never comes twice."""
        return os.urandom(16).hex()
