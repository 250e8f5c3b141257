"""Checks of what callers hand in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import inf
from typing import TypeVar

from ..domain.errors import InvalidRequest, StateTooLarge
from ..domain.json_value import JsonValue
from ..domain.ports import Codec
from ..domain.retention import Retention
from ..domain.wording import known_names, shorten

E = TypeVar("E", bound=StrEnum)

MAX_METADATA_BYTES = 16 << 10
_MAX_INTEGER = 2**63 - 1
_LONGEST_PATIENCE = 1_000_000_000  # 31 years; locks can be waited for ten times as long


def chosen(kind: type[E], what: str, value: str) -> E:
    """Return the member of an enumeration that *value* names; raises `InvalidRequest`."""
    try:
        return kind(value)
    except ValueError:
        known = known_names(str(value), [str(each) for each in kind])
        raise InvalidRequest(
            f"{what} {shorten(value)} is not one of those that there are ({known})"
        ) from None


def require_seconds(what: str, seconds: float | None) -> None:
    """Raise `InvalidRequest` unless that is a finite duration above 0, or not given."""
    if seconds is not None and not 0 < seconds < inf:
        raise InvalidRequest(f"{what} is {seconds}; give a finite number of seconds above 0")


def require_function(what: str, function: object) -> None:
    """Raise `InvalidRequest` unless that can be called."""
    if not callable(function):
        raise InvalidRequest(
            f"{what} is {shorten(function)}; give a function, not called, and after it what it is "
            "to be called with"
        )


def retention_of(given: Retention | None) -> Retention:
    """Return what a store keeps, the defaults where nothing was said; raises `InvalidRequest`."""
    if given is not None and not isinstance(given, Retention):
        raise InvalidRequest(
            f"retention is {shorten(given)}; give a holdfast.Retention, for example "
            "holdfast.Retention(days=90, count=100)"
        )
    return given or Retention()


def require_patience(seconds: float) -> None:
    """Raise `InvalidRequest` unless a call can wait so long; 0 is not at all."""
    if not 0 <= seconds <= _LONGEST_PATIENCE:
        raise InvalidRequest(
            f"timeout is {seconds}; give a number of seconds from 0 to {_LONGEST_PATIENCE:,}"
        )


def require_count(what: str, count: int | None) -> None:
    """Raise `InvalidRequest` unless that is a count of things, or not given."""
    if count is not None and (type(count) is not int or not 0 <= count <= _MAX_INTEGER):
        raise InvalidRequest(f"{what} is {shorten(count)}; give 0 or more")


def metadata_of(metadata: Mapping[str, JsonValue] | None, codec: Codec) -> dict[str, JsonValue]:
    """Return metadata as it is stored: an object of at most 16 KiB as JSON."""
    if not metadata:
        return {}
    given = dict(metadata)
    text = codec.encode(given, "metadata")
    if len(text) > MAX_METADATA_BYTES:
        raise StateTooLarge("metadata", len(text), MAX_METADATA_BYTES, can_be_raised=False)
    if text[:1] == b" ":  # the codec's sign of integers beyond 64 bits
        raise InvalidRequest("metadata holds an integer of more than 64 bits; give it as text")
    stored: dict[str, JsonValue] = codec.decode(text)
    return stored
