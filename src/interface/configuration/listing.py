"""Every value that is in force, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from .values import Configuration

_NOT_VALUES = ("file", "origins", "handlers")


@dataclass(frozen=True, slots=True)
class Configured:
    """A value that is in force; durations in seconds.

    Attributes:
        origin: the file and the line, the variable or the option; ``default``.
    """

    key: str
    value: Any
    origin: str

    @property
    def is_default(self) -> bool:
        """Whether nobody said it."""
        return self.origin == "default"


def listed(config: Configuration) -> tuple[Configured, ...]:
    """Return every value that is in force, handlers last."""
    found = [*_values(config, ())]
    for name, handler in config.handlers.items():
        found += _values(handler, ("handlers", name))
    return tuple(Configured(key, value, str(config.origin(key))) for key, value in found)


def _values(of: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for each in fields(of):
        value = getattr(of, each.name)
        if isinstance(of, Configuration) and each.name in _NOT_VALUES:
            continue
        if is_dataclass(value):
            yield from _values(value, (*path, each.name))
        else:
            plain = list(value) if isinstance(value, tuple) else value
            yield ".".join((*path, each.name)), plain
