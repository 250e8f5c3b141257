"""Finds the one byte of a row that is wrong: with it put right, the row's digest fits again.

A digest cannot say which byte it is, but a row is small, and there are few to try. What is found is
proved: that another row has the same digest by chance is out of the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .rows import digest, seal_of

# So many tries at the most, of a few microseconds each.
_MOST_TRIES = 400_000


def put_right(values: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the columns of a sealed row with one byte changed so that its seal, the last, fits."""
    computed, stored = seal_of(values[:-1]), values[-1]
    if isinstance(stored, bytes) and _differ_in_one(computed, stored):
        return (*values[:-1], computed)  # the seal itself is what was damaged
    tries = 0
    for column, value in enumerate(values[:-1]):
        for other in _neighbours(value):
            tries += 1
            if tries > _MOST_TRIES:
                return None
            changed = (*values[:column], other, *values[column + 1 : -1])
            if seal_of(changed) == stored:
                return (*changed, stored)
    return None


def put_body_right(body: object, wanted: bytes) -> bytes | None:
    """Return a body with one byte changed so that it has the digest *wanted*."""
    if not isinstance(body, bytes) or len(body) * 255 > _MOST_TRIES:
        return None
    return next((each for each in _changed_bytes(body) if digest(each) == wanted), None)


def _neighbours(value: Any) -> Iterator[Any]:
    if isinstance(value, int):
        content = value.to_bytes(8, "big", signed=True)
        yield from _each(content, lambda changed: int.from_bytes(changed, "big", signed=True))
    elif isinstance(value, str):
        content = value.encode("utf-8", "surrogateescape")
        yield from _each(content, lambda changed: changed.decode())
    elif isinstance(value, bytes):
        yield from _changed_bytes(value)


def _each(content: bytes, made: Callable[[bytes], Any]) -> Iterator[Any]:
    for changed in _changed_bytes(content):
        try:
            yield made(changed)
        except ValueError:
            continue  # not text


def _changed_bytes(content: bytes) -> Iterator[bytes]:
    changed = bytearray(content)
    for place, byte in enumerate(content):
        for other in range(256):
            if other != byte:
                changed[place] = other
                yield bytes(changed)
        changed[place] = byte


def _differ_in_one(one: bytes, other: bytes) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1
