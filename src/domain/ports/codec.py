"""How values become JSON text and come back."""

from __future__ import annotations

from typing import Protocol

from ..json_value import JsonValue
from ..payload import JsonText


class Codec(Protocol):
    """Encodes exactly what JSON can hold; may be called from any thread."""

    def encode(self, value: JsonValue, what: str) -> JsonText:
        """Return the JSON text of *value*.

        Raises:
            StateNotSerializable: it is not JSON; names the path, which begins with *what*.
            StateTooLarge: the text has more bytes than the limit.
        """

    def decode(self, text: bytes) -> JsonValue:
        """Return the value that `encode` made *text* of, equal in value and type."""
