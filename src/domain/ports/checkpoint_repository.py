"""Where checkpoints are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..checkpoint import Checkpoint
from ..checkpoint_id import CheckpointId
from ..checkpoint_status import CheckpointStatus
from ..checkpoint_type import CheckpointType
from ..json_value import JsonValue, canonical
from ..payload import Payload
from ..replay import Replay
from ..scope import Scope
from ..workflow_summary import WorkflowStanding, WorkflowSummary
from .on_damage import OnDamage


@dataclass(frozen=True, slots=True)
class CheckpointFilter:
    """Which checkpoints to list; what is ``None`` does not restrict.

    Attributes:
        metadata: keys and values that a checkpoint's metadata must have.
        older_than: only what was written before this checkpoint of the same store.
    """

    workflow_id: str | None = None
    status: CheckpointStatus | None = None
    type: CheckpointType | None = None
    metadata: Mapping[str, JsonValue] | None = None
    older_than: CheckpointId | None = None

    def matches(self, checkpoint: Checkpoint) -> bool:
        """Whether *checkpoint* is among those wanted, its age aside."""
        metadata = self.metadata or {}
        return (
            self.workflow_id in (None, checkpoint.id.workflow_id)
            and self.status in (None, checkpoint.status)
            and self.type in (None, checkpoint.type)
            and all(key in checkpoint.metadata for key in metadata)
            and all(
                canonical(checkpoint.metadata[key]) == canonical(value)
                for key, value in metadata.items()
            )
        )


class CheckpointRepository(Protocol):
    """Keeps checkpoints; part of a unit of work.

    Whatever is read is checked: a row that is not what was written raises `CheckpointCorrupted`.
    Where `NotFound` is raised for a checkpoint that went with a purge, it is a `Purged` that says
    when.
    """

    def add(self, checkpoint: Checkpoint, payload: Payload) -> None:
        """Keep a new checkpoint with *payload*; its parent must be there."""

    def update(self, checkpoint: Checkpoint) -> None:
        """Keep the present status, retries, error and times of one that is there."""

    def forget_opening(self, workflow_id: str) -> None:
        """Note that the workflow's opening is not in its chain any more: it is a record again."""

    def get(self, checkpoint_id: CheckpointId) -> Checkpoint:
        """Return a checkpoint; raises `NotFound`."""

    def payload(self, checkpoint_id: CheckpointId) -> Payload:
        """Return what the checkpoint itself stores, as JSON text; raises `NotFound`."""

    def standing(self, workflow_id: str) -> WorkflowStanding | None:
        """Return where the workflow stands; ``None`` when it has no checkpoint."""

    def unfinished(self, workflow_id: str) -> list[Checkpoint]:
        """Return the opening checkpoints whose scopes are not done, in the order of opening."""

    def scope_last(self, scope: Scope, head: CheckpointId) -> Checkpoint | None:
        """Return the newest checkpoint that opened or closed *scope*, in the chain of *head*."""

    def replay(self, checkpoint_id: CheckpointId) -> Replay:
        """Return what the chain adds up to at a checkpoint; the caller may go on with it.

        Raises:
            NotFound: no such checkpoint.
            ChainBroken: an ancestor that is needed is missing. One that was consolidated needs
                none, nor does what comes after it.
            CheckpointCorrupted: one that is needed is damaged.
        """

    def newest_intact(self, checkpoint_id: CheckpointId) -> CheckpointId | None:
        """Return the newest of a checkpoint and its ancestors that `replay` can rebuild."""

    def chain(self, checkpoint_id: CheckpointId) -> tuple[CheckpointId, ...]:
        """Return the ids from a checkpoint back to its oldest ancestor that is kept."""

    def progressed_since(self, workflow_id: str, sequence: int) -> bool:
        """Whether something after *sequence* was achieved that never was before it."""

    def find(
        self, wanted: CheckpointFilter, *, on_damage: OnDamage | None = None
    ) -> Iterator[Checkpoint]:
        """Iterate over the checkpoints that match, the newest first, in flat memory."""

    def summaries(
        self, *, status: CheckpointStatus | None = None, on_damage: OnDamage | None = None
    ) -> Iterator[WorkflowSummary]:
        """Iterate over all workflows, the one written to last first, in flat memory."""

    def unfinished_workflows(self, *, on_damage: OnDamage | None = None) -> Iterator[Checkpoint]:
        """Iterate over the openings of workflows that have not reached their end.

        Reads an index over those alone, whatever else the store holds.
        """

    def workflow_ids(self, limit: int) -> list[str]:
        """Return the ids of at most *limit* workflows."""
