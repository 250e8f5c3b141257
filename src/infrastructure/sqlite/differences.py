"""Differences between texts as they are stored."""

from __future__ import annotations

import orjson

from ..text_difference import Edit, apply, difference, makes

# A difference that is not clearly smaller is not worth what it costs to read.
_LARGEST_SHARE = 0.5


def encode_difference(old: bytes | bytearray, new: bytes) -> bytes | None:
    """Return what makes *new* of *old*; ``None`` when it would not be much smaller than *new*.

    One line of JSON (the size of *new*, then start, end and length of each replacement), and the
    replacements. It was held against *new*: `apply_difference` gives that back, byte by byte.
    """
    most = int(len(new) * _LARGEST_SHARE)
    edits = difference(old, new, most=most)
    if edits is None:
        return None
    numbers = [len(new)]
    for start, end, text in edits:
        numbers += (start, end, len(text))
    stored = b"".join([orjson.dumps(numbers), b"\n", *(text for _, _, text in edits)])
    if len(stored) > most or not makes(old, edits, new):
        return None
    return stored


def apply_difference(old: bytes | bytearray, stored: bytes) -> bytearray:
    """Return the text that a stored difference makes of *old*; a bytearray is edited in place.

    Raises:
        ValueError: it is not a difference, or not one from *old*.
    """
    line, separator, texts = stored.partition(b"\n")
    size, *numbers = orjson.loads(line)
    edits, at = [], 0
    for start, end, length in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        edits.append(Edit(start, end, texts[at : at + length]))
        at += length
    new = apply(old, edits)
    if not separator or at != len(texts) or len(new) != size:
        raise ValueError("the difference does not fit what it is applied to")
    return new
