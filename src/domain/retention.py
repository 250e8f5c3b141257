"""What of a workflow's history is kept, and what may go. Pure: times come in as arguments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import inf
from typing import NamedTuple

from .checkpoint_status import CheckpointStatus
from .errors import InvalidRequest
from .wording import shorten

DEFAULT_DAYS = 30.0
DEFAULT_COUNT = 1000

PURGE_RESOURCE = "\tpurge"
"""Whose lease is the right to purge. No workflow is called so: names have no control characters."""

_BEFORE_EVERYTHING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long checkpoints are kept: one goes when it is too old **and** not among the newest.

    Attributes:
        days: how long they are kept at least; ``inf`` for ever.
        count: how many of the newest of a workflow are kept at least.

    Raises:
        InvalidRequest: a number cannot be one.

    >>> Retention(days=90, count=100).count
    100
    """

    days: float = DEFAULT_DAYS
    count: int = DEFAULT_COUNT

    def __post_init__(self) -> None:
        require_retention(self.days, self.count)

    def rule(self, now: datetime) -> Rule:
        """Return what this says at a moment."""
        return Rule(before=time_before(now, self.days * 86_400), keep=self.count)


@dataclass(frozen=True, slots=True)
class OwnRetention:
    """What a workflow says of its own retention; ``None`` leaves it to the store."""

    days: float | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        require_retention(self.days, self.count)

    def over(self, general: Retention) -> Retention:
        """Return what holds for the workflow in a store with a *general* retention."""
        return Retention(
            general.days if self.days is None else self.days,
            general.count if self.count is None else self.count,
        )

    @property
    def says_nothing(self) -> bool:
        """Whether all is left to the store."""
        return self.days is None and self.count is None


@dataclass(frozen=True, slots=True)
class Rule:
    """Which checkpoints of a workflow may go: those of which everything that is set says so.

    Attributes:
        before: those created before.
        keep: those that are not among so many newest of the workflow.
        below: those with a lower number in the store.
    """

    before: datetime | None = None
    keep: int | None = None
    below: int | None = None

    def lets_go(self, checkpoint: AgedCheckpoint, newer: int) -> bool:
        """Whether a checkpoint may go.

        Args:
            newer: how many of its workflow are newer.
        """
        return (
            (self.before is None or checkpoint.created_at < self.before)
            and (self.keep is None or newer >= self.keep)
            and (self.below is None or checkpoint.number < self.below)
        )


class AgedCheckpoint(NamedTuple):
    """A checkpoint as far as retention must know it.

    Attributes:
        number: of its ``created`` event, store-wide.
        parent: the sequence of its parent.
        size: how many bytes its going would free, about.
        unfinished: the status of an opening whose scope is not done; else ``None``.
        opens_workflow: whether the workflow stands on it: its newest opening.
    """

    number: int
    sequence: int
    parent: int | None
    created_at: datetime
    size: int
    unfinished: CheckpointStatus | None = None
    opens_workflow: bool = False


class Reason(StrEnum):
    """Why a checkpoint stays."""

    RECENT = "recent"
    NEWEST = "newest"
    OPENING = "opening"
    IN_FLIGHT = "in_flight"
    WAITING = "waiting"
    FAILED = "failed"
    DAMAGED = "damaged"


class Sequences:
    """A set of sequences, as ranges: compact as long as they follow each other.

    >>> some = Sequences()
    >>> for each in (1, 2, 3, 7):
    ...     some.add(each)
    >>> some.ranges, 2 in some, 5 in some, len(some)
    ([(1, 3), (7, 7)], True, False, 4)
    """

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []
        self._size = 0

    def add(self, sequence: int) -> None:
        """Add one above all that are there."""
        self._size += 1
        if self.ranges and self.ranges[-1][1] == sequence - 1:
            self.ranges[-1] = (self.ranges[-1][0], sequence)
        else:
            self.ranges.append((sequence, sequence))

    def __contains__(self, sequence: object) -> bool:
        if not isinstance(sequence, int):
            return False
        at = bisect_right(self.ranges, (sequence, inf))
        return at > 0 and self.ranges[at - 1][1] >= sequence

    def __len__(self) -> int:
        return self._size

    def batches(self, most: int) -> Iterator[tuple[int, int]]:
        """Iterate over ranges of at most so many, the highest first."""
        for first, last in reversed(self.ranges):
            for top in range(last, first - 1, -most):
                yield max(first, top - most + 1), top


