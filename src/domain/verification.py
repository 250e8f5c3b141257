"""What looking a whole store through comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FindingKind = Literal[
    "file", "index", "workflow", "checkpoint", "keyframe", "lease", "attempt", "event", "record"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not what was written.

    Attributes:
        kind: what it is; ``file`` is damage below the rows, ``record`` any other row.
        subject: its id, or what can be told of it.
        needed_by: ids of checkpoints that cannot be rebuilt because of it, the first of them.
        dependents: how many those are in all.
        advice: what to do about it.
        repair: what was done about it; ``None`` where nothing was.
    """

    kind: FindingKind
    subject: str
    problem: str
    needed_by: tuple[str, ...] = ()
    dependents: int = 0
    advice: str = ""
    repair: str | None = None

    def __str__(self) -> str:
        parts = [f"{self.kind} {self.subject}: {self.problem}"]
        if self.dependents:
            shown = ", ".join(self.needed_by)
            more = " and others" if self.dependents > len(self.needed_by) else ""
            parts.append(f"{self.dependents} cannot be rebuilt without it ({shown}{more})")
        if self.repair:
            parts.append(self.repair)
        elif self.advice:
            parts.append(self.advice)
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a store was found to be.

    Attributes:
        findings: what is damaged, and with a repair what was: `Finding.repair` says what was done.
        checked: how many of each kind were looked at.
        quarantine: the file that holds what was taken out; ``None`` where nothing was.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     saved = engine.checkpoint("nightly")
    ...     report = engine.verify()
    >>> report.findings, report.checked["checkpoints"]
    ((), 1)
    """

    target: str
    findings: tuple[Finding, ...] = ()
    checked: Mapping[str, int] = field(default_factory=dict)
    quarantine: str | None = None

    @property
    def damaged(self) -> tuple[Finding, ...]:
        """What is damaged still."""
        return tuple(each for each in self.findings if each.repair is None)

    @property
    def intact(self) -> bool:
        """Whether nothing is damaged, or nothing is any more."""
        return not self.damaged
