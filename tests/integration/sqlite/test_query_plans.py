"""What must be quick uses an index, whatever else the store holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from holdfast.infrastructure.sqlite import statements as sql

Plan = Callable[[str], list[str]]

WITHIN_A_WORKFLOW = {
    "checkpoint": (sql.SELECT_CHECKPOINT, "checkpoints_by_sequence"),
    "the one before": (sql.SELECT_SEQUENCE_BEFORE, "checkpoints_by_sequence"),
    "parent": (sql.SELECT_PARENT, "checkpoints_by_sequence"),
    "head": (sql.SELECT_HEAD, "checkpoints_by_sequence"),
    "first": (sql.SELECT_FIRST, "checkpoints_by_sequence"),
    "count": (sql.COUNT_CHECKPOINTS, "checkpoints_by_sequence"),
    "unfinished": (sql.SELECT_UNFINISHED, "checkpoints_unfinished"),
    "created": (sql.SELECT_CREATED_OF, "checkpoints_by_sequence"),
    "events": (sql.SELECT_EVENTS_OF, "events_by_workflow"),
    "record": (sql.SELECT_WORKFLOW, "sqlite_autoindex_workflows_1"),
    "lease": (sql.SELECT_LEASE, "sqlite_autoindex_leases_1"),
    "attempts": (sql.SELECT_ATTEMPTS, "sqlite_autoindex_attempts_1"),
    "last attempt": (sql.SELECT_LAST_ATTEMPT, "sqlite_autoindex_attempts_1"),
}
BY_NUMBER = {
    "body": sql.SELECT_BODY,
    "update": sql.UPDATE_CHECKPOINT,
    "events": sql.SELECT_EVENTS,
    "created": sql.SELECT_CREATED,
    "name": sql.SELECT_WORKFLOW_BY_NUMBER,
    "keyframe": sql.SELECT_KEYFRAME,
    "keyframe body": sql.SELECT_KEYFRAME_BODY,
    "update of a workflow": sql.UPDATE_WORKFLOW,
}


@pytest.fixture
def plan(path: Path) -> Iterator[Plan]:
    """Return the steps that SQLite takes for a statement."""
    with closing(sqlite3.connect(path)) as raw:

        def explain(text: str) -> list[str]:
            values: Any = [None] * text.count("?") or _Anything()
            return [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {text}", values)]

        yield explain


@pytest.mark.parametrize(
    ("text", "index"), WITHIN_A_WORKFLOW.values(), ids=WITHIN_A_WORKFLOW.keys()
)
def test_plan_when_of_one_workflow_then_its_index_is_searched_and_nothing_is_sorted(
    plan: Plan, text: str, index: str
) -> None:
    (step,) = plan(text)

    assert step.startswith("SEARCH ")
    assert f"INDEX {index} (" in step


@pytest.mark.parametrize("text", BY_NUMBER.values(), ids=BY_NUMBER.keys())
def test_plan_when_by_number_then_the_table_is_searched_by_its_key(plan: Plan, text: str) -> None:
    (step,) = plan(text)

    assert step.startswith("SEARCH ")
    assert "USING INTEGER PRIMARY KEY" in step


def test_plan_when_the_workflows_unfinished_are_wanted_then_only_their_index_is_read(
    plan: Plan,
) -> None:
    (step,) = plan(sql.WORKFLOWS_UNFINISHED)

    assert step.endswith("USING INDEX workflows_unfinished")


def test_plan_when_the_history_of_a_scope_is_wanted_then_the_whole_scope_is_looked_up(
    plan: Plan,
) -> None:
    step = plan(sql.SELECT_SCOPE_HISTORY)[0]

    assert "INDEX checkpoints_facts (workflow=? AND stage_id=? AND agent_id=?" in step


def test_plan_when_progress_is_asked_for_then_facts_are_looked_up_on_both_sides(
    plan: Plan,
) -> None:
    new, *_, old = plan(sql.PROGRESSED_SINCE)

    assert "SEARCH new USING" in new
    assert "INDEX checkpoints_facts (workflow=?" in new
    assert "SEARCH old USING" in old
    assert "INDEX checkpoints_facts (workflow=? AND stage_id=? AND agent_id=? AND type=?" in old


@pytest.mark.parametrize("text", [sql.SELECT_CHAIN, sql.SELECT_CHAIN_ROWS, sql.IS_IN_CHAIN])
def test_plan_when_a_chain_is_walked_then_each_parent_is_looked_up(plan: Plan, text: str) -> None:
    steps = plan(text)

    at = steps.index("RECURSIVE STEP")
    looked_up = "USING INDEX checkpoints_by_sequence (workflow=? AND sequence=?)"
    assert steps[at - 1] == f"SEARCH checkpoints {looked_up}"
    assert steps[at + 2] == f"SEARCH c {looked_up[:-1]} AND rowid>?)"
    assert not [each for each in steps if each.startswith(("SCAN c ", "SCAN checkpoints"))]


@pytest.mark.parametrize(
    ("status", "type_", "older"), list(product([True, False], repeat=3)), ids=str
)
def test_plan_when_one_workflow_is_listed_then_it_is_never_a_scan_and_never_sorted(
    plan: Plan, status: bool, type_: bool, older: bool
) -> None:
    (step,) = plan(sql.select_matching(workflow=True, status=status, type_=type_, older=older))

    assert step.startswith("SEARCH checkpoints USING INDEX checkpoints_by_sequence (workflow=?")


@pytest.mark.parametrize(
    ("status", "type_", "older"), list(product([True, False], repeat=3)), ids=str
)
def test_plan_when_everything_is_listed_then_it_is_read_in_order_and_never_sorted(
    plan: Plan, status: bool, type_: bool, older: bool
) -> None:
    (step,) = plan(sql.select_matching(workflow=False, status=status, type_=type_, older=older))

    # Backwards through the table: the newest first, in flat memory.
    assert "INDEX" not in step
    assert step.startswith("SEARCH" if older else "SCAN")


def test_plan_when_the_next_numbers_are_wanted_then_only_the_ends_are_looked_at(
    path: Path,
) -> None:
    with closing(sqlite3.connect(path)) as raw:
        for text in (sql.NEXT_NUMBER, sql.NEXT_WORKFLOW):
            jumps = [row[1] for row in raw.execute(f"EXPLAIN {text}")]
            assert "Last" in jumps
            assert "Next" not in jumps
            assert "Rewind" not in jumps


class _Anything(dict[str, Any]):
    """A value for every parameter, by position or by name."""

    def __missing__(self, key: str) -> None:
        return None
