"""Where a configured value came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OriginKind = Literal["default", "file", "environment", "option"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from.

    Attributes:
        place: the file and the line, the variable, or the option; empty for a default.

    >>> str(Origin("file", "holdfast.toml:3")), str(Origin())
    ('holdfast.toml:3', 'default')
    """

    kind: OriginKind = "default"
    place: str = ""

    def __str__(self) -> str:
        return self.place or self.kind
