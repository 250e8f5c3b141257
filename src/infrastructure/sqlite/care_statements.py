"""The SQL that looks after a store: what `statements` is for the hot path, held to the same tests.

Apart from it, so that nobody who only saves and reads loads it.
"""

from __future__ import annotations

from collections.abc import Iterable

from .statements import CHECKPOINT_COLUMNS, KEYFRAME_COLUMNS, PURGED_COLUMNS, quoted

COUNT_ALL = (
    "SELECT (SELECT count(*) FROM checkpoints), (SELECT count(*) FROM events), "
    "(SELECT count(*) FROM attempts)"
)
COUNT_STATUSES = (
    "SELECT status, count(*) FROM workflows AS w WHERE EXISTS "
    "(SELECT 1 FROM checkpoints WHERE workflow = w.id) GROUP BY status"
)

# Looking through

SELECT_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
SELECT_COLUMNS = "SELECT name FROM pragma_table_info(?)"
SELECT_ALL_CHECKPOINTS = (
    f"SELECT {CHECKPOINT_COLUMNS}, body FROM checkpoints "
    "INDEXED BY checkpoints_by_sequence ORDER BY workflow, sequence"
)
SELECT_ALL_KEYFRAMES = f"SELECT {KEYFRAME_COLUMNS}, body FROM keyframes ORDER BY number"
SELECT_OPENING = (
    "SELECT type, status, resume_handler FROM checkpoints WHERE workflow = ? AND sequence = ?"
)
SELECT_WORKFLOW_OF_NUMBER = "SELECT c.workflow, c.sequence FROM checkpoints AS c WHERE c.number = ?"
SELECT_WHO_NEEDS_KEYFRAME = (
    "SELECT 1 FROM checkpoints WHERE number = :number OR keyframe = :number "
    "UNION ALL SELECT 1 FROM keyframes WHERE base = :number LIMIT 1"
)
SELECT_NUMBERS_TWICE = (
    "SELECT e.number, e.workflow_id FROM events AS e JOIN checkpoints AS c ON c.number = e.number"
)
SELECT_WITHOUT_LEASE = (
    "SELECT DISTINCT workflow_id FROM attempts AS a WHERE NOT EXISTS "
    "(SELECT 1 FROM leases WHERE resource = a.workflow_id)"
)
# What went is below everything that was given out, and its range has a beginning and an end.
SELECT_WRONG_PURGED = (
    f"SELECT p.rowid, w.workflow_id FROM (SELECT rowid, {PURGED_COLUMNS} FROM purged) AS p "
    "LEFT JOIN workflows AS w ON w.id = p.workflow WHERE w.id IS NULL OR p.first < 1 "
    "OR p.first > p.last OR p.last > max(w.sequence_floor, ifnull((SELECT max(sequence) "
    "FROM checkpoints WHERE workflow = w.id), 0))"
)
SELECT_WRONG_RETENTION = (
    "SELECT r.workflow, w.workflow_id FROM retention AS r LEFT JOIN workflows AS w "
    "ON w.id = r.workflow WHERE w.id IS NULL OR r.days < 0 OR r.count < 0"
)

# Putting right

SELECT_NEWEST_SEQUENCE = "SELECT max(sequence) FROM checkpoints WHERE workflow = ?"
SELECT_WHOLE_CHECKPOINT = "SELECT * FROM checkpoints WHERE number = ?"
SELECT_WHOLE_HISTORY = "SELECT * FROM checkpoints WHERE workflow = ? ORDER BY sequence"
SELECT_WHOLE_WORKFLOW = "SELECT * FROM workflows WHERE id = ?"
PUT_BODY_OF_KEYFRAME = "UPDATE keyframes SET body = ? WHERE number = ?"
PUT_BODY_OF_CHECKPOINT = "UPDATE checkpoints SET body = ? WHERE number = ?"
FORGET_KEYFRAME = (
    "UPDATE checkpoints SET keyframe = NULL, since_rows = 1, seal = ? WHERE number = ?"
)
NAME_WORKFLOW = "UPDATE workflows SET workflow_id = ? WHERE id = ?"
SELECT_NAMELESS_LEASES = (
    "SELECT resource FROM leases WHERE resource NOT IN (SELECT workflow_id FROM workflows)"
)
SELECT_NAMES_IN_EVENTS = (
    "SELECT DISTINCT workflow_id FROM events "
    "WHERE workflow_id NOT IN (SELECT workflow_id FROM workflows)"
)
SELECT_HIGHEST_EPOCHS = (
    "SELECT max(epoch) FROM attempts WHERE workflow_id = :name "
    "UNION ALL SELECT max(epoch) FROM events WHERE workflow_id = :name "
    "UNION ALL SELECT max(max(c.epoch, ifnull(c.taken_over, 0))) FROM checkpoints AS c "
    "JOIN workflows AS w ON w.id = c.workflow WHERE w.workflow_id = :name"
)

# Of tables and columns as the file names them: quoted, since it may be a strange one.


def select_rows(table: str) -> str:
    """Return the text that selects the rows of a table, each after its number."""
    return f"SELECT rowid, * FROM {quoted(table)}"


def select_row(table: str) -> str:
    """Return the text that selects one row of a table by its number."""
    return f"SELECT * FROM {quoted(table)} WHERE rowid = ?"


def delete_row(table: str) -> str:
    """Return the text that takes one row out of a table by its number."""
    return f"DELETE FROM {quoted(table)} WHERE rowid = ?"


def update_row(table: str, columns: Iterable[str]) -> str:
    """Return the text that changes columns of one row of a table, by its number."""
    changes = ", ".join(f"{quoted(name)} = ?" for name in columns)
    return f"UPDATE {quoted(table)} SET {changes} WHERE rowid = ?"


def reindex(index: str) -> str:
    """Return the text that makes an index anew."""
    return f"REINDEX {quoted(index)}"
