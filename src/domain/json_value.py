"""What JSON can hold, and what one JSON value becomes under a merge patch.

State is JSON and comes back equal in value and type. Fast encoders take some other values silently
(orjson turns NaN into null and takes tuples and datetimes), so the check is ours.
"""

from __future__ import annotations

import json
from itertools import chain
from math import isfinite
from typing import Any, TypeAlias

from .errors import StateNotSerializable
from .wording import shorten

# Recursive aliases of dict and list are invariant and reject most callers' honest types.
JsonValue: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]

MAX_DEPTH = 200
MAX_DIGITS = 4000

_PLAIN = frozenset([str, int, bool, type(None)])
_ATOMS = _PLAIN | {float}
_LEGAL = _ATOMS | {dict, list}
# Up to so many values a loop in Python is as fast.
_FEW = 2000
_TOO_LONG = 10**MAX_DIGITS


class TooManyValues(Exception):
    """A value has more values inside it than were allowed for; there may be a cycle."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"at least {count:,} values")


def is_json(value: object, *, most: int = 1 << 24) -> bool:
    """Whether *value* is JSON as far as types, depth and finite floats go.

    Strings and keys are not looked into: keys that are no strings, and lone surrogates, are left to
    the encoder. 10 to 40 ns a value.

    Raises:
        TooManyValues: there are more than *most*; what is shared counts as often as it is met.
    """
    if most >= _FEW:
        answer = _is_small_json(value)
        if answer is not None:
            return answer
    return _is_json_by_levels(value, most)


def _is_small_json(value: Any) -> bool | None:
    """Whether *value* is JSON; ``None`` where it is too large to tell at once.

    What has no more containers than levels are allowed needs no count of them.
    """
    found: list[Any] = [value]
    containers = 0
    for each in found:
        kind = type(each)
        if kind in _PLAIN:
            continue
        if kind is float:
            if not isfinite(each):
                return False
            continue
        if kind is dict:
            found += each.values()
        elif kind is list:
            found += each
        else:
            return False
        containers += 1
        if containers > MAX_DEPTH or len(found) > _FEW:
            return None
    return True


def _is_json_by_levels(value: object, most: int) -> bool:
    """Do the same level by level, so that nearly all of the work happens in C."""
    level: list[Any] = [value]
    count = 1
    for _ in range(MAX_DEPTH + 1):
        kinds = set(map(type, level))
        if not kinds <= _LEGAL:
            return False
        if float in kinds and not all(isfinite(each) for each in level if type(each) is float):
            return False
        dicts = [each for each in level if type(each) is dict] if dict in kinds else []
        lists = [each for each in level if type(each) is list] if list in kinds else []
        if not dicts and not lists:
            return True
        # Before the next level is built: a cycle that branches would not fit into memory.
        count += sum(map(len, lists)) + sum(map(len, dicts))
        if count > most:
            raise TooManyValues(count)
        level = list(chain.from_iterable(lists))
        level.extend(chain.from_iterable(map(dict.values, dicts)))
    return False


def check_json(value: object, path: str) -> None:
    """Raise `StateNotSerializable` naming the path to what is not JSON in *value*, if anything.

    >>> check_json({"messages": [{"when": {1, 2}}]}, "state")
    Traceback (most recent call last):
    holdfast.StateNotSerializable: state.messages[0].when: set is not JSON; \
convert it first
    """
    _check(value, path, 0, set(), {})


def merge_patch(target: JsonValue, patch: JsonValue) -> JsonValue:
    """Return *target* with *patch* merged into it; neither is changed.

    Objects merge, ``null`` removes, anything else replaces. Source: RFC 7396.

    >>> merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if type(patch) is not dict:
        return patch
    merged = dict(target) if type(target) is dict else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif type(value) is dict:
            merged[key] = merge_patch(merged.get(key), value)
        else:
            merged[key] = value
    return merged


def canonical(value: JsonValue) -> str:
    """Return the one text of *value*: equal texts mean equal in value and type.

    ``1``, ``1.0`` and ``True`` differ; the order of keys does not matter.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _check(value: object, path: str, depth: int, above: set[int], passed: dict[int, int]) -> None:
    kind = type(value)
    if kind is str:
        _check_text(value, path)
    elif kind is float:
        if not isfinite(value):  # type: ignore[arg-type]
            raise StateNotSerializable(path, f"{value} is not JSON; use None or a string")
    elif kind is int:
        if abs(value) >= _TOO_LONG:  # type: ignore[arg-type]
            raise StateNotSerializable(path, f"an integer may have at most {MAX_DIGITS:,} digits")
    elif kind is dict or kind is list:
        if id(value) in above:
            raise StateNotSerializable(path, "it contains itself; JSON cannot hold a cycle")
        # The value itself is level 0: 200 containers inside each other are legal.
        if depth >= MAX_DEPTH:
            raise StateNotSerializable(path, f"it is nested deeper than {MAX_DEPTH} levels")
        # What is shared is looked at once, again only where it stands deeper than before.
        if passed.get(id(value), -1) < depth:
            _check_container(value, path, depth, above, passed)
            passed[id(value)] = depth
    elif value is not None and kind is not bool:
        raise StateNotSerializable(path, f"{kind.__name__} is not JSON; convert it first")


def _check_container(
    value: Any, path: str, depth: int, above: set[int], passed: dict[int, int]
) -> None:
    above.add(id(value))
    if type(value) is list:
        for index, each in enumerate(value):
            _check(each, f"{path}[{index}]", depth + 1, above, passed)
    else:
        for key, each in value.items():
            if type(key) is not str:
                raise StateNotSerializable(
                    path, f"the key {shorten(key)} is {type(key).__name__}; JSON keys are strings"
                )
            _check_text(key, f"{path}, key {key!a}")
            _check(each, _member(path, key), depth + 1, above, passed)
    above.discard(id(value))


def _check_text(text: Any, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StateNotSerializable(
            path, "the string contains a lone surrogate; it is not valid Unicode"
        ) from None


def _member(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{key!a}]"
