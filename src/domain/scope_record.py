"""What a chain says about one scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .checkpoint_id import CheckpointId
from .json_value import JsonObject, JsonValue


@dataclass(slots=True)
class ScopeRecord:
    """What a chain says about one scope.

    Attributes:
        state: replaced, never changed in place, so that copies may share it.
        opening: the checkpoint that opened it last, kept after it was closed.
        is_open: opened, and neither closed since nor inside something that was.
        is_finished: closed, and not opened anew since.
        handler: the resume handler that its newest checkpoint names.
    """

    state: JsonObject = field(default_factory=dict)
    title: str | None = None
    kind: str | None = None
    handler: str | None = None
    input: JsonValue = None
    output: JsonValue = None
    opening: CheckpointId | None = None
    since: datetime | None = None
    until: datetime | None = None
    is_open: bool = False
    is_finished: bool = False
