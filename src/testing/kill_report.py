"""What became of a workflow that was killed at each of its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_RUNS_SHOWN = 5
Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class KillPoint:
    """A moment at which a run is killed.

    Attributes:
        number: of the commit, counted from 1.
        side: right ``"before"`` it, when everything is written and nothing is durable yet; or right
            ``"after"`` it, before the workflow's code was told.
        wrote: what that commit is about, as ``"stage_complete of nightly/load"``.
    """

    number: int
    side: Side
    wrote: str

    def __str__(self) -> str:
        return f"right {self.side} checkpoint {self.number} ({self.wrote})"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What is not as in an undisturbed run.

    Attributes:
        what: a place (``result.lines``, ``context.outputs.load``), or a step.
        problem: what is wrong with it.
        hint: what is often the reason.
    """

    what: str
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}"


@dataclass(frozen=True, slots=True)
class KilledRun:
    """One run that was killed, and carried on.

    Attributes:
        mismatches: what is not as in an undisturbed run; empty when it survived.
        in_doubt: the steps that were open when it was killed: these may run twice.
        calls: how many times each step, or agent, ran, before and after the kill together.
        repeated: those that ran more often than in an undisturbed run.
    """

    point: KillPoint
    mismatches: tuple[Mismatch, ...]
    in_doubt: tuple[str, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)
    repeated: Mapping[str, int] = field(default_factory=dict)

    @property
    def survived(self) -> bool:
        """Whether it came to the same as an undisturbed run."""
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class KillReport:
    """What became of a workflow that was killed at each of its checkpoints.

    Attributes:
        checkpoints: how many commits an undisturbed run makes.
        runs: one for each kill, in the order of the workflow.
        varying: places that differ between two undisturbed runs (a step drew a random value, say),
            and are compared with nothing but what was recorded.
    """

    workflow: str
    checkpoints: int
    runs: tuple[KilledRun, ...]
    varying: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[KilledRun, ...]:
        """The runs that did not come to the same."""
        return tuple(each for each in self.runs if not each.survived)

    @property
    def survived(self) -> bool:
        """Whether every run came to the same."""
        return not self.failures

    @property
    def repeated(self) -> dict[str, int]:
        """How often each step ran at most, of those that ran twice because they were in doubt.

        What these do outside the store happens twice, too.
        """
        most: dict[str, int] = {}
        for run in self.runs:
            for step, count in run.repeated.items():
                most[step] = max(count, most.get(step, 0))
        return most

    def require_survived(self) -> KillReport:
        """Return the report; raises `DidNotSurvive` unless every run came to the same."""
        if not self.survived:
            raise DidNotSurvive(self)
        return self

    def __str__(self) -> str:
        killed = (
            f"{self.workflow!r}, killed {len(self.runs)} times at {self.checkpoints} checkpoints"
        )
        if self.survived:
            twice = ", ".join(sorted(self.repeated))
            return f"{killed}, came to the same each time" + (
                f"\nsteps that ran twice, for they were in doubt: {twice}" if twice else ""
            )
        lines = [f"{killed}, did not come to the same {len(self.failures)} times"]
        for run in self.failures[:_RUNS_SHOWN]:
            lines.append(f"killed {run.point}:")
            lines += [f"  {each}" for each in run.mismatches]
        more = len(self.failures) - _RUNS_SHOWN
        if more > 0:
            lines.append(f"and {more} more")
        # Once each: it is mostly one mistake that many kills show.
        found = [each.hint for run in self.failures for each in run.mismatches if each.hint]
        lines += [f"hint: {each}" for each in dict.fromkeys(found)]
        return "\n".join(lines)


class DidNotSurvive(AssertionError):
    """A workflow that was killed and carried on did not come to the same; see ``report``."""

    def __init__(self, report: KillReport) -> None:
        self.report = report
        super().__init__(str(report))
