"""Whether a series of measurements stays flat: its trend, and not its size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import median

_WINDOW = 10
_MOST_POINTS = 200


def growth(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much the second half of *points* grows, from its begin to its end.

    Of each ten measurements the lowest: what is under way comes and goes, and what leaks stays. By
    the median of the slopes between any two of those, so that single ones say nothing.

    Source: Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", 1968.
    """
    lowest = [
        min(points[at : at + _WINDOW], key=lambda point: point[1])
        for at in range(0, len(points) - _WINDOW + 1, _WINDOW)
    ]
    half = lowest[len(lowest) // 2 :]
    half = half[:: max(1, len(half) // _MOST_POINTS)]
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(half, 2) if x2 > x1]
    return median(slopes) * (half[-1][0] - half[0][0]) if slopes else 0.0
