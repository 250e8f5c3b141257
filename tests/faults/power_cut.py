"""A model of what a disk holds after its power was cut, given a record of what was done to it.

It promises no more than POSIX does:

- what was written to a file is there for certain once the file was synced. Of what was written
  since, any part may be there: any of the writes without the others, and of each any of the sectors
  of 512 bytes that it touches; a file that grew may have its length and zeros instead of what was
  written. The same for cutting a file;
- a name in a folder is there for certain, or gone, once the folder was synced. Of each name that
  was made, renamed or removed since, what was there at any moment since the last sync may be there;
- where a sync failed, what was to be synced may never reach the disk, even if a later sync goes
  well, and can be read all the same as long as there is power. (Linux, after a writeback error.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TypeAlias

from .trace import Step

SECTOR = 512

Files: TypeAlias = dict[str, bytes | None]
"""The content of each file by its path in the folder; ``None`` for a folder."""


@dataclass(slots=True)
class _Change:
    """A write, or with no data a cut, that may not be on the disk yet."""

    at: int
    data: bytes | None
    is_certain: bool = False  # it was synced; what came before it may have been lost
    may_be_lost_for_good: bool = False

    def sectors(self) -> list[tuple[int, bytes]]:
        """Return what is written to each sector; the disk writes these whole or not at all."""
        assert self.data is not None
        starts = [self.at, *range((self.at // SECTOR + 1) * SECTOR, self.end, SECTOR)]
        ends = [*starts[1:], self.end]
        return [
            (start, self.data[start - self.at : end - self.at])
            for start, end in zip(starts, ends, strict=True)
        ]

    @property
    def end(self) -> int:
        return self.at + len(self.data or b"")


@dataclass(slots=True)
class _File:
    durable: bytes = b""
    changes: list[_Change] = field(default_factory=list)

    def sync(self) -> None:
        """Take for certain what is not lost already."""
        for each in self.changes:
            each.is_certain = not each.may_be_lost_for_good
        if all(each.is_certain for each in self.changes):
            self.durable, self.changes = self.visible(), []

    def least(self) -> bytes:
        content = bytearray(self.durable)
        for each in self.changes:
            if each.is_certain:
                _apply(content, each.at, each.data)
        return bytes(content)

    def visible(self) -> bytes:
        content = bytearray(self.durable)
        for each in self.changes:
            _apply(content, each.at, each.data)
        return bytes(content)


@dataclass(slots=True)
class _Folder:
    # What each name stood for since the last sync, the oldest first.
    names: dict[str, list[_File | _Folder | None]] = field(default_factory=dict)

    def put(self, name: str, what: _File | _Folder | None) -> None:
        self.names.setdefault(name, [None]).append(what)

    def get(self, name: str) -> _File | _Folder | None:
        return self.names.get(name, [None])[-1]

    def sync(self) -> None:
        for past in self.names.values():
            del past[:-1]


@dataclass(frozen=True, slots=True)
class DiskState:
    """What a disk may hold.

    Attributes:
        is_torn: whether some write is there in part.
    """

    files: Files
    is_torn: bool = False

    def digest(self) -> str:
        """Return what two states of equal content have in common."""
        found = sha256()
        for path in sorted(self.files):
            content = self.files[path]
            # What is locked, and what comes and goes with it, holds nothing.
            if path.endswith(("/lock", "-turn")):
                continue
            found.update(f"{path}\0{'folder' if content is None else len(content)}\0".encode())
            found.update(content or b"")
        return found.hexdigest()

    def write_to(self, folder: Path) -> None:
        """Make it, in an empty folder."""
        for path in sorted(self.files):
            content, target = self.files[path], folder / path
            if content is None:
                target.mkdir()
            else:
                target.write_bytes(content)


class ModelDisk:
    """The disk under one folder, step by step."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._root = _Folder()
        self._files: dict[int, _File] = {}

    def take(self, step: Step) -> None:
        """Let one step of the record happen."""
        if step.what in ("write", "cut"):
            change = _Change(step.at, step.data if step.what == "write" else None)
            self._files[step.inode].changes.append(change)
        elif step.what in ("sync", "sync failed"):
            self._sync(step, is_well=step.what == "sync")
        elif step.what == "create":
            self._files[step.inode] = _File()
            self._put(step.path, self._files[step.inode])
        elif step.what == "make folder":
            self._put(step.path, _Folder())
        elif step.what == "remove":
            self._put(step.path, None)
        elif step.what == "rename":
            folder, name = self._find(step.path)
            self._put(step.other, folder.get(name))
            self._put(step.path, None)

    def visible(self) -> DiskState:
        """Return what every program sees, and what is there after a process was killed."""
        return _Cut(1.0, None).of(self._root)

    def least(self) -> DiskState:
        """Return what is there for certain."""
        return _Cut(0.0, None).of(self._root)

    def drawn(self, draw: Random) -> DiskState:
        """Return one of the states that a power cut could leave now."""
        return _Cut(draw.choice([0.1, 0.5, 0.9]), draw).of(self._root)

    @property
    def uncertain(self) -> int:
        """How many sectors and names are not there, or gone, for certain."""
        return _uncertain(self._root)

    def _sync(self, step: Step, *, is_well: bool) -> None:
        found = self._at(step.path)
        what = found if isinstance(found, _Folder) else self._files[step.inode]
        if is_well:
            what.sync()
        elif isinstance(what, _File):
            for change in what.changes:
                change.may_be_lost_for_good = True

    def _put(self, path: str, what: _File | _Folder | None) -> None:
        folder, name = self._find(path)
        folder.put(name, what)

    def _at(self, path: str) -> _File | _Folder | None:
        if path == self._folder:
            return self._root
        folder, name = self._find(path)
        return folder.get(name)

    def _find(self, path: str) -> tuple[_Folder, str]:
        *around, name = path.removeprefix(self._folder).strip("/").split("/")
        folder = self._root
        for each in around:
            inner = folder.get(each)
            assert isinstance(inner, _Folder), f"{path}: there is no folder {each}"
            folder = inner
        return folder, name


