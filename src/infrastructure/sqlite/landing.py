"""What became of a transaction whose COMMIT failed, and that it stays so.

Its frames are in the -wal, written and not synced, or in part. Whoever recovers the -wal, after a
crash or because it is opened anew, takes them for a transaction if they are whole; SQLite itself
passes them over until then. So looking is not enough: whatever is found has to be made certain.
"""

from __future__ import annotations

import sqlite3
import time

from ...domain.errors import StorageUnavailable
from .connections import Connections
from .transaction import Witness
from .trouble import is_passing

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.5
# The frame that could not be written is not whole, and so neither is the transaction.
_IN_PART = frozenset([sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE])


class Busy(Exception):
    """Another process reads, so that the -wal cannot be moved into the file."""


def has_landed(
    witness: Witness, connections: Connections, failure: sqlite3.Error, deadline: float
) -> bool:
    """Whether a transaction whose COMMIT failed is in the file; from now on that is certain.

    Only within `Connections.writing`; the connection of the COMMIT is dropped. Trouble is waited
    out until the deadline, by the monotonic clock.

    Raises:
        StorageUnavailable: it cannot be told, or cannot be made certain.
    """
    pause = _FIRST_PAUSE
    while True:
        connections.drop_writer()
        try:
            return _look(witness, connections.writer(), failure)
        except Busy:
            raise StorageUnavailable(
                f"{connections.file.path}: a commit failed ({failure}); it can be read, and could "
                "not be synced because another process is reading: a power cut may take it",
                outcome="unknown",
            ) from failure
        except sqlite3.Error as error:
            if not is_passing(error) or time.monotonic() >= deadline:
                raise StorageUnavailable(
                    f"{connections.file.path}: a commit failed ({failure}) and looking whether it "
                    f"was written failed as well ({error}); read it again before you repeat it",
                    outcome="unknown",
                ) from failure
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _look(witness: Witness, connection: sqlite3.Connection, failure: sqlite3.Error) -> bool:
    if witness.is_in(connection):
        # What is in the -wal was not synced, and may never be, however well later syncs go. Moved
        # into the file itself it is; and no older frame may hide it from there.
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Busy
        _write_over(connection)
        return True
    if getattr(failure, "sqlite_errorcode", 0) not in _IN_PART:
        _write_over(connection)
    return False


def _write_over(connection: sqlite3.Connection) -> None:
    """Commit a transaction that changes nothing, in the place of frames that nobody is to find."""
    connection.execute("BEGIN IMMEDIATE")
    # What is there: it may have been upgraded meanwhile.
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {schema:d}")
    connection.execute("COMMIT")
