"""Running what is compared in turn, so that a machine that gets slower is slower for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

Side = Callable[[], float]
"""Does its work once and returns the seconds of it; what is preparation is not in them."""

LEAST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands for a side that cannot run here, and says why."""

    why: str


@dataclass(slots=True)
class Rounds:
    """The seconds of every side in every round; of sides that could not run, why."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def of(self, side: str) -> float:
        """Return the median seconds of a side."""
        return median(self.seconds[side])

    def ratio(self, over: str, under: str) -> float:
        """Return the median of one side over the median of another."""
        return self.of(over) / self.of(under)

    def spread(self, over: str, under: str) -> tuple[float, float]:
        """Return the smallest and the largest ratio of two sides within one round."""
        pairs = zip(self.seconds[over], self.seconds[under], strict=True)
        ratios = [above / below for above, below in pairs]
        return min(ratios), max(ratios)


def interleaved(
    sides: Mapping[str, Side | Absent], rounds: int, *, told: Callable[[], None] = lambda: None
) -> Rounds:
    """Run all sides once a round, in an order that is turned round each time.

    One round comes before those that count: it fills caches and imports what is imported late.

    Args:
        told: called after each round.
    """
    if rounds < LEAST_ROUNDS:
        raise ValueError(f"{rounds} rounds; a median of fewer than {LEAST_ROUNDS} says little")
    absent = {name: side.why for name, side in sides.items() if isinstance(side, Absent)}
    present = {name: side for name, side in sides.items() if not isinstance(side, Absent)}
    for side in present.values():
        side()
    measured = Rounds({name: [] for name in present}, absent)
    order = list(present)
    for _ in range(rounds):
        for name in order:
            measured.seconds[name].append(present[name]())
        order.reverse()
        told()
    return measured
