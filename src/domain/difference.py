"""What differs between two JSON values, by path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .json_value import JsonValue, canonical


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ.

    Attributes:
        path: keys and indexes, as ``state.messages[3].text``; a key with other than letters,
            digits and underscores stands in quotes, as ``state["a b"]``.
        old: the value before; of no meaning where it was ``added``, as ``new`` where ``removed``.

    >>> import holdfast
    >>> with holdfast.open("memory:") as engine:
    ...     for rows in (3, 4):
    ...         saved = engine.checkpoint("nightly", state={"rows": rows})
    ...     found = engine.diff("nightly@1", "nightly@2")
    >>> {(each.old, each.new) for each in found if each.path.endswith(".rows")}
    {(3, 4)}
    """

    path: str
    change: Literal["added", "removed", "changed"]
    old: JsonValue = None
    new: JsonValue = None


def differences(old: JsonValue, new: JsonValue, path: str) -> Iterator[Difference]:
    """Iterate over what differs, in the order of keys and places; type counts, key order not.

    >>> [str(each.path) for each in differences({"a": 1, "b": [1]}, {"a": 1.0, "b": []}, "state")]
    ['state.a', 'state.b[0]']
    """
    # Without recursion: a state may have 200 levels.
    waiting: list[tuple[JsonValue, JsonValue, str]] = [(old, new, path)]
    while waiting:
        one, other, at = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            inner = []
            for key in sorted({*one, *other}):
                place = _member(at, key)
                if key not in other:
                    yield Difference(place, "removed", old=one[key])
                elif key not in one:
                    yield Difference(place, "added", new=other[key])
                else:
                    inner.append((one[key], other[key], place))
            waiting.extend(reversed(inner))
        elif isinstance(one, list) and isinstance(other, list):
            shared = min(len(one), len(other))
            for index in range(shared, len(one)):
                yield Difference(f"{at}[{index}]", "removed", old=one[index])
            for index in range(shared, len(other)):
                yield Difference(f"{at}[{index}]", "added", new=other[index])
            pairs = zip(one[:shared], other[:shared], range(shared), strict=True)
            waiting.extend(reversed([(a, b, f"{at}[{index}]") for a, b, index in pairs]))
        elif canonical(one) != canonical(other):
            yield Difference(at, "changed", one, other)


def _member(path: str, key: str) -> str:
    if key.isidentifier():
        return f"{path}.{key}"
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'
