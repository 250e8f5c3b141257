"""What looking a whole store through comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from .events import DomainEvent, EventKind

FindingKind = Literal[
    "file",
    "index",
    "workflow",
    "checkpoint",
    "keyframe",
    "lease",
    "attempt",
    "event",
    "record",
    "leftover",
]

# Under which acts on what belongs to no workflow are logged.
OF_NO_WORKFLOW = "store"

MADE_ANEW = "made anew"
QUARANTINED = "moved to the quarantine"
GIVEN_UP = "given up, under a higher epoch than any that was seen"
NO_WAY_ON = "it is in flight, and nothing intact is left to carry it on from"
START_ANEW = "restore a backup, or start it anew under another name"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not what was written.

    Attributes:
        kind: what it is; ``file`` is damage below the rows, or a file that cannot be read;
            ``record`` any other row; ``leftover`` a file that nothing needs, and no damage.
        subject: its id, or what can be told of it.
        needed_by: ids of checkpoints that cannot be rebuilt because of it, the first of them.
        dependents: how many those are in all.
        advice: what to do about it.
        repair: what was done about it; ``None`` where nothing was.
        workflow_id: the workflow that it belongs to, where that can be told.
    """

    kind: FindingKind
    subject: str
    problem: str
    needed_by: tuple[str, ...] = ()
    dependents: int = 0
    advice: str = ""
    repair: str | None = None
    workflow_id: str | None = None

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
        checked: how many of each kind were looked at; that a checkpoint was created is an event,
            and the right to purge none of the leases.
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
        return tuple(
            each for each in self.findings if each.repair is None and each.kind != "leftover"
        )

    @property
    def leftovers(self) -> tuple[Finding, ...]:
        """Files that nothing needs, and that are there still."""
        return tuple(
            each for each in self.findings if each.repair is None and each.kind == "leftover"
        )

    @property
    def intact(self) -> bool:
        """Whether nothing is damaged, or nothing is any more."""
        return not self.damaged


def repaired_event(act: Finding, at: datetime) -> DomainEvent:
    """Return the event that a repair leaves behind."""
    return DomainEvent(
        EventKind.REPAIRED,
        act.workflow_id or OF_NO_WORKFLOW,
        at,
        detail={
            "kind": act.kind,
            "subject": act.subject,
            "problem": act.problem,
            "repair": act.repair,
        },
    )


def quarantined_with(dependents: int) -> str:
    """Return what was done about a checkpoint that was taken out with what stands on it."""
    return f"{QUARANTINED}, with {dependents} that stand on it" if dependents else QUARANTINED
