"""Making each sync of a child process a millisecond slower, with whatever the machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ..interleave import Absent

_SOURCE = Path(__file__).parents[1] / "programs" / "slow_sync.c"


@dataclass(frozen=True, slots=True)
class SlowSync:
    """How to start a child with slow syncs: what to put before its command, and around it."""

    how: str
    before: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


def slow_sync(folder: Path) -> SlowSync | Absent:
    """Return a way to slow syncs down; builds a small library in *folder* when it can."""
    if sys.platform != "linux":
        return Absent(f"skipped: syncs can be made slower on Linux alone, not on {sys.platform}")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler:
        library = folder / "slow_sync.so"
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl"]
        built = subprocess.run(command, capture_output=True, text=True)
        if built.returncode == 0:
            return SlowSync("a preloaded library", environment={"LD_PRELOAD": str(library)})
    if shutil.which("strace"):
        inject = "inject=fdatasync,fsync:delay_enter=1000"
        strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fdatasync,fsync"]
        return SlowSync("strace", before=[*strace, "-e", inject])
    return Absent("skipped: it takes a C compiler or strace to make syncs slower")
