"""Reading the members of a document, none too many and each of its type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from math import inf
from typing import Any, TypeVar

from ...domain.checkpoint_id import CheckpointId
from ...domain.error_record import ErrorRecord
from ...domain.json_value import JsonObject, JsonValue, check_json
from ...domain.lease import Owner
from .document import MisfitDocument

E = TypeVar("E", bound=Enum)
T = TypeVar("T")

_LARGEST = 2**63 - 1

FOR_EVER = "for ever"


class Members:
    """The members of a JSON object, taken one by one; `finish` refuses what is left."""

    def __init__(self, value: object, what: str) -> None:
        if type(value) is not dict:
            raise MisfitDocument(f"{what} is not an object")
        self._left: JsonObject = dict(value)
        self._what = what

    def text(self, name: str) -> str:
        """Take a string."""
        value = self._take(name)
        if type(value) is not str:
            raise self._misfit(name, "not a string")
        check_json(value, name)  # the lone surrogates that JSON can write
        return value

    def integer(self, name: str, *, least: int = 0) -> int:
        """Take a whole number of at most 64 bits."""
        value = self._take(name)
        if type(value) is not int or not least <= value <= _LARGEST:
            raise self._misfit(name, f"not an integer from {least} on")
        return value

    def seconds(self, name: str) -> float:
        """Take a number of seconds."""
        value = self._take(name)
        if type(value) is not float:
            raise self._misfit(name, "not a number with a point")
        return value

    def days(self, name: str) -> float:
        """Take what `days_value` wrote."""
        if self._left.get(name) == FOR_EVER:
            del self._left[name]
            return inf
        return self.seconds(name)

    def flag(self, name: str) -> bool:
        """Take true or false."""
        value = self._take(name)
        if type(value) is not bool:
            raise self._misfit(name, "neither true nor false")
        return value

    def time(self, name: str) -> datetime:
        """Take a time."""
        text = self.text(name)
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or time_text(found) != text:
            raise self._misfit(name, "not a time like 2026-03-01T12:00:00.000000+00:00")
        return found.astimezone(UTC)

    def one_of(self, name: str, kinds: type[E]) -> E:
        """Take one of several words."""
        text = self.text(name)
        try:
            return kinds(text)
        except ValueError:
            raise self._misfit(name, "not a word that this version knows") from None

    def checkpoint(self, name: str) -> CheckpointId:
        """Take the text form of a checkpoint's id."""
        return CheckpointId.parse(self.text(name))

    def checkpoints(self, name: str) -> tuple[CheckpointId, ...]:
        """Take an array of the text forms of ids."""
        return tuple(CheckpointId.parse(each) for each in self.array(name))

    def array(self, name: str) -> list[Any]:
        """Take an array of anything."""
        value = self._take(name)
        if type(value) is not list:
            raise self._misfit(name, "not an array")
        return value

    def mapping(self, name: str) -> JsonObject:
        """Take an object whose members are anything."""
        value = self._take(name)
        if type(value) is not dict:
            raise self._misfit(name, "not an object")
        return value

    def error(self, name: str) -> ErrorRecord:
        """Take an error record."""
        inner = Members(self._take(name), f"its {name}")
        found = ErrorRecord(inner.text("type"), inner.text("message"), inner.text("traceback"))
        inner.finish()
        return found

    def owner(self, name: str) -> Owner:
        """Take the owner of a lease."""
        inner = Members(self._take(name), f"its {name}")
        found = Owner(
            host=inner.text("host"),
            boot_id=inner.optional("boot_id", inner.text),
            pid_namespace=inner.optional("pid_namespace", inner.text),
            pid=inner.integer("pid"),
            started=inner.optional("started", inner.integer),
        )
        inner.finish()
        return found

    def inside(self, name: str) -> Members:
        """Take an object, to be read member by member."""
        return Members(self._take(name), f"its {name}")

    def optional(self, name: str, take: Callable[[str], T]) -> T | None:
        """Take what *take* takes, or ``None`` where it is null."""
        if self._left.get(name, ...) is None:
            del self._left[name]
            return None
        return take(name)

    def given(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._left

    def anything(self, name: str) -> Any:
        """Take any value."""
        return self._take(name)

    def finish(self) -> None:
        """Refuse what was not taken."""
        if self._left:
            raise MisfitDocument(f"{self._what} has {', '.join(sorted(self._left))}, unknown here")

    def _take(self, name: str) -> Any:
        if name not in self._left:
            raise MisfitDocument(f"{self._what} has no {name}")
        return self._left.pop(name)

    def _misfit(self, name: str, problem: str) -> MisfitDocument:
        return MisfitDocument(f"{name} of {self._what} is {problem}")


def days_value(days: float | None) -> JsonValue:
    """Return a number of days as documents have it; JSON knows no infinite one."""
    if days is None:
        return None
    return FOR_EVER if days == inf else float(days)


def time_text(at: datetime) -> str:
    """Return a time as documents have it: always in UTC, always with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
