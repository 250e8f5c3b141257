"""The revisions make what the `MetaData` says, to the letter."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from holdfast.infrastructure.sqlite import predicates, schema
from holdfast.infrastructure.sqlite.format import SCHEMA
from holdfast.infrastructure.sqlite.upgrade import run_revisions

TABLES = sorted(schema.metadata.tables)
PARTIAL = {
    "workflows_unfinished": predicates.IS_UNFINISHED_WORKFLOW,
    "checkpoints_unfinished": predicates.IS_UNFINISHED,
    "checkpoints_facts": predicates.IS_FACT,
    "keyframes_by_base": predicates.IS_DIFFERENCE,
}


@pytest.fixture
def revised(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database as the revisions make it."""
    with closing(sqlite3.connect(tmp_path / "revised.db", isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        run_revisions(raw)
        raw.execute("COMMIT")
        yield raw


@pytest.fixture
def declared(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database as the `MetaData` declares it."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    schema.metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "declared.db", isolation_level=None)) as raw:
        yield raw


def test_revisions_when_all_were_run_then_alembic_finds_nothing_to_do(
    revised: sqlite3.Connection, tmp_path: Path
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'revised.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        differences = compare_metadata(context, schema.metadata)
    engine.dispose()

    assert differences == []


def test_revisions_when_all_were_run_then_there_are_the_declared_tables_and_indexes_alone(
    revised: sqlite3.Connection, declared: sqlite3.Connection
) -> None:
    names = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE '%alembic%' ORDER BY 1, 2"

    assert revised.execute(names).fetchall() == declared.execute(names).fetchall()


@pytest.mark.parametrize("table", TABLES)
def test_revisions_when_all_were_run_then_each_table_is_as_declared(
    revised: sqlite3.Connection, declared: sqlite3.Connection, table: str
) -> None:
    for pragma in ("table_xinfo", "foreign_key_list"):
        made = revised.execute(f"PRAGMA {pragma}({table})").fetchall()
        assert made == declared.execute(f"PRAGMA {pragma}({table})").fetchall(), pragma
    assert _indexes(revised, table) == _indexes(declared, table)
    assert revised.execute(f"PRAGMA table_xinfo({table})").fetchall()


def test_revisions_when_all_were_run_then_each_index_has_the_declared_text(
    revised: sqlite3.Connection, declared: sqlite3.Connection
) -> None:
    # Conditions must agree to the letter: that is how SQLite finds out that an index will do.
    texts = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"

    made = dict(revised.execute(texts).fetchall())

    assert made == dict(declared.execute(texts).fetchall())
    assert {name: _condition(text) for name, text in made.items() if " WHERE " in text} == PARTIAL


def test_revisions_when_counted_then_the_newest_is_the_schema_that_this_version_writes() -> None:
    config = Config()
    config.set_main_option("script_location", str(files("holdfast.migrations")))
    config.set_main_option("path_separator", "os")
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())

    names = [each.revision for each in reversed(revisions)]
    assert names == [f"{number:04d}" for number in range(1, SCHEMA + 1)]
    assert [each.down_revision for each in reversed(revisions)] == [None, *names[:-1]]


@pytest.mark.parametrize("number", range(1, SCHEMA + 1))
def test_revision_when_it_is_run_then_it_uses_nothing_of_the_package_that_may_change(
    number: int,
) -> None:
    (path,) = Path(str(files("holdfast.migrations"))).glob(f"versions/{number:04d}_*.py")

    module: Any = importlib.import_module(f"holdfast.migrations.versions.{path.stem}")

    assert module.revision == f"{number:04d}"
    assert "holdfast" not in path.read_text()
    assert "from ." not in path.read_text()


def _indexes(database: sqlite3.Connection, table: str) -> list[Any]:
    """Return name, uniqueness, origin and partiality of each; the order is of no account."""
    rows = database.execute(f"PRAGMA index_list({table})").fetchall()
    return sorted(row[1:] for row in rows)


def _condition(text: str) -> str:
    return text.partition(" WHERE ")[2]
