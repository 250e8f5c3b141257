"""The SQL of the hot path, held against the schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from holdfast.infrastructure.sqlite import care_statements, schema, statements
from holdfast.infrastructure.sqlite.rows import CheckpointRow
from holdfast.infrastructure.sqlite.upgrade import run_revisions

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
STATEMENTS = {
    name: text
    for name, text in (vars(care_statements) | vars(statements)).items()
    if isinstance(text, str) and not name.startswith("_") and text.startswith(VERBS)
}
CHOICES = list(product([True, False], repeat=4))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("statements") / "revised.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        run_revisions(raw)
        raw.execute("COMMIT")
        yield raw


def test_statements_when_collected_then_none_is_left_out() -> None:
    assert len(STATEMENTS) >= 30
    assert {"INSERT_CHECKPOINT", "SELECT_CHAIN", "PROGRESSED_SINCE"} <= STATEMENTS.keys()


@pytest.mark.parametrize("text", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_statement_when_prepared_then_the_schema_has_all_that_it_names(
    database: sqlite3.Connection, text: str
) -> None:
    assert _prepare(database, text)


@pytest.mark.parametrize("table", schema.metadata.tables)
def test_statement_when_made_for_a_table_then_the_schema_has_all_that_it_names(
    database: sqlite3.Connection, table: str
) -> None:
    columns = [each.name for each in schema.metadata.tables[table].columns]
    for text in (
        care_statements.select_rows(table),
        care_statements.select_row(table),
        care_statements.delete_row(table),
        care_statements.update_row(table, columns),
    ):
        assert _prepare(database, text)


@pytest.mark.parametrize(("workflow", "status", "type_", "older"), CHOICES, ids=str)
def test_select_matching_when_prepared_then_it_has_a_parameter_for_each_that_is_set(
    database: sqlite3.Connection, workflow: bool, status: bool, type_: bool, older: bool
) -> None:
    text = statements.select_matching(workflow=workflow, status=status, type_=type_, older=older)

    assert _prepare(database, text)
    wanted = {":workflow": workflow, ":status": status, ":type": type_, ":older": older}
    assert {name: name in text for name in wanted} == wanted


@pytest.mark.parametrize(
    ("columns", "table", "besides"),
    [
        (statements.CHECKPOINT_COLUMNS, schema.checkpoints, ["body"]),
        (statements.KEYFRAME_COLUMNS, schema.keyframes, ["body"]),
        (statements.LEASE_COLUMNS, schema.leases, []),
        (statements.ATTEMPT_COLUMNS, schema.attempts, []),
        (statements.EVENT_COLUMNS, schema.events, []),
        (statements.PURGED_COLUMNS, schema.purged, []),
    ],
    ids=["checkpoints", "keyframes", "leases", "attempts", "events", "purged"],
)
def test_columns_when_listed_then_they_are_those_of_the_table_in_its_order(
    columns: str, table: sa.Table, besides: list[str]
) -> None:
    assert [*columns.split(", "), *besides] == table.columns.keys()


def test_columns_when_of_a_row_then_they_are_those_that_are_read() -> None:
    assert list(CheckpointRow._fields) == statements.CHECKPOINT_COLUMNS.split(", ")


def test_columns_when_a_workflow_is_read_or_written_then_they_are_those_of_its_table() -> None:
    columns = ", ".join(schema.workflows.columns.keys())

    assert statements.SELECT_WORKFLOW.startswith(f"SELECT {columns} FROM")
    assert f"({columns})" in statements.INSERT_WORKFLOW


@pytest.mark.parametrize("table", schema.metadata.tables.values(), ids=str)
def test_columns_when_a_table_is_sealed_then_the_seal_is_the_last_but_for_the_body(
    table: sa.Table,
) -> None:
    names = [each.name for each in table.columns if each.name != "body"]

    assert names[-1] == "seal"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (statements.INSERT_CHECKPOINT, len(schema.checkpoints.columns)),
        (statements.INSERT_KEYFRAME, len(schema.keyframes.columns)),
        (statements.INSERT_WORKFLOW, len(schema.workflows.columns)),
        (statements.PUT_LEASE, len(schema.leases.columns)),
        (statements.PUT_ATTEMPT, len(schema.attempts.columns)),
        (statements.INSERT_EVENT, len(schema.events.columns)),
        (statements.PUT_KEYFRAME, len(schema.keyframes.columns)),
        (statements.PUT_RETENTION, len(schema.retention.columns)),
        (statements.PUT_PURGED, len(schema.purged.columns)),
    ],
    ids=[
        "checkpoint",
        "keyframe",
        "workflow",
        "lease",
        "attempt",
        "event",
        "kept",
        "retention",
        "purged",
    ],
)
def test_insert_when_counted_then_it_has_a_value_for_every_column(text: str, columns: int) -> None:
    assert text.count("?") == columns


def _prepare(database: sqlite3.Connection, text: str) -> list[Any]:
    values: Any = [None] * text.count("?") or _Anything()
    return database.execute(f"EXPLAIN {text}", values).fetchall()


class _Anything(dict[str, Any]):
    """A value for every parameter by name."""

    def __missing__(self, key: str) -> None:
        return None
