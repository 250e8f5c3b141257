"""Durations that were measured, and what can be said of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

PERCENTILES = (50, 90, 99)


@dataclass(slots=True)
class Samples:
    """Durations of the same work, in seconds, in the order in which they were measured."""

    seconds: list[float] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """Return the smallest duration that *percent* of all do not exceed (nearest rank).

        It is one that was measured: of fewer than a hundred samples p99 is the longest.
        """
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form; seconds."""
        named = {f"p{percent}": self.percentile(percent) for percent in PERCENTILES}
        return {
            "count": len(self.seconds),
            **named,
            "least": min(self.seconds),
            "longest": max(self.seconds),
            "seconds": self.seconds,
        }


def joined(parts: Sequence[Samples]) -> Samples:
    """Return the samples of several writers as one."""
    return Samples([each for part in parts for each in part.seconds])
