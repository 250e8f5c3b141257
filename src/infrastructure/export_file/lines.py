"""The lines of an export: what they look like, and how they are checked; docs/export-format.md.

A line is ``{"check":"CRC-32","data":{…},"kind":"…"}``. The checks find the line that was changed,
the digest in the last line finds one that is missing or stands elsewhere.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO, NamedTuple, NoReturn
from zlib import crc32

from ...domain.errors import ExportDamaged, SchemaTooNew
from ...domain.json_value import JsonObject, canonical

FORMAT = "holdfast export"
VERSION = 1

# A checkpoint holds a state, an input and an output, each of 10 MiB unless set otherwise.
_LONGEST_LINE = 1 << 30
_CHECK = b'{"check":"%08x",'
_CHECK_SIZE = len(_CHECK % 0)
_HEADER = {"format": FORMAT, "version": VERSION}


class LineWriter:
    """Writes an export to a stream; `finish` makes it whole."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._tally = _Tally()
        self._put("header", _HEADER)

    def put(self, kind: str, data: JsonObject) -> None:
        """Write one document."""
        self._put(kind, data)
        self._tally.counts[kind] += 1

    def finish(self) -> str:
        """Write the last line; return the digest of those before."""
        self._put("end", self._tally.as_data())
        return self._tally.digest

    def _put(self, kind: str, data: JsonObject) -> None:
        rest = f'"data":{canonical(data)},"kind":"{kind}"}}\n'.encode("ascii")
        line = _CHECK % crc32(rest) + rest
        self._stream.write(line)
        if kind != "end":
            self._tally.digested.update(line)


class Line(NamedTuple):
    """A document as it was read: what it is, its number, and its size in bytes."""

    kind: str
    data: JsonObject
    number: int
    size: int


class LineReader:
    """Reads an export from a stream of lines, and checks each.

    Attributes:
        line: the number of the line that was read last.
        digest: of what was read, once all of it was.
    """

    def __init__(self, stream: BinaryIO, source: str) -> None:
        self._stream = stream
        self._source = source
        self._tally = _Tally()
        self.line = 0
        self.digest = ""

    def documents(self) -> Iterator[Line]:
        """Iterate over the documents; what was read is whole when this ends.

        Raises:
            ExportDamaged: it was cut short or edited, or is no export.
            SchemaTooNew: it is of a later version of the format.
        """
        self._read_header()
        while True:
            kind, data, line = self._next()
            if kind == "end":
                break
            self._tally.digested.update(line)
            self._tally.counts[kind] += 1
            yield Line(kind, data, self.line, len(line))
        if data != self._tally.as_data():
            self._refuse("lines before it are missing, or stand elsewhere than where they did")
        self.digest = self._tally.digest
        if self._stream.read(1):
            self.line += 1
            self._refuse("something comes after the last line")

    def _read_header(self) -> None:
        kind, data, line = self._next()
        if kind != "header" or data.get("format") != FORMAT:
            self._refuse("it does not begin like an export")
        if type(data.get("version")) is not int:
            self._refuse("its header has no version")
        if data["version"] > VERSION:
            raise SchemaTooNew(self._source, data["version"], VERSION)
        self._tally.digested.update(line)

    def _next(self) -> tuple[str, JsonObject, bytes]:
        line = self._stream.readline(_LONGEST_LINE)
        self.line += 1
        if not line:
            self._refuse("it ends here, without its last line")
        if not line.endswith(b"\n"):
            self._refuse("the line is cut short" if len(line) < _LONGEST_LINE else "it is too long")
        rest = line[_CHECK_SIZE:]
        if line[:_CHECK_SIZE] != _CHECK % crc32(rest):
            self._refuse(self._why(line))
        try:
            found = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            self._refuse(f"the line is not JSON ({error})")
        kind, data = found.get("kind"), found.get("data")
        if type(kind) is not str or type(data) is not dict or len(found) != 3:
            self._refuse("the line is not a check, a kind and data")
        return kind, data, line

    def _why(self, line: bytes) -> str:
        if line.startswith(b'{"check":"'):
            return "its check does not match: the line was changed"
        return "it is no line of an export" + (", or was changed" if self.line > 1 else "")

    def _refuse(self, reason: str) -> NoReturn:
        raise ExportDamaged(self._source, self.line, reason)


class _Tally:
    """What the last line says of those before it."""

    def __init__(self) -> None:
        self.digested = sha256()
        self.counts: Counter[str] = Counter()

    @property
    def digest(self) -> str:
        return self.digested.hexdigest()

    def as_data(self) -> JsonObject:
        return {"documents": dict(self.counts), "sha256": self.digest}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
