"""What a recovery came to."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.attempt import Outcome
from ...domain.checkpoint import Checkpoint
from ...domain.checkpoint_id import CheckpointId
from ...domain.error_record import ErrorRecord
from ...domain.json_value import JsonValue
from ...domain.scope import Scope


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    """What a recovery came to.

    Attributes:
        success: whether the handler returned.
        outcome: how the attempt ended: one that waits, or was cancelled, has not failed.
        checkpoint: the closing or failing checkpoint.
        output: what the handler returned, in its recorded form.
        error: what it raised, where it did.
        attempt: the number of the attempt.
        abandoned: the scopes that it left open, or was asked to stop in; they are killed.
        fell_back_from: the damaged head, where recovery stands on an ancestor of it.
        reasons: notes on what was passed over.
        duration_s: of the whole recovery, in seconds.

    >>> import holdfast
    >>> app = holdfast.Registry()
    >>> rebuild = app.handler("rebuild")(lambda run: run.state["rows"])
    >>> with holdfast.open("memory:", registry=app) as engine:
    ...     saved = engine.checkpoint("nightly", state={"rows": 3}, resume_handler="rebuild")
    ...     result = engine.recover("nightly")
    >>> result.success, result.output, str(result.outcome)
    (True, 3, 'completed')
    """

    success: bool
    outcome: Outcome
    checkpoint: Checkpoint | None
    workflow_id: str
    output: JsonValue
    error: ErrorRecord | None
    attempt: int
    abandoned: tuple[Scope, ...]
    fell_back_from: CheckpointId | None
    reasons: tuple[str, ...]
    duration_s: float
