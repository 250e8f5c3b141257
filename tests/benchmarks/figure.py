"""One figure of a row: what was measured, against what, and whether that is good enough."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .goal import Goal, at_least
from .interleave import Rounds


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a row.

    Attributes:
        text: what is compared with what.
        goal: ``None``: told for information, and not judged.
        value: ``None`` when it could not be measured; then *missing* says why.
        spread: the least and the largest value of a single round.
        seconds: the medians that the value comes from, by side.
    """

    text: str
    goal: Goal | None
    unit: str
    value: float | None = None
    spread: tuple[float, float] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    missing: str | None = None
    note: str | None = None

    @property
    def is_met(self) -> bool:
        """Whether the goal is met; what was not measured is not met."""
        return self.goal is not None and self.value is not None and self.goal.is_met_by(self.value)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        judged = self.goal is not None
        margin = self.goal.margin(self.value) if self.goal and self.value is not None else None
        return asdict(self) | {"met": self.is_met if judged else None, "margin": margin}


def speed(
    text: str, goal: Goal | None, rounds: Rounds, *, ours: str, theirs: str, note: str | None = None
) -> Figure:
    """Return how many times as fast *ours* is as *theirs*: their seconds over ours."""
    return _ratio(text, goal, rounds, theirs, ours, note)


def cost(
    text: str, goal: Goal | None, rounds: Rounds, *, ours: str, theirs: str, note: str | None = None
) -> Figure:
    """Return how many times as long *ours* takes as *theirs*: our seconds over theirs."""
    return _ratio(text, goal, rounds, ours, theirs, note)


def plain(
    text: str,
    goal: Goal | None,
    value: float,
    *,
    unit: str | None = None,
    spread: tuple[float, float] | None = None,
    note: str | None = None,
) -> Figure:
    """Return a figure that is no ratio of times."""
    return Figure(text, goal, unit or (goal.unit if goal else ""), value, spread, note=note)


def missing(text: str, goal: Goal | None, why: str) -> Figure:
    """Return a figure that could not be measured, and so counts as not met."""
    return Figure(text, goal, goal.unit if goal else "×", missing=why)


def holds(text: str, *, true: bool, note: str | None = None) -> Figure:
    """Return a figure for what is either so or not: 1 or 0."""
    return Figure(text, at_least(1, ""), "", 1.0 if true else 0.0, note=note)


def _ratio(
    text: str, goal: Goal | None, rounds: Rounds, over: str, under: str, note: str | None
) -> Figure:
    for side in (over, under):
        if side in rounds.absent:
            return missing(text, goal, rounds.absent[side])
    seconds = {side: rounds.of(side) for side in (over, under)}
    spread = rounds.spread(over, under)
    return Figure(text, goal, "×", rounds.ratio(over, under), spread, seconds, note=note)
