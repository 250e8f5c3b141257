"""The facts that accepted changes, and refused ones, leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .checkpoint_id import CheckpointId
from .json_value import JsonValue


class EventKind(StrEnum):
    """What happened."""

    CREATED = "created"
    COMPLETED = "completed"
    FAILED = "failed"
    FOUND_STALE = "found_stale"
    ATTEMPT_BEGUN = "attempt_begun"
    RESUMED = "resumed"
    TIMED_OUT = "timed_out"
    WAITING = "waiting"
    ANSWERED = "answered"
    CANCEL_ASKED = "cancel_asked"
    KILLED = "killed"
    LEASE_TAKEN = "lease_taken"
    WRITE_REFUSED = "write_refused"
    FELL_BACK = "fell_back"
    PURGED = "purged"
    CONSOLIDATED = "consolidated"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """Something that happened to a workflow.

    Attributes:
        checkpoint_id: the checkpoint that it is about, where it is about one.
        epoch: the workflow's epoch at that moment; 0 before the first lease.
        correlation_id: that of the attempt it belongs to, where it belongs to one.
        detail: small JSON values that explain it; never states.
        number: store-wide, and only growing; 0 until it is recorded.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     saved = engine.checkpoint("nightly", name="loaded")
    ...     (event,) = engine.events()
    >>> event.number, event.kind.value, str(event.checkpoint_id)
    (1, 'created', 'nightly@1')
    """

    kind: EventKind
    workflow_id: str
    at: datetime
    checkpoint_id: CheckpointId | None = None
    epoch: int = 0
    correlation_id: str | None = None
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    number: int = 0
