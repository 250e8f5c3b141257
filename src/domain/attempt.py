"""One execution of a workflow under one lease, from taking it to its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .checkpoint_id import CheckpointId
from .error_record import ErrorRecord
from .lease import Owner


class Outcome(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    WAITING = "waiting"
    GIVEN_UP = "given_up"
    DIED = "died"
    FENCED = "fenced"
    CANCELLED = "cancelled"
    STORE_TROUBLE = "store_trouble"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a workflow under one lease.

    Attributes:
        number: 1 for the workflow's first.
        handler: what carried it on; ``None`` for an ``engine.run`` block without one.
        begun_after: the sequence of the workflow's head when it began.
        outcome: ``None`` as long as it has none; a process that dies leaves it so.
        output_tail: the end of what the handler's own process printed, where it had one.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     with engine.run("nightly"):
    ...         pass
    ...     (attempt,) = engine.attempts("nightly")
    >>> attempt.number, attempt.epoch, str(attempt.outcome)
    (1, 1, 'completed')
    """

    workflow_id: str
    number: int
    epoch: int
    handler: str | None
    owner: Owner
    correlation_id: str
    begun_at: datetime
    begun_after: int
    target: CheckpointId | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    error: ErrorRecord | None = None
    output_tail: str | None = None
