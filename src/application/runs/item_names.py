"""How the agents of a map are named."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ...domain.errors import InvalidId
from ...domain.name_part import MAX_PART_BYTES
from ...domain.ports import Codec

# Hexadecimal digits of a digest: 64 bits, so that 10,000 items collide once in 10^11 maps.
_DIGITS = 16


def name_items(items: Sequence[Any], key: Callable[[Any], str] | None, codec: Codec) -> list[str]:
    """Return a name an item: ``key(item)``, else the item when it is a string, else its digest.

    Repeats get ``#2``, ``#3`` and so on, so the name does not depend on the items after it. A
    string that cannot be a part of an id (too long, empty) is named by its digest as well.
    """
    return list(_number_repeats(_name(item, key, codec) for item in items))


def _name(item: Any, key: Callable[[Any], str] | None, codec: Codec) -> str:
    if key is not None:
        name = key(item)
        if type(name) is not str:
            raise InvalidId("key(item)", name, f"it must be a string, not {type(name).__name__}")
        return name
    if type(item) is str and _fits(item):
        return item
    text = codec.encode(item, "item")
    return hashlib.blake2b(text, digest_size=_DIGITS // 2).hexdigest()


def _fits(item: str) -> bool:
    return 0 < len(item) <= MAX_PART_BYTES // 4 and item.isprintable()


def _number_repeats(names: Iterable[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    taken: set[str] = set()
    for name in names:
        seen[name] += 1
        numbered = name if seen[name] == 1 else f"{name}#{seen[name]}"
        # An item may itself be called like a numbered repeat of another.
        while numbered in taken:
            seen[name] += 1
            numbered = f"{name}#{seen[name]}"
        taken.add(numbered)
        yield numbered
