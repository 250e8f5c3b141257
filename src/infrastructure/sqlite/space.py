"""Giving space that is not used any more back to the file system, a piece at a time."""

from __future__ import annotations

import sqlite3

# So many pages of 4 KiB in one transaction: each is overwritten by one from the end of the file.
_PAGES = 128


def free_pages(connection: sqlite3.Connection) -> int:
    """Return how many pages of the file hold nothing."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(free)


def cut_off(connection: sqlite3.Connection) -> None:
    """Take some free pages off the end of the file, within the connection's transaction."""
    # One page each: Python's sqlite3 steps a statement that gives no rows just once, and SQLite
    # frees one page a step.
    for _ in range(min(_PAGES, free_pages(connection))):
        connection.execute("PRAGMA incremental_vacuum(1)")


def truncate_log(connection: sqlite3.Connection) -> None:
    """Move the -wal into the file and cut it off, unless somebody reads it just now."""
    # What others write meanwhile does not wait for the first; little is left for the second.
    for mode in ("PASSIVE", "TRUNCATE"):
        connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
