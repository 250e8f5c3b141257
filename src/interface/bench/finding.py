"""What a benchmark found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from .options import Options
from .samples import Samples


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that Holdfast sets itself, for work of a given size.

    Attributes:
        text: what is bounded.
        limit_s: seconds.
        value_s: what was measured, in seconds.
        applies: whether what was measured is of the size that the goal is about.
    """

    text: str
    limit_s: float
    value_s: float
    applies: bool

    @property
    def is_met(self) -> bool | None:
        """Whether it is met; ``None`` when it is about work of another size."""
        return self.value_s < self.limit_s if self.applies else None

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {**asdict(self), "met": self.is_met}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a benchmark found.

    Attributes:
        benchmark: its name.
        series: durations by what was done; the first is what it is about.
        figures: what else there is to say, by what it is, with the unit in the name.
    """

    benchmark: str
    options: Options
    series: dict[str, Samples]
    figures: dict[str, float] = field(default_factory=dict)
    goal: Goal | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "benchmark": self.benchmark,
            "options": asdict(self.options),
            "series": {name: samples.to_dict() for name, samples in self.series.items()},
            "figures": self.figures,
            "goal": self.goal.to_dict() if self.goal else None,
        }
