"""Python's `os`, patched: enough for a store that does all through it, and it takes no tools."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from .disk import EVERY_KIND, StepKind


class PatchedDisk:
    """A `Disk` beneath Python's `os`, within the block of `patched`."""

    def __init__(self) -> None:
        self._folder = ""
        self._record: Any = None
        self._turn = threading.RLock()
        self._counts = dict.fromkeys(StepKind, 0)
        self._failing: tuple[StepKind, int, int, bool] = (StepKind(0), 0, 0, False)
        self._killing_at = 0
        self._real = {name: getattr(os, name) for name in _PATCHED}
        self._opened: dict[int, tuple[int, str]] = {}  # a file's inode and path, by its number

    @contextmanager
    def patched(self) -> Iterator[PatchedDisk]:
        """Stand between Python and the disk for the length of the block."""
        with ExitStack() as patches:
            for name in _PATCHED:
                patches.enter_context(patch.object(os, name, getattr(self, f"_{name}")))
            yield self

    def watch(self, folder: Path) -> None:
        self._folder = str(folder)

    def record(self, path: Path | None) -> None:
        with self._turn:
            if self._record is not None:
                self._record.close()
            self._record = path.open("wb") if path is not None else None

    def mark(self, text: str) -> None:
        with self._turn:
            self._note("mark", data=text.encode())

    def fail(self, kinds: StepKind, nth: int, error: int, *, lasting: bool = False) -> None:
        with self._turn:
            self._counts = dict.fromkeys(StepKind, 0)
            self._failing = (kinds, nth, error, lasting)

    def kill(self, nth: int) -> None:
        with self._turn:
            self._counts = dict.fromkeys(StepKind, 0)
            self._killing_at = nth

    def steps(self, kinds: StepKind = EVERY_KIND) -> int:
        return sum(count for kind, count in self._counts.items() if kind in kinds)

    def heal(self) -> None:
        self.fail(StepKind(0), 0, 0)

    # What is patched.

    def _open(self, path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        if not self._is_watched(path):
            file: int = self._real["open"](path, flags, mode, **more)
            return file
        with self._turn:
            is_new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
            cuts = not is_new and flags & os.O_TRUNC and Path(path).stat().st_size > 0
            if is_new or cuts:
                self._step(StepKind.CHANGE)
            file = self._real["open"](path, flags, mode, **more)
            self._opened[file] = os.fstat(file).st_ino, str(path)
            if is_new:
                self._note("create", file)
            elif cuts:
                self._note("cut", file)
            return file

    def _write(self, file: int, data: Any) -> int:
        if not self._is_ours(file):
            done: int = self._real["write"](file, data)
            return done
        with self._turn:
            at = os.lseek(file, 0, os.SEEK_CUR)
            try:
                self._step(StepKind.WRITE)
            except OSError:
                done = self._real["write"](file, bytes(data)[: len(data) // 2])
                self._note("write", file, at=at, data=bytes(data)[:done])
                raise
            done = self._real["write"](file, data)
            self._note("write", file, at=at, data=bytes(data)[:done])
            return done

    def _fsync(self, file: int) -> None:
        if not self._is_ours(file):
            self._real["fsync"](file)
            return
        with self._turn:
            try:
                self._step(StepKind.SYNC)
            except OSError:
                self._note("sync failed", file)
                raise
            self._real["fsync"](file)
            self._note("sync", file)

    def _ftruncate(self, file: int, size: int) -> None:
        if not self._is_ours(file):
            self._real["ftruncate"](file, size)
            return
        with self._turn:
            self._step(StepKind.CHANGE)
            self._real["ftruncate"](file, size)
            self._note("cut", file, at=size)

    def _replace(self, old: Any, new: Any) -> None:
        with self._turn:
            if self._is_watched(old):
                self._step(StepKind.CHANGE)
            self._real["replace"](old, new)
            if self._is_watched(old):
                self._note("rename", path=str(old), other=str(new))

    def _unlink(self, path: Any, **more: Any) -> None:
        self._on_name("unlink", "remove", path, **more)

    def _rmdir(self, path: Any, **more: Any) -> None:
        self._on_name("rmdir", "remove", path, **more)

    def _mkdir(self, path: Any, mode: int = 0o777, **more: Any) -> None:
        self._on_name("mkdir", "make folder", path, mode, **more)

    def _on_name(self, name: str, what: str, path: Any, *values: Any, **more: Any) -> None:
        if not self._is_watched(path):
            self._real[name](path, *values, **more)
            return
        with self._turn:
            self._step(StepKind.CHANGE)
            self._real[name](path, *values, **more)
            self._note(what, path=str(path))

    # What is done about it.

    def _is_watched(self, path: Any) -> bool:
        return bool(self._folder) and f"{path}/".startswith(f"{self._folder}/")

    def _is_ours(self, file: int) -> bool:
        # It may have been closed, and its number be another's.
        found = self._opened.get(file)
        return found is not None and os.fstat(file).st_ino == found[0]

    def _step(self, kind: StepKind) -> None:
        self._counts[kind] += 1
        if self._killing_at and self.steps() == self._killing_at:
            os.kill(os.getpid(), signal.SIGKILL)
        kinds, nth, error, lasting = self._failing
        number = self.steps(kinds)
        if kind in kinds and (number == nth or (number > nth and lasting)):
            raise OSError(error, os.strerror(error))

    def _note(
        self,
        what: str,
        file: int | None = None,
        *,
        at: int = 0,
        path: str = "",
        other: str = "",
        data: bytes = b"",
    ) -> None:
        if self._record is None:
            return
        inode, path = self._opened[file] if file is not None else (0, path)
        line = f"{what}\t{inode}\t{at}\t{len(data)}\t{path}\t{other}\n"
        self._record.write(line.encode() + data)
        self._record.flush()


_PATCHED = ("open", "write", "fsync", "ftruncate", "replace", "unlink", "rmdir", "mkdir")
