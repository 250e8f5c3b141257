"""Looking after a store in a SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...domain.json_value import JsonValue
from ...domain.ports.store_care import StoreStats
from ...domain.ports.unit_of_work import UnitOfWork
from ...domain.verification import VerifyReport
from ..export_file.placing import made_beside
from . import care_statements as sql
from .connections import Connections
from .format import SCHEMA
from .trouble import translated

if TYPE_CHECKING:
    from .unit_of_work import SqliteUnitOfWork

_PAGES_AT_ONCE = 1024
_SYNCHRONOUS = {0: "off", 1: "normal", 2: "full", 3: "extra"}


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
    with made_beside(path) as part:
        # Its owner's alone from the first moment on.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        try:
            with (
                connections.reader() as source,
                closing(sqlite3.connect(part, isolation_level=None)) as copy,
            ):
                # Of one view: else it begins anew with each commit of another connection.
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchone()
                source.backup(copy, pages=_PAGES_AT_ONCE)
                source.execute("ROLLBACK")
                # One file, that can be moved: it is put into WAL mode again when it is opened.
                copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise translated(error, str(path)) from error


def stats(uow: UnitOfWork, target: str, path: Path) -> StoreStats:
    """Return how much the store holds."""
    execute = _sqlite(uow).transaction.connection.execute
    checkpoints, events, attempts = execute(sql.COUNT_ALL).fetchone()
    statuses = {status or "record": count for status, count in execute(sql.COUNT_STATUSES)}
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
