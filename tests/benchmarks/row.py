"""A row of the table: a name, a title, and what measures it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .bench import Bench
from .figure import Figure
from .goal import Goal


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table.

    Attributes:
        name: to choose it by.
        title: what it is about, as the table of goals says it.
        goals: by what each is about; a row that fails to run can still say what it owes.
        measure: returns its figures: one for every goal, and what else is worth telling.
    """

    name: str
    title: str
    goals: Mapping[str, Goal]
    measure: Callable[[Bench], list[Figure]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row."""

    row: Row
    figures: list[Figure]
    took: float

    @property
    def is_met(self) -> bool:
        """Whether every judged figure of the row is met, and there are all of them."""
        judged = [each for each in self.figures if each.goal is not None]
        return bool(judged) and all(each.is_met for each in judged)

    @property
    def is_whole(self) -> bool:
        """Whether every judged figure could be measured."""
        return all(each.value is not None for each in self.figures if each.goal is not None)
