"""Draws and tokens from the system."""

from __future__ import annotations

import os
import random


class SystemRandomness:
    """Draws from the system's generators; right after a fork, too."""

    def draw(self) -> float:
        """Return a number from [0, 1)."""
        return random.SystemRandom().random()

    def token(self) -> str:
        """Return a text that nobody can guess and that never comes twice."""
        return os.urandom(16).hex()
