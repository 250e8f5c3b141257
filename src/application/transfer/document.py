"""One piece of a store on its way to another: what kind it is of, and its values as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ...domain.json_value import JsonObject


class Kind(StrEnum):
    """What a document is about, in the order in which documents come.

    Checkpoints and events come together, in the order of their numbers.
    """

    CHECKPOINT = "checkpoint"
    EVENT = "event"
    WORKFLOW = "workflow"
    LEASE = "lease"
    ATTEMPT = "attempt"


class Document(NamedTuple):
    """One piece of a store.

    Attributes:
        size: how many bytes it holds, about.
        line: of the file that it was read from; 0 where it was not.
    """

    kind: Kind
    data: JsonObject
    size: int = 0
    line: int = 0


class MisfitDocument(ValueError):
    """A document that cannot be part of a store; says why."""
