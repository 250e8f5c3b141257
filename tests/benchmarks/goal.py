"""What a figure is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that a figure must keep.

    Attributes:
        bound: ``"at least"`` or ``"at most"``.
        unit: what the figure is in; ``"×"`` for a ratio.
    """

    bound: Literal["at least", "at most"]
    limit: float
    unit: str

    def is_met_by(self, value: float) -> bool:
        """Whether *value* keeps the bound."""
        return value >= self.limit if self.bound == "at least" else value <= self.limit

    def margin(self, value: float) -> float | None:
        """Return by how much of the limit *value* is on the right side (0.1: 10 % better).

        Negative on the wrong side; ``None`` where the limit is nought and has no parts.
        """
        if self.limit == 0:
            return None
        distance = (value - self.limit) / self.limit
        return distance if self.bound == "at least" else -distance

    def __str__(self) -> str:
        sign = "≥" if self.bound == "at least" else "≤"
        return f"{sign} {with_unit(self.limit, self.unit)}"


def at_least(limit: float, unit: str = "×") -> Goal:
    """Return the goal that a figure is *limit* or more."""
    return Goal("at least", limit, unit)


def at_most(limit: float, unit: str = "×") -> Goal:
    """Return the goal that a figure is *limit* or less."""
    return Goal("at most", limit, unit)


def with_unit(value: float, unit: str) -> str:
    """Return a figure as people write it, with three digits that mean something."""
    if value and abs(value) < 0.01:
        text = f"1/{1 / value:,.0f}" if unit == "×" else f"{value:.2g}"
    elif abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return f"{text} {unit}".strip()
