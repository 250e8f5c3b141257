"""JSON text by orjson, and by the standard library where integers are too long for it."""

from __future__ import annotations

import json

import orjson

from ..domain.errors import StateTooLarge
from ..domain.json_value import JsonValue, TooManyValues, check_json, is_json
from ..domain.payload import JsonText

DEFAULT_LIMIT = 10 << 20
_LARGEST_SHOWN = 3

# orjson reads an integer over 64 bits as a float. Texts with such integers begin with a space,
# which JSON allows, orjson never writes, and `decode` takes for a sign to read them otherwise.
_LONG_INTEGERS = b" "


class JsonCodec:
    """Encodes exactly what JSON can hold.

    Args:
        limit: bytes that a text may have.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit

    def encode(self, value: JsonValue, what: str) -> JsonText:
        """Return the JSON text of *value*."""
        self._check(value, what)
        try:
            text = orjson.dumps(value)
        except TypeError:
            check_json(value, what)
            text = text_of(value)
        if len(text) > self._limit:
            raise StateTooLarge(what, len(text), self._limit, _largest(value))
        return JsonText(text)

    def _check(self, value: JsonValue, what: str) -> None:
        try:
            # Each value takes a byte at least.
            if not is_json(value, most=self._limit):
                check_json(value, what)
        except TooManyValues as many:
            check_json(value, what)
            raise StateTooLarge(what, many.count, self._limit, at_least=True) from None

    def decode(self, text: bytes | bytearray) -> JsonValue:
        """Return the value that `encode` made *text* of."""
        if text[:1] == _LONG_INTEGERS:
            return json.loads(text)
        return orjson.loads(text)


def text_of(value: JsonValue) -> bytes:
    """Return the text of what is known to be JSON: it was decoded, or checked before."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _LONG_INTEGERS + _encode_slowly(value)


def _encode_slowly(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _largest(value: JsonValue) -> list[tuple[str, int]]:
    if type(value) is dict:
        members = list(value.items())
    elif type(value) is list:
        members = [(f"[{index}]", each) for index, each in enumerate(value)]
    else:
        return []
    sizes = [(key, len(_encode_slowly(each))) for key, each in members]
    return sorted(sizes, key=lambda entry: -entry[1])[:_LARGEST_SHOWN]
