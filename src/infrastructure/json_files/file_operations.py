"""Everything that is ever done to a file of a store, one method each.

So that the order of writes, syncs and renames can be recorded, and each of them be interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from .trouble import troubles

Hook: TypeAlias = Callable[[str, Path], None]

_ABSENT = (FileNotFoundError, NotADirectoryError)
_BINARY = getattr(os, "O_BINARY", 0)
# A link in a folder that somebody else made could lead anywhere. Windows has no such flag.
_OURS = _BINARY | getattr(os, "O_NOFOLLOW", 0)


class Files:
    """Reads and changes files; raises `FileTrouble`.

    Files and folders that it makes can be read by their owner alone. No file is read or written
    through a symbolic link; of the folders around it `Journal` sees to that.

    Args:
        hook: called before each step with its name and the path that it is about.
    """

    def __init__(self, hook: Hook | None = None) -> None:
        self.hook: Hook = hook or (lambda _operation, _path: None)

    # Looking.

    def read(self, path: Path) -> bytes | None:
        """Return the bytes of a file; ``None`` when there is none."""
        with troubles():
            self.hook("read", path)
            try:
                file = os.open(path, os.O_RDONLY | _OURS)
            except _ABSENT:
                return None
            with os.fdopen(file, "rb") as opened:
                return opened.read()

    def exists(self, path: Path) -> bool:
        """Whether there is a file of that name."""
        return self.identity(path) is not None

    def identity(self, path: Path) -> tuple[int, int, int] | None:
        """Return what changes when a file is replaced or changed; ``None`` when it is gone."""
        with troubles():
            try:
                found = os.stat(path)  # noqa: PTH116 - with each transaction, and twice as fast
            except _ABSENT:
                return None
            return found.st_ino, found.st_size, found.st_mtime_ns

    def names(self, folder: Path) -> list[str]:
        """Return the names of what is in a folder; none when there is no such folder."""
        with troubles():
            self.hook("list", folder)
            try:
                return os.listdir(folder)  # noqa: PTH208 - names are all that is wanted
            except _ABSENT:
                return []

    # Changing.

    def make_folders(self, folder: Path) -> set[Path]:
        """Make a folder and those around it; return the folders whose entries changed."""
        changed: set[Path] = set()
        missing = []
        with troubles():
            while not folder.is_dir():
                missing.append(folder)
                folder = folder.parent
            for each in reversed(missing):
                self.hook("make folder", each)
                with suppress(FileExistsError):
                    each.mkdir(mode=0o700)
                changed.add(each.parent)
        return changed

    def write(self, path: Path, content: bytes) -> None:
        """Write a file anew and sync it: for a temporary name, to be renamed."""
        with troubles():
            self.hook("write", path)
            file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | _OURS, 0o600)
            try:
                _write_all(file, content)
                self.hook("sync", path)
                _sync(file)
            finally:
                os.close(file)

    def rename(self, old: Path, new: Path) -> None:
        """Give a synced file its real name, in place of the one that has it."""
        with troubles():
            self.hook("rename", new)
            os.replace(old, new)  # noqa: PTH105 - as everywhere here

    def append(self, path: Path, at: int, content: bytes) -> bool:
        """Let a file go on with *content* from the offset *at*, and sync it.

        What it holds beyond that is cut off, so that this may be done again. Returns ``False``, and
        changes nothing, when the file is not there or shorter than that.
        """
        with troubles():
            self.hook("append", path)
            try:
                file = os.open(path, os.O_RDWR | _OURS)
            except _ABSENT:
                return False
            try:
                if os.fstat(file).st_size < at:
                    return False
                os.ftruncate(file, at)
                os.lseek(file, at, os.SEEK_SET)
                _write_all(file, content)
                self.hook("sync", path)
                _sync(file)
            finally:
                os.close(file)
        return True

    def remove(self, path: Path) -> None:
        """Take a file away; one that is gone is no trouble."""
        with troubles():
            self.hook("remove", path)
            with suppress(*_ABSENT):
                os.unlink(path)  # noqa: PTH108 - as everywhere here

    def remove_folder(self, folder: Path) -> bool:
        """Take an empty folder away; return whether it was empty, and is gone."""
        try:
            self.hook("remove folder", folder)
            folder.rmdir()
        except OSError:
            return False
        return True

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        if os.name == "nt":
            return  # there a folder cannot be opened, and renames are journalled by NTFS
        with troubles():
            self.hook("sync folder", folder)
            file = os.open(folder, os.O_RDONLY)
            try:
                _sync(file)
            finally:
                os.close(file)


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _sync(file: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        # There fsync leaves the data in the cache of the disk.
        fcntl.fcntl(file, fcntl.F_FULLFSYNC)
        return
    os.fsync(file)
