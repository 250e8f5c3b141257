"""The index: which checkpoint or event has which number, so that a store is read in its order.

The newest thousand numbers are in a log that is appended to, a line each; when it is full it is
compacted into a file that does not change any more. All of it can be made anew from the files that
it speaks of; `IndexLost` says that it has to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from ...domain.checkpoint_id import CheckpointId
from ...domain.errors import CheckpointCorrupted, InvalidId
from ...domain.scope import Scope
from . import layout
from .documents import COMPRESSED, compress, decode, encode
from .file_operations import Files
from .journal import Append, Effect, Put

KIND = "index"

_SIZE = layout.NUMBERS_A_FOLDER
_Identity: TypeAlias = tuple[int, int, int]


class IndexLost(Exception):
    """The index, or a part of it, is missing or damaged; nothing is lost but time."""


class Entry(NamedTuple):
    """Who has a number.

    Attributes:
        text: of a ``created``, the checkpoint's id; of an ``event``, the name of its workflow.
        file: of an event, the number that its file is called by.
    """

    number: int
    kind: Literal["created", "event"]
    text: str
    file: int = 0

    @property
    def workflow_id(self) -> str:
        """The workflow that it is about."""
        scope = self.text.rpartition("@")[0] if self.kind == "created" else self.text
        return Scope.parse(scope).workflow_id

    @property
    def checkpoint_id(self) -> CheckpointId:
        """The checkpoint that a ``created`` is about."""
        return CheckpointId.parse(self.text)

    def __str__(self) -> str:
        file = f"{self.file} " if self.kind == "event" else ""
        return f"{self.number} {self.kind} {file}{self.text}"


class Index:
    """The index of one store; to be used under its lock, after `refresh`.

    Attributes:
        next_number: above every number that was given out.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self._folder = folder
        self._files = files
        self._path = folder / layout.INDEX_TAIL
        self._identity: _Identity | None = None
        self._first = 0
        self._tail: list[Entry] = []
        self._size = 0
        self.next_number = 1

    def refresh(self) -> None:
        """Take note of what others have added; raises `IndexLost`."""
        identity = self._files.identity(self._path)
        if identity is None or identity != self._identity:
            self._identity = None
            self._load()
            self._identity = identity

    def forget(self) -> None:
        """Read it anew the next time."""
        self._identity = None

    def added(self, entries: Sequence[Entry]) -> None:
        """Note that the effects of `adding` these entries were carried out."""
        if not entries or self._identity is None:
            return
        parts = _parts(self._first, self._tail, entries)
        if len(parts) > 1:
            self.forget()
            return
        self._tail += entries
        self._size += len(_lines(entries))
        self.next_number = entries[-1].number + 1
        found = self._files.identity(self._path)
        self._identity = found if found is not None and found[1] == self._size else None

    def adding(self, entries: Sequence[Entry]) -> Iterator[Effect]:
        """Iterate over what has to be done to add entries."""
        if not entries:
            return
        parts = _parts(self._first, self._tail, entries)
        if len(parts) == 1:
            yield Append(layout.INDEX_TAIL, self._size, _lines(entries))
            return
        yield from whole(parts)

    def newest(self) -> Iterator[Entry]:
        """Iterate over all entries from the end; raises `IndexLost`."""
        yield from reversed(self._tail)
        for first in range(self._first - _SIZE, -1, -_SIZE):
            yield from reversed(self._segment(first))

    def after(self, number: int) -> Iterator[Entry]:
        """Iterate over the entries above a number; raises `IndexLost`."""
        start = max(0, number) // _SIZE * _SIZE
        for first in range(start, self._first, _SIZE):
            yield from (each for each in self._segment(first) if each.number > number)
        yield from (each for each in self._tail if each.number > number)

    def _load(self) -> None:
        stored = self._files.read(self._path)
        if stored is None:
            raise IndexLost("it is missing")
        header, *lines = (_checked(line) for line in _split(stored))
        first = header.removeprefix("first ")
        if first == header or not (first.isascii() and first.isdigit()):
            raise IndexLost("it does not begin as one")
        tail = [_parse(line) for line in lines]
        self._first, self._tail, self._size = int(first), tail, len(stored)
        self.next_number = max(1, tail[-1].number + 1 if tail else self._first)

    def _segment(self, first: int) -> list[Entry]:
        path = self._folder / layout.segment(first)
        stored = self._files.read(path)
        if stored is None:
            stored = self._files.read(path.with_name(path.name + COMPRESSED))
        if stored is None:
            raise IndexLost(f"{path} is missing")
        try:
            return [_parse(line) for line in decode(stored, KIND, path)["entries"]]
        except CheckpointCorrupted as error:
            raise IndexLost(str(error)) from error


def whole(parts: dict[int, list[Entry]]) -> Iterator[Effect]:
    """Iterate over what makes an index, or its end, of entries by the number each part begins with.

    The last part becomes the log that is appended to.
    """
    *full, last = sorted(parts)
    for first in full:
        path = layout.segment(first)
        text = encode(KIND, {"first": first, "entries": [str(each) for each in parts[first]]})
        packed = compress(text)
        yield Put(path, text) if packed is None else Put(path + COMPRESSED, packed)
    yield Put(layout.INDEX_TAIL, _line(f"first {last}") + _lines(parts[last]))


def parts_of(entries: Sequence[Entry], next_number: int) -> dict[int, list[Entry]]:
    """Return entries by the number that their part begins with, without gaps up to the next one."""
    parts: dict[int, list[Entry]] = {first: [] for first in range(0, next_number + 1, _SIZE)}
    for each in entries:
        parts[each.number // _SIZE * _SIZE].append(each)
    return parts


def _parts(first: int, tail: list[Entry], entries: Sequence[Entry]) -> dict[int, list[Entry]]:
    last = entries[-1].number // _SIZE * _SIZE
    parts: dict[int, list[Entry]] = {each: [] for each in range(first, last + 1, _SIZE)}
    parts[first] += tail
    for each in entries:
        parts[each.number // _SIZE * _SIZE].append(each)
    return parts


def _lines(entries: Sequence[Entry]) -> bytes:
    return b"".join(_line(str(each)) for each in entries)


def _line(text: str) -> bytes:
    return f"{_digest(text)} {text}\n".encode()


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _split(stored: bytes) -> list[str]:
    try:
        *lines, rest = stored.decode().split("\n")
    except UnicodeDecodeError as error:
        raise IndexLost("it is not text") from error
    if rest or not lines:
        raise IndexLost("it was cut short")
    return lines


def _checked(line: str) -> str:
    digest, _, text = line.partition(" ")
    if _digest(text) != digest:
        raise IndexLost("a line of it is damaged")
    return text


def _parse(line: str) -> Entry:
    try:
        number, kind, rest = line.split(" ", 2)
        if kind == "created":
            return Entry(int(number), "created", rest)
        file, _, text = rest.partition(" ")
        return Entry(int(number), "event", text, int(file))
    except (ValueError, InvalidId) as error:
        raise IndexLost("a line of it cannot be read") from error