class _Cut:
    """One way of cutting the power: how much of what is uncertain is there."""

    def __init__(self, share: float, draw: Random | None) -> None:
        self._share = share
        self._draw = draw
        self._is_torn = False
        self._done: dict[int, bytes] = {}

    def of(self, root: _Folder) -> DiskState:
        files: Files = {}
        self._collect(root, "", files)
        return DiskState(files, self._is_torn)

    def _collect(self, folder: _Folder, path: str, files: Files) -> None:
        for name, past in folder.names.items():
            what = self._one_of(past)
            if isinstance(what, _Folder):
                files[f"{path}{name}"] = None
                self._collect(what, f"{path}{name}/", files)
            elif what is not None:
                files[f"{path}{name}"] = self._content(what)

    def _one_of(self, past: list[_File | _Folder | None]) -> _File | _Folder | None:
        if self._draw is None:
            return past[-1 if self._share else 0]
        if len(past) == 1 or self._draw.random() < self._share:
            return past[-1]
        return self._draw.choice(past)

    def _content(self, file: _File) -> bytes:
        # One file may have two names, and has one content.
        if id(file) not in self._done:
            self._done[id(file)] = self._cut(file)
        return self._done[id(file)]

    def _cut(self, file: _File) -> bytes:
        if self._draw is None:
            return file.visible() if self._share else file.least()
        content = bytearray(file.durable)
        for change in file.changes:
            if change.is_certain or change.data is None:
                if change.is_certain or self._happens():
                    _apply(content, change.at, change.data)
                continue
            sectors = change.sectors()
            kept = [self._happens() for _ in sectors]
            if self._draw.random() < 0.5:  # all of it, or nothing
                kept = kept[:1] * len(sectors)
            self._is_torn |= len(set(kept)) > 1
            for (at, data), is_kept in zip(sectors, kept, strict=True):
                if is_kept:
                    _apply(content, at, data)
            if not all(kept) and self._draw.random() < 0.2:
                _lengthen(content, change.end)  # it has grown, and that is all
        return bytes(content)

    def _happens(self) -> bool:
        assert self._draw is not None
        return self._draw.random() < self._share


def _apply(content: bytearray, at: int, data: bytes | None) -> None:
    _lengthen(content, at)
    if data is None:
        del content[at:]
    else:
        content[at : at + len(data)] = data


def _lengthen(content: bytearray, size: int) -> None:
    content.extend(bytes(max(0, size - len(content))))


def _uncertain(folder: _Folder) -> int:
    found = 0
    for past in folder.names.values():
        found += len(past) - 1
        if isinstance(past[-1], _Folder):
            found += _uncertain(past[-1])
        elif past[-1] is not None:
            uncertain = (each for each in past[-1].changes if not each.is_certain)
            found += sum(len(each.sectors()) if each.data else 1 for each in uncertain)
    return found


def read_state(folder: Path) -> DiskState:
    """Return what is really in a folder now, without what SQLite keeps in shared memory."""
    files: Files = {}
    for each in _below(folder):
        files[str(each.relative_to(folder))] = each.read_bytes() if each.is_file() else None
    return DiskState({name: each for name, each in files.items() if not name.endswith("-shm")})


def _below(folder: Path) -> Iterable[Path]:
    return folder.rglob("*")
