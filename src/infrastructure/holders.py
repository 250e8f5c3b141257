"""Which processes have files open, as far as the system tells."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def holders_of(path: Path) -> set[int]:
    """Return the processes that have a file open; those of others may be missing."""
    return _holders(str(path).__eq__)


def holders_below(path: Path) -> set[int]:
    """Return the processes that have open a file, or one whose path begins with its path."""
    return _holders(lambda each: each.startswith(str(path)))


def _holders(is_wanted: Callable[[str], bool]) -> set[int]:
    found: set[int] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(is_wanted(_target(each)) for each in (process / "fd").iterdir()):
                found.add(int(process.name))
        except OSError:
            continue  # it ended, or is somebody else's
    return found


def _target(link: Path) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - without resolving each
    except OSError:
        return ""
