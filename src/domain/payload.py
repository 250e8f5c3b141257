"""What a checkpoint stores besides its own fields, as JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NewType

from .json_value import canonical

JsonText = NewType("JsonText", bytes)
"""JSON as UTF-8, checked. Text, so that no later change by the caller shows in it, and so that
nothing has to be encoded while a write lock is held."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What a checkpoint stores besides its own fields.

    Attributes:
        state: replaces the state of its scope.
        patch: merges into the state of its scope (RFC 7396).
        input: what the scope was given.
        output: what the scope gave.
    """

    state: JsonText | None = None
    patch: JsonText | None = None
    input: JsonText | None = None
    output: JsonText | None = None

    @property
    def changes_state(self) -> bool:
        """Whether it says anything about the state of its scope."""
        return self.state is not None or self.patch is not None

    @property
    def size(self) -> int:
        """How many bytes its texts have."""
        return sum(len(text or b"") for text in (self.state, self.patch, self.input, self.output))


EMPTY = Payload()


def same_json(text: JsonText | None, other: JsonText | None) -> bool:
    """Whether two texts are of one JSON value: equal in value and type, whatever the key order.

    ``None``, no text, is the same as the text of ``null``.
    """
    return text == other or canonical(json.loads(text or b"null")) == canonical(
        json.loads(other or b"null")
    )
