"""Brings a store's schema up to date: under the write lock, within one transaction, once."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

from ...domain.errors import SchemaTooNew
from .format import APPLICATION_ID, SCHEMA

# Alembic keeps its present context in globals, for all threads of the process.
_alembic = threading.Lock()


def upgrade(connection: sqlite3.Connection, path: Path) -> int:
    """Bring the schema up to date; return the one that was found (0 for a new file).

    Raises:
        SchemaTooNew: the store was written by a newer version; nothing was touched.
        sqlite3.OperationalError: somebody else held the lock for too long.
    """
    # BEGIN IMMEDIATE: of several that open a store at once the first upgrades it, and the others
    # wait here and find it done.
    connection.execute("BEGIN IMMEDIATE")
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > SCHEMA:
            raise SchemaTooNew(str(path), found, SCHEMA)
        if found < SCHEMA:
            run_revisions(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return int(found)


def run_revisions(connection: sqlite3.Connection, to: str = "head") -> None:
    """Run the Alembic revisions that are missing, within the connection's open transaction."""
    # Late: these two take longer to import than everything else together, and a store that is up
    # to date needs neither.
    from importlib.resources import files

    import sqlalchemy
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.pool import StaticPool

    engine = sqlalchemy.create_engine(
        "sqlite://", creator=lambda: _Borrowed(connection), poolclass=StaticPool
    )
    config = Config()
    config.set_main_option("script_location", str(files("holdfast.migrations")))
    config.set_main_option("path_separator", "os")
    with _alembic, engine.connect() as bound:
        config.attributes["connection"] = bound
        try:
            command.upgrade(config, to)
        except sqlalchemy.exc.DBAPIError as error:
            raise error.orig or error from error


class _Borrowed:
    """A connection lent to SQLAlchemy, which must not end a transaction that is not its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None:
        """Leave that to the owner."""

    def rollback(self) -> None:
        """Leave that to the owner."""

    def close(self) -> None:
        """Leave that to the owner."""
