"""The condition of a store's file: what is beside it, and what is to be worried about."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from ...domain.json_value import JsonObject
from ..holders import holders_of
from ..leftovers import leftover_text, partial_leftovers

# The largest -wal that a burst leaves behind is 32 MiB; the next writer cuts it.
_OVERGROWN = 64 << 20
# Mended in 3.51.3, and in later versions of two older branches.
_WAL_RESET_MENDED = (3, 51, 3)
_WAL_RESET_BACKPORTS = ((3, 44, 6), (3, 50, 7))


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
    if has_wal_reset_defect(sqlite3.sqlite_version_info):
        yield (
            f"SQLite {sqlite3.sqlite_version} has the rare WAL-reset defect (mended in 3.51.3, "
            "3.50.7 and 3.44.6, unless your distribution did so before): when two connections "
            "write and move the -wal at the same moment, a commit can be lost; use a Python that "
            "is linked with a newer one"
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
        yield leftover_text(each)


def has_wal_reset_defect(version: tuple[int, ...]) -> bool:
    """Whether a version of SQLite can, once in a long while, lose a commit at a reset of the WAL.

    Source: https://sqlite.org/wal.html#walresetbug.
    """
    if version >= _WAL_RESET_MENDED:
        return False
    return not any(version[:2] == each[:2] and version >= each for each in _WAL_RESET_BACKPORTS)


def _holders_text(path: Path) -> str:
    holders = sorted(holders_of(path) - {os.getpid()})
    if not holders:
        return "which process cannot be told"
    return f"opened by process {', '.join(map(str, holders))}"


def _leftovers(path: Path) -> Iterator[Path]:
    """Iterate over files of ended processes beside the store."""
    turn = path.with_name(f"{path.name}-turn")
    if turn.exists() and not holders_of(path) - {os.getpid()} and not _is_ours(turn):
        yield turn
    yield from partial_leftovers(path)


def _is_ours(path: Path) -> bool:
    return os.getpid() in holders_of(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
