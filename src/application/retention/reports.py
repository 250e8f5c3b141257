"""What purging, consolidating and deleting came to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...domain.checkpoint_id import CheckpointId


@dataclass(frozen=True, slots=True)
class Tally:
    """What went, as counts; ``bytes`` is about what its going frees."""

    checkpoints: int = 0
    bytes: int = 0
    events: int = 0
    attempts: int = 0
    consolidated: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.checkpoints + other.checkpoints,
            self.bytes + other.bytes,
            self.events + other.events,
            self.attempts + other.attempts,
            self.consolidated + other.consolidated,
        )


@dataclass(slots=True)
class PurgedWorkflow:
    """What went of one workflow, or would go, and why the rest stays.

    Attributes:
        checkpoints: how many went, or would go.
        bytes: what those held, about: with their columns and their entries in indexes.
        events: how many events went with them; a dry run does not count them.
        attempts: how many attempts went with them; a dry run does not count them.
        consolidated: how many were made to stand for themselves, because their parent goes.
        kept: how many stay, by reason: ``recent`` (by its age, or as one of the newest), ``newest``
            (of its workflow), ``opening`` (the workflow stands on it), ``in_flight``, ``waiting``,
            ``failed`` (and recoverable), ``damaged`` (so that nothing of the workflow goes).
        damage: what is damaged, where that is the reason.
    """

    workflow_id: str
    checkpoints: int = 0
    bytes: int = 0
    events: int = 0
    attempts: int = 0
    consolidated: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    damage: str | None = None

    def add(self, tally: Tally) -> None:
        """Count what a slice did."""
        self.checkpoints += tally.checkpoints
        self.bytes += tally.bytes
        self.events += tally.events
        self.attempts += tally.attempts
        self.consolidated += tally.consolidated


@dataclass(slots=True)
class PurgeReport:
    """What a purge did, or, as a dry run, would do.

    Attributes:
        workflows: one entry for each of which something went, or that is damaged; a dry run has one
            for each that it looked at.
        looked_at: how many workflows that were.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     for _ in range(5):
    ...         saved = engine.checkpoint("nightly", state={})
    ...     report = engine.purge(workflow="nightly", keep=2)
    >>> [(each.workflow_id, each.checkpoints) for each in report.workflows]
    [('nightly', 3)]
    """

    dry_run: bool = False
    looked_at: int = 0
    workflows: list[PurgedWorkflow] = field(default_factory=list)

    @property
    def checkpoints(self) -> int:
        """How many checkpoints went, or would go."""
        return self._sum("checkpoints")

    @property
    def bytes(self) -> int:
        """What those held, about."""
        return self._sum("bytes")

    @property
    def events(self) -> int:
        """How many events went with them."""
        return self._sum("events")

    @property
    def attempts(self) -> int:
        """How many attempts went with them."""
        return self._sum("attempts")

    @property
    def consolidated(self) -> int:
        """How many checkpoints were made to stand for themselves."""
        return self._sum("consolidated")

    @property
    def damaged(self) -> Iterator[PurgedWorkflow]:
        """The workflows of which nothing went because something of them is damaged."""
        return (each for each in self.workflows if each.damage is not None)

    def _sum(self, name: str) -> int:
        return sum(getattr(each, name) for each in self.workflows)


@dataclass(frozen=True, slots=True)
class PurgeProgress:
    """How far a purge has got.

    Attributes:
        workflow_id: the workflow that it is at; ``None`` while it gives space back.
        checkpoints: how many are gone.
        planned: how many are to go, of the workflows looked at so far.
    """

    workflow_id: str | None
    checkpoints: int
    planned: int


@dataclass(frozen=True, slots=True)
class ConsolidateReport:
    """What `consolidate` did.

    Attributes:
        checkpoint_id: the head, which stands for itself now.
        changed: whether it did not before.
    """

    checkpoint_id: CheckpointId
    changed: bool


@dataclass(frozen=True, slots=True)
class DeleteReport:
    """What `delete` took."""

    workflow_id: str
    checkpoints: int
    bytes: int
    events: int
    attempts: int
