"""Looking after a store in a SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...domain.errors import HoldfastError, InvalidRequest, StorageUnavailable
from ...domain.json_value import JsonValue
from ...domain.ports.store_care import StoreStats
from ...domain.ports.unit_of_work import UnitOfWork
from ...domain.verification import VerifyReport
from .connections import Connections
from .format import SCHEMA
from .trouble import translated

if TYPE_CHECKING:
    from .unit_of_work import SqliteUnitOfWork

_PAGES_AT_ONCE = 1024
_SYNCHRONOUS = {0: "off", 1: "normal", 2: "full", 3: "extra"}
_COUNTS = (
    "SELECT (SELECT count(*) FROM checkpoints), (SELECT count(*) FROM events), "
    "(SELECT count(*) FROM attempts)"
)
_STATUSES = (
    "SELECT status, count(*) FROM workflows AS w WHERE EXISTS "
    "(SELECT 1 FROM checkpoints WHERE workflow = w.id) GROUP BY status"
)


def verify(uow: UnitOfWork, *, repair: bool, at: datetime) -> VerifyReport:
    """Look everything through within a transaction; with *repair* one that may write."""
    from .verification import Verification

    transaction = _sqlite(uow).transaction
    if repair:
        from .repair import Repair

        return Repair(_sqlite(uow), at).run()
    verification = Verification(transaction)
    found = verification.run()
    return VerifyReport(
        transaction.store.target,
        tuple(each.finding for each in found),
        verification.checked,
    )


def backup(connections: Connections, path: Path) -> None:
    """Copy with SQLite's own online backup; whole under its name, or not there."""
    path = path.absolute()
    if path.exists() or path.is_symlink():
        raise InvalidRequest(f"{path} exists already; a backup goes to a new file")
    part = path.with_name(f"{path.name}.part")
    try:
        # Its owner's alone from the first moment on.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise StorageUnavailable(f"{part} cannot be made: {error.strerror}") from error
    try:
        with (
            connections.reader() as source,
            closing(sqlite3.connect(part, isolation_level=None)) as copy,
        ):
            source.backup(copy, pages=_PAGES_AT_ONCE)
            # One file, that can be moved: it is put into WAL mode again when it is opened.
            copy.execute("PRAGMA journal_mode = DELETE")
        _sync(part)
        os.link(part, path)  # never over what somebody made meanwhile
        part.unlink()
        _sync(path.parent)
    except FileExistsError:
        _remove(part)
        raise InvalidRequest(f"{path} exists already; a backup goes to a new file") from None
    except BaseException as error:
        _remove(part)
        if isinstance(error, sqlite3.Error):
            raise translated(error, str(path)) from error
        if isinstance(error, OSError) and not isinstance(error, HoldfastError):
            raise StorageUnavailable(f"{path} cannot be written: {error.strerror}") from error
        raise


def stats(uow: UnitOfWork, target: str, path: Path) -> StoreStats:
    """Return how much the store holds."""
    execute = _sqlite(uow).transaction.connection.execute
    checkpoints, events, attempts = execute(_COUNTS).fetchone()
    statuses = {status or "record": count for status, count in execute(_STATUSES)}
    (page,) = execute("PRAGMA page_size").fetchone()
    (free,) = execute("PRAGMA freelist_count").fetchone()
    wal = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    return StoreStats(
        target,
        sum(statuses.values()),
        checkpoints,
        events + checkpoints,
        attempts,
        statuses,
        size,
        free * page,
    )


def in_force(
    modes: Mapping[str, object], connection: sqlite3.Connection, path: Path
) -> Mapping[str, JsonValue]:
    """Return what is in force, as read back."""
    from .condition import condition_of

    synchronous = modes["synchronous"]
    durability = {2: "power", 3: "power", 1: "process"}
    level = synchronous if isinstance(synchronous, int) else 0
    return {
        "durability": durability.get(level, "none") if modes["journal_mode"] == "wal" else "none",
        "journal_mode": str(modes["journal_mode"]),
        "synchronous": _SYNCHRONOUS.get(level, str(level)),
        "schema": SCHEMA,
        **condition_of(connection, path),
    }


def _sqlite(uow: UnitOfWork) -> SqliteUnitOfWork:
    from .unit_of_work import SqliteUnitOfWork

    if not isinstance(uow, SqliteUnitOfWork):
        raise TypeError(f"{type(uow).__name__} is not of SQLite")
    return uow


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(part: Path) -> None:
    for each in ("", "-journal", "-wal", "-shm"):
        with suppress(OSError):
            part.with_name(f"{part.name}{each}").unlink()