@dataclass(slots=True)
class RetentionPlan:
    """What of one workflow goes, and why the rest stays.

    Attributes:
        checkpoints: how many go.
        size: how many bytes those hold, about.
        kept: how many stay, by the first reason that holds.
        going: their sequences.
        cuts: the sequences that stay although their parent goes: each must be made to stand for
            itself first.
        boundary: number and sequence of the oldest checkpoint that is kept for its age, or as one
            of the newest: events and attempts from before go as well.
        head: the newest sequence there is.
    """

    workflow_id: str
    checkpoints: int = 0
    size: int = 0
    kept: dict[Reason, int] = field(default_factory=dict)
    going: Sequences = field(default_factory=Sequences)
    cuts: list[int] = field(default_factory=list)
    boundary: tuple[int, int] | None = None
    head: int = 0


def plan_retention(
    workflow_id: str, checkpoints: Iterable[AgedCheckpoint], total: int, rule: Rule
) -> RetentionPlan:
    """Return what goes of a workflow.

    Never what is in flight, waiting, or failed and recoverable; nor the newest; nor the opening
    that the workflow stands on.

    Args:
        checkpoints: all of them, the oldest first.
        total: how many those are.
    """
    plan = RetentionPlan(workflow_id)
    for position, checkpoint in enumerate(checkpoints, start=1):
        plan.head = checkpoint.sequence
        reason = _reason_to_stay(checkpoint, total - position, rule)
        if reason is None:
            plan.going.add(checkpoint.sequence)
            plan.checkpoints += 1
            plan.size += checkpoint.size
            continue
        plan.kept[reason] = plan.kept.get(reason, 0) + 1
        if checkpoint.parent in plan.going:
            plan.cuts.append(checkpoint.sequence)
        if plan.boundary is None and reason in (Reason.RECENT, Reason.NEWEST):
            plan.boundary = (checkpoint.number, checkpoint.sequence)
    return plan


def _reason_to_stay(checkpoint: AgedCheckpoint, newer: int, rule: Rule) -> Reason | None:
    if not rule.lets_go(checkpoint, newer):
        return Reason.RECENT
    if newer <= 0:
        return Reason.NEWEST
    if checkpoint.unfinished is not None:
        return _UNFINISHED.get(checkpoint.unfinished, Reason.IN_FLIGHT)
    return Reason.OPENING if checkpoint.opens_workflow else None


_UNFINISHED = {
    CheckpointStatus.WAITING: Reason.WAITING,
    CheckpointStatus.FAILED: Reason.FAILED,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one purge is to keep: it replaces the policy, and what is set must agree.

    Attributes:
        before: what was created before may go.
        keep: so many of the newest of each workflow stay.
        max_age: what is older may go.
        max_bytes: the newest that hold so many bytes stay, those of all workflows together.

    Raises:
        InvalidRequest: a limit cannot be one.
    """

    before: datetime | None = None
    keep: int | None = None
    max_age: timedelta | None = None
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.before is not None and not isinstance(self.before, datetime):
            raise InvalidRequest(
                f"before is {shorten(self.before)}; give a datetime with a time zone, for example "
                "datetime(2026, 1, 31, tzinfo=UTC)"
            )
        if self.before is not None and self.before.tzinfo is None:
            raise InvalidRequest(
                f"before is {self.before.isoformat()}, without a time zone; give an aware time, "
                "for example with tzinfo=UTC"
            )
        if self.max_age is not None and not isinstance(self.max_age, timedelta):
            raise InvalidRequest(
                f"max_age is {shorten(self.max_age)}; give a timedelta, for example "
                "timedelta(days=90)"
            )
        if self.max_age is not None and self.max_age < timedelta():
            raise InvalidRequest(f"max_age is {self.max_age}; give no time or more")
        for name in ("keep", "max_bytes"):
            _require_count(name, getattr(self, name))

    @property
    def are_none(self) -> bool:
        """Whether none is given, so that the policy holds."""
        return self == Limits()

    def rule(self, now: datetime, below: int | None) -> Rule:
        """Return what these say at a moment.

        Args:
            below: the number from which on the newest hold ``max_bytes``.
        """
        times = [] if self.before is None else [self.before]
        if self.max_age is not None:
            times.append(time_before(now, self.max_age.total_seconds()))
        return Rule(min(times, default=None), self.keep, below)


def time_before(now: datetime, seconds: float) -> datetime:
    """Return the time so many seconds ago; before everything where there is no such time."""
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        return _BEFORE_EVERYTHING


def require_retention(days: float | None, count: int | None) -> None:
    """Raise `InvalidRequest` unless that is a number of days, and one of checkpoints, or none."""
    if days is not None and (type(days) not in (int, float) or not days >= 0):
        raise InvalidRequest(f"retention_days is {shorten(days)}; give 0 or more days")
    _require_count("retention_count", count)


def _require_count(name: str, count: int | None) -> None:
    if count is not None and (type(count) is not int or not 0 <= count < 1 << 63):
        raise InvalidRequest(f"{name} is {shorten(count)}; give 0 or more")
