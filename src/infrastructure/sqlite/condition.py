"""The condition of a store's file: what is beside it, and what is to be worried about."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from ...domain.json_value import JsonObject

# The largest -wal that a burst leaves behind is 32 MiB; the next writer cuts it.
_OVERGROWN = 64 << 20
_MARKED_STALE = 3600.0
# https://sqlite.org/wal.html#walresetbug: fixed in 3.51.3, and in these branches before it.
_WAL_RESET_FIXED = (3, 51, 3)


def condition_of(connection: sqlite3.Connection, path: Path) -> JsonObject:
    """Return the facts about a store's file, as read back, and the warnings that follow."""
    facts: JsonObject = {
        "path": str(path),
        "bytes": _size(path),
        "wal_bytes": _size(path.with_name(f"{path.name}-wal")),
        "readable_by_others": bool(path.stat().st_mode & 0o077),
        "sqlite": sqlite3.sqlite_version,
        "python": sys.version.split()[0],
    }
    leftovers = [str(each) for each in _leftovers(path)]
    busy, in_wal, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    facts |= {
        "wal_pages": in_wal,
        "wal_pages_moved": moved,
        "wal_is_pinned": bool(busy) or moved < in_wal,
        "leftovers": list(leftovers),
    }
    facts["warnings"] = list(_warnings(facts, path))
    return facts


def _warnings(facts: JsonObject, path: Path) -> Iterator[str]:
    if sqlite3.sqlite_version_info < _WAL_RESET_FIXED:
        yield (
            f"SQLite {sqlite3.sqlite_version} may have the rare WAL-reset defect that is mended "
            "in 3.51.3: with two connections writing at once a commit can be lost; use a Python "
            "that is linked with a newer one"
        )
    if facts["wal_is_pinned"]:
        yield (
            f"the -wal cannot be moved into the file: somebody reads an old view "
            f"({_holders_text(path)}); it grows until that ends"
        )
    elif int(facts["wal_bytes"]) > _OVERGROWN:
        yield f"the -wal has {facts['wal_bytes']} bytes; the next writer that closes it cuts it"
    if facts["readable_by_others"]:
        yield f"{path} can be read or written by others; `chmod 600` it"
    for each in facts["leftovers"]:
        yield f"{each} is left over, and no process uses it; it can be removed"


def _holders_text(path: Path) -> str:
    holders = sorted(_holders(path) - {os.getpid()})
    if not holders:
        return "which process cannot be told"
    return f"opened by process {', '.join(map(str, holders))}"


def _holders(path: Path) -> set[int]:
    """Return the processes that have the file open, as far as the system tells."""
    found: set[int] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(_points_to(each, path) for each in (process / "fd").iterdir()):
                found.add(int(process.name))
        except OSError:
            continue  # it ended, or is somebody else's
    return found


def _points_to(link: Path, path: Path) -> bool:
    try:
        return os.readlink(link) == str(path)  # noqa: PTH115 - without resolving each
    except OSError:
        return False


def _leftovers(path: Path) -> Iterator[Path]:
    """Iterate over files of ended processes beside the store."""
    others = _holders(path) - {os.getpid()}
    turn = path.with_name(f"{path.name}-turn")
    if turn.exists() and not others and not _is_ours(turn):
        yield turn
    for each in path.parent.glob(f"{path.name}*.part"):
        if not others:
            yield each


def _is_ours(path: Path) -> bool:
    return os.getpid() in _holders(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
