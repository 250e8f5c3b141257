"""How a JSON document becomes the bytes of a file, and how those are checked.

Keys sorted, indented, with the digest of all the rest inside. The digest is of the values, not of
the bytes: a file that a version control system gave other line ends is still good. Large documents
are compressed with gzip, without a time stamp, so that equal content is equal bytes.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeAlias

import orjson

from ...domain.errors import CheckpointCorrupted, SchemaTooNew
from .shapes import SHAPES, misshapen

Document: TypeAlias = dict[str, Any]

SCHEMA = 1
COMPRESSED = ".gz"

# How a document of an older schema becomes one of the next; the first release has none.
UPGRADES: dict[int, Callable[[Document], Document]] = {}

_WORTH_COMPRESSING = 100_000
_LEVEL = 6
_GZIP = b"\x1f\x8b"
# orjson reads an integer over 64 bits as a float. Texts with such integers begin with a space,
# which JSON allows and orjson never writes (as `json_codec` does).
_LONG_INTEGERS = b" "
_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def encode(kind: str, content: Document) -> bytes:
    """Return the text of the file that holds *content*, a document of that kind."""
    whole = {**content, "format": kind, "schema": SCHEMA}
    whole["digest"] = digest(whole)
    try:
        return orjson.dumps(whole, option=_PRETTY)
    except TypeError:
        text = json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True)
        return _LONG_INTEGERS + text.encode() + b"\n"


def decode(stored: bytes, kind: str, subject: object) -> Document:
    """Return what `encode` made a file of, brought up to date.

    Raises:
        CheckpointCorrupted: it is not what was written; *subject* is what it is about.
        SchemaTooNew: a newer version wrote it.
    """
    found = _parse(stored, subject)
    schema = found.get("schema")
    wanted = found.pop("digest", None)
    # First of all, and so in every schema: a damaged number is not to look like a newer schema.
    if digest(found) != wanted:
        raise CheckpointCorrupted(subject, "its digest does not match")
    if type(schema) is int and schema > SCHEMA:
        raise SchemaTooNew(str(subject), schema, SCHEMA)
    if found.get("format") != kind:
        raise CheckpointCorrupted(subject, f"its file holds {found.get('format')!r}, not {kind!r}")
    while type(schema) is int and schema < SCHEMA:
        if schema not in UPGRADES:
            raise CheckpointCorrupted(subject, f"there never was a schema {schema}")
        found = UPGRADES[schema](found)
        schema += 1
    wrong = misshapen(found, SHAPES.get(kind, {}))
    if wrong is not None or type(schema) is not int:
        what = wrong or "schema"
        raise CheckpointCorrupted(subject, f"{what} in its file is not what can have been written")
    return found


def compress(text: bytes) -> bytes | None:
    """Return a large text as gzip; ``None`` for one that is not large."""
    if len(text) <= _WORTH_COMPRESSING:
        return None
    return gzip.compress(text, _LEVEL, mtime=0)


def digest(value: Any) -> str:
    """Return the digest of a JSON value, whatever the order of its keys."""
    return sha256(compact(value)).hexdigest()[:32]


def compact(value: Any) -> bytes:
    """Return the one shortest text of a JSON value, keys sorted."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return text.encode()


def text_of(value: Any) -> bytes:
    """Return a JSON value as a text that `JsonCodec` reads."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _LONG_INTEGERS + compact(value)


def value_of(text: bytes) -> Any:
    """Return the value of a JSON text; raises `ValueError`."""
    return json.loads(text) if text[:1] == _LONG_INTEGERS else orjson.loads(text)


def _parse(stored: bytes, subject: object) -> Document:
    try:
        if stored[:2] == _GZIP:
            stored = gzip.decompress(stored)
        found = value_of(stored)
    except (ValueError, RecursionError, OSError, EOFError, zlib.error) as error:
        raise CheckpointCorrupted(subject, f"its file cannot be read ({error})") from error
    if type(found) is not dict:
        raise CheckpointCorrupted(subject, "its file holds no JSON object")
    return found
