"""What SQLite's errors mean to the users of a store."""

from __future__ import annotations

import sqlite3

from ...domain.errors import (
    CheckpointCorrupted,
    HoldfastError,
    NotAStore,
    StorageUnavailable,
    StoreBusy,
)

# Trouble that may pass: a lock is let go of, a disk gets room, a mount comes back.
_PASSING = frozenset(
    [
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_PROTOCOL,
    ]
)
_LOCKS = frozenset([sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED])


def is_passing(error: sqlite3.Error) -> bool:
    """Whether trying again may help."""
    return _primary(error) in _PASSING


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else held a lock."""
    return _primary(error) in _LOCKS


def translated(error: sqlite3.Error, target: str) -> HoldfastError:
    """Return what *error* means to the users of the store *target*; raise it from *error*."""
    code = _primary(error)
    if is_undecodable(error):
        return CheckpointCorrupted(target, f"it holds text that is not text ({error})")
    if code in _LOCKS:
        return StoreBusy(
            f"{target} stayed locked by another process ({error}); a process stopped inside a "
            "transaction blocks the others until it goes on or ends. Try again then"
        )
    if code == sqlite3.SQLITE_NOTADB:
        return NotAStore(
            f"{target} is not a database, or its header is damaged; it was not touched. "
            "Name another path, or restore a backup"
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return CheckpointCorrupted(
            target,
            f"SQLite says: {error}",
            "salvage what can be read with `sqlite3 FILE .recover`, or restore a backup",
        )
    if code == sqlite3.SQLITE_FULL:
        return StorageUnavailable(f"no space left for {target} ({error}); free some and try again")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StorageUnavailable(
            f"{target} cannot be written or opened ({error}); look at its permissions and those "
            "of its folder"
        )
    return StorageUnavailable(
        f"{target} cannot be read or written ({error}); look at the disk and at the system's log, "
        "then try again"
    )


def malformed(target: str) -> HoldfastError:
    """Return what it means that SQLite's own words about *target* could not be read.

    They quote the schema; Python decodes them strictly, and raises `UnicodeDecodeError` instead.
    """
    return CheckpointCorrupted(
        target, "its schema is damaged. Salvage what can be read with `sqlite3 FILE .recover`"
    )


def is_undecodable(error: sqlite3.Error) -> bool:
    """Whether a text column held bytes that are not UTF-8: damage, told without a code."""
    return "Could not decode to UTF-8" in str(error)


def _primary(error: sqlite3.Error) -> int:
    # The primary code is the low byte of the extended one.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
