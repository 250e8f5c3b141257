"""Holds the schema that a store has against the one that it must have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import TypeAlias

_Described: TypeAlias = dict[tuple[str, str], object]


def problems_of_schema(connection: sqlite3.Connection) -> Iterator[str]:
    """Iterate over what is missing of the schema, or says something else than it must."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as expected:
        _create_all(expected)
        wanted = _described(expected)
    found = _described(connection)
    for (kind, name), description in wanted.items():
        if (kind, name) not in found:
            yield f"the {kind} {name} is missing from the schema"
        elif found[kind, name] != description:
            yield f"the schema of the {kind} {name} is not what was written"


def _create_all(connection: sqlite3.Connection) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    from .schema import metadata

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    metadata.create_all(engine)


def _described(connection: sqlite3.Connection) -> _Described:
    found: _Described = {}
    execute = connection.execute
    for (table,) in execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        columns = execute('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)', (table,))
        keys = execute('SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)', (table,))
        found["table", table] = (columns.fetchall(), sorted(keys.fetchall()))
        indexes = execute('SELECT name, "unique", partial FROM pragma_index_list(?)', (table,))
        for name, *flags in indexes.fetchall():
            columns = execute('SELECT name, "desc", coll, key FROM pragma_index_xinfo(?)', (name,))
            found["index", name] = (table, flags, columns.fetchall(), _condition(execute, name))
    return found


def _condition(execute: object, name: str) -> str:
    """Return the condition of a partial index; its text is nowhere but in what made it."""
    text = "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?"
    (made,) = execute(text, (name,)).fetchone() or (None,)  # type: ignore[operator]
    return " ".join((made or "").partition(" WHERE ")[2].split())
