"""A record of what was done to the files of a folder, in the order in which the disk saw it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Step(NamedTuple):
    """One step, or a mark that the recorded program has set.

    Attributes:
        what: ``write``, ``cut``, ``sync``, ``sync failed``, ``create``, ``rename``, ``remove``,
            ``make folder`` or ``mark``.
        inode: of the file, where the step is about one that is open.
        at: the offset of a write, or the size of a file that was cut.
        path: of the file; of a ``rename``, what it was called before, and ``other`` after.
        data: what was written, or the text of the mark.
    """

    what: str
    inode: int
    at: int
    path: str
    other: str
    data: bytes

    def __repr__(self) -> str:
        names = f"{self.path} {self.other}".rstrip()
        return f"{self.what} {names} at {self.at}, {len(self.data)} bytes"

    @property
    def mark(self) -> str:
        """The text of a mark; empty for a step."""
        return self.data.decode() if self.what == "mark" else ""


def read_trace(path: Path) -> list[Step]:
    """Return the steps of a record; one that was cut short, by a kill, ends where it ends."""
    return list(_steps(path.read_bytes()))


def _steps(stored: bytes) -> Iterator[Step]:
    start = 0
    while start < len(stored):
        end = stored.index(b"\n", start)
        what, inode, at, size, path, other = stored[start:end].decode().split("\t")
        start = end + 1 + int(size)
        yield Step(what, int(inode), int(at), path, other, stored[end + 1 : start])
