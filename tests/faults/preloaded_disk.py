"""A small library in C, preloaded into a process: every write, sync and rename goes through it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .disk import EVERY_KIND, StepKind

_SOURCE = Path(__file__).with_name("disk.c")


def build(folder: Path) -> Path | str:
    """Return the library, made in *folder*; or why there is none."""
    if sys.platform != "linux":
        return (
            f"the library that stands between SQLite and the disk is for Linux, not {sys.platform}"
        )
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return "it takes a C compiler to stand between SQLite and the disk"
    library = folder / "disk.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl"]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode != 0:
        return f"the library cannot be built: {built.stderr[-300:]}"
    return library


class PreloadedDisk:
    """A `Disk` beneath everything; only in a process that was started with the library."""

    def __init__(self) -> None:
        library = ctypes.CDLL(os.environ["LD_PRELOAD"])
        library.disk_steps.restype = ctypes.c_long
        library.disk_fail.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_int, ctypes.c_int]
        library.disk_kill.argtypes = [ctypes.c_long]
        self._library = library

    def watch(self, folder: Path) -> None:
        self._library.disk_watch(os.fsencode(folder))

    def record(self, path: Path | None) -> None:
        self._library.disk_record(os.fsencode(path) if path is not None else None)

    def mark(self, text: str) -> None:
        self._library.disk_mark(text.encode())

    def fail(self, kinds: StepKind, nth: int, error: int, *, lasting: bool = False) -> None:
        self._library.disk_fail(int(kinds), nth, error, int(lasting))

    def kill(self, nth: int) -> None:
        self._library.disk_kill(nth)

    def steps(self, kinds: StepKind = EVERY_KIND) -> int:
        steps: int = self._library.disk_steps(int(kinds))
        return steps

    def heal(self) -> None:
        self.fail(StepKind(0), 0, 0)
