"""The memory of what was purged, and what a workflow says of its own retention: one source file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, NotFound, Purged
from ...domain.gone import Gone, joined
from ...domain.retention import OwnRetention
from ...domain.scope import Scope
from . import layout
from .documents import Document
from .view import View

KIND = "retention"

# Of one workflow; beyond, of the older half those that follow each other are made one, with the
# later date.
_MOST_RANGES = 128


@dataclass(slots=True)
class PurgeMemory:
    """What is remembered of a workflow, whatever becomes of its checkpoints.

    Attributes:
        gone: what went, in the order of sequences.
        policy: what it says of its own retention.
    """

    workflow_id: str
    gone: list[Gone] = field(default_factory=list)
    policy: OwnRetention = field(default_factory=OwnRetention)

    @property
    def floor(self) -> int:
        """The highest sequence that went; 0 when none did."""
        return max((each.last for each in self.gone), default=0)

    def at(self, sequence: int | None = None) -> datetime | None:
        """Return when a checkpoint went, or the last time that one of the workflow did."""
        if sequence is None:
            return max((each.at for each in self.gone), default=None)
        return min(
            (each.at for each in self.gone if each.first <= sequence <= each.last), default=None
        )

    def remember(self, gone: Gone) -> None:
        """Remember that a range went; what went at the same time beside it becomes one with it."""
        self.gone = joined([*self.gone, gone])
        if len(self.gone) > _MOST_RANGES:
            older = len(self.gone) // 2
            self.gone = [*joined(self.gone[:older], lambda *_: True), *self.gone[older:]]

    def save(self, view: View) -> None:
        """Keep it."""
        view.write(layout.retention(self.workflow_id), KIND, _to_document(self))


def memory_of(view: View, workflow_id: str) -> PurgeMemory:
    """Return what is remembered of a workflow; raises `CheckpointCorrupted`."""
    subject = f"what {Scope(workflow_id)} remembers of purges"
    found = view.read(layout.retention(workflow_id), KIND, subject)
    if found is None:
        return PurgeMemory(workflow_id)
    try:
        memory = _of_document(found)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointCorrupted(subject, f"it cannot have been written so ({error})") from error
    if memory.workflow_id != workflow_id:
        raise CheckpointCorrupted(subject, f"its file holds that of {Scope(memory.workflow_id)}")
    return memory


def missing(view: View, what: str, wanted: CheckpointId) -> NotFound | None:
    """Return the error for a checkpoint that went with a purge; ``None`` for another one."""
    if not view.exists(layout.retention(wanted.workflow_id)):
        return None
    at = memory_of(view, wanted.workflow_id).at(wanted.sequence)
    return Purged(what, at) if at is not None else None


def _to_document(memory: PurgeMemory) -> Document:
    days = memory.policy.days
    return {
        "workflow_id": memory.workflow_id,
        "purged": [[each.first, each.last, each.at.isoformat()] for each in memory.gone],
        # As text, for it may be infinite, which JSON does not know.
        "days": repr(float(days)) if days is not None else None,
        "count": memory.policy.count,
    }


def _of_document(found: Document) -> PurgeMemory:
    gone = [Gone(first, last, datetime.fromisoformat(at)) for first, last, at in found["purged"]]
    days = float(found["days"]) if found["days"] is not None else None
    return PurgeMemory(found["workflow_id"], gone, OwnRetention(days, found["count"]))
