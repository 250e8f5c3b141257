"""The SQL of the hot path and of the reading commands, in one place.

Prepared by the driver, which keeps each text's statement. A test holds every text against the
`schema` and looks at the query plans of those that must not scan.
"""

from .predicates import CLOSINGS, IS_FACT, IS_UNFINISHED, IS_UNFINISHED_WORKFLOW, OPENINGS

# Without the body, which is read only when asked for.
CHECKPOINT_COLUMNS = (
    "number, workflow, sequence, stage_id, agent_id, type, status, name, kind, created_at, "
    "updated_at, parent, parent_scope, epoch, taken_over, resume_handler, retry_count, "
    "max_retries, due_at, reason, error, depends_on, metadata, schema_version, keyframe, "
    "since_rows, since_bytes, body_digest, link, seal"
)
_PREFIXED = ", ".join(f"c.{column.strip()}" for column in CHECKPOINT_COLUMNS.split(","))

NEXT_NUMBER = (
    "SELECT max(ifnull((SELECT max(number) FROM checkpoints), 0), "
    "ifnull((SELECT max(number) FROM events), 0)) + 1"
)

# All that a writer must know of a workflow and may remember.
SELECT_RECOLLECTION = (
    "SELECT (SELECT seal FROM leases WHERE resource = w.workflow_id), w.seal, c.sequence, c.link, "
    f"c.keyframe, c.since_rows, c.since_bytes, ({NEXT_NUMBER}) FROM workflows AS w "
    "JOIN checkpoints AS c ON c.workflow = w.id AND c.sequence = "
    "(SELECT max(sequence) FROM checkpoints WHERE workflow = w.id) WHERE w.workflow_id = ?"
)

SELECT_SEAL = {
    "checkpoints": "SELECT seal FROM checkpoints WHERE number = ?",
    "events": "SELECT seal FROM events WHERE number = ?",
}

# Workflows

_WORKFLOW_COLUMNS = "id, workflow_id, sequence_floor, branched, opening, status, handler, seal"
SELECT_WORKFLOW = f"SELECT {_WORKFLOW_COLUMNS} FROM workflows WHERE workflow_id = ?"
SELECT_WORKFLOW_BY_NUMBER = f"SELECT {_WORKFLOW_COLUMNS} FROM workflows WHERE id = ?"
INSERT_WORKFLOW = f"INSERT INTO workflows ({_WORKFLOW_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
NEXT_WORKFLOW = "SELECT ifnull(max(id), 0) + 1 FROM workflows"
UPDATE_WORKFLOW = (
    "UPDATE workflows SET sequence_floor = ?, branched = ?, opening = ?, status = ?, handler = ?, "
    "seal = ? WHERE id = ?"
)
WORKFLOW_NAMES = (
    "SELECT workflow_id FROM workflows AS w WHERE EXISTS (SELECT 1 FROM checkpoints "
    "WHERE workflow = w.id) LIMIT ?"
)
SELECT_WORKFLOWS = f"SELECT {_WORKFLOW_COLUMNS} FROM workflows ORDER BY id"
WORKFLOWS_BY_HEAD = (
    "SELECT workflow_id FROM workflows AS w WHERE EXISTS (SELECT 1 FROM checkpoints "
    "WHERE workflow = w.id) ORDER BY (SELECT number FROM checkpoints WHERE workflow = w.id "
    "ORDER BY sequence DESC LIMIT 1) DESC"
)
WORKFLOWS_UNFINISHED = f"SELECT workflow_id FROM workflows WHERE {IS_UNFINISHED_WORKFLOW}"

NAMES = (
    "SELECT workflow_id AS name FROM workflows UNION SELECT resource FROM leases "
    "UNION SELECT workflow_id FROM attempts ORDER BY name"
)

# Checkpoints

INSERT_CHECKPOINT = (
    f"INSERT INTO checkpoints ({CHECKPOINT_COLUMNS}, body) "
    f"VALUES ({', '.join('?' * (CHECKPOINT_COLUMNS.count(',') + 2))})"
)
UPDATE_CHECKPOINT = (
    "UPDATE checkpoints SET status = ?, updated_at = ?, taken_over = ?, resume_handler = ?, "
    "retry_count = ?, due_at = ?, reason = ?, error = ?, seal = ? WHERE number = ?"
)
SELECT_CHECKPOINT = (
    f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE workflow = ? AND sequence = ?"
)
SELECT_BODY = "SELECT body FROM checkpoints WHERE number = ?"
SELECT_HEAD = (
    f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE workflow = ? "
    "ORDER BY sequence DESC LIMIT 1"
)
SELECT_SEQUENCE_BEFORE = (
    "SELECT sequence FROM checkpoints WHERE workflow = ? AND sequence < ? "
    "ORDER BY sequence DESC LIMIT 1"
)
SELECT_PARENT = "SELECT parent FROM checkpoints WHERE workflow = ? AND sequence = ?"
SELECT_FIRST = (
    f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE workflow = ? ORDER BY sequence LIMIT 1"
)
SELECT_LAST_SEQUENCE = "SELECT max(sequence) FROM checkpoints WHERE workflow = ?"
COUNT_CHECKPOINTS = "SELECT count(*) FROM checkpoints WHERE workflow = ?"
SELECT_UNFINISHED = (
    f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE workflow = ? AND {IS_UNFINISHED} "
    "ORDER BY sequence"
)
# SQLite would rather walk all of the workflow in the order asked for than sort the few rows.
SELECT_SCOPE_HISTORY = (
    f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints INDEXED BY checkpoints_facts "
    "WHERE workflow = ? AND stage_id IS ? "
    f"AND agent_id IS ? AND type IN ({OPENINGS}, {CLOSINGS}) AND ({IS_FACT}) "
    "ORDER BY sequence DESC"
)

# From a checkpoint back to its root, or to the first after a number. A parent always has the lower
# sequence: damage cannot send this round in circles.
_CHAIN = (
    "WITH RECURSIVE chain(sequence, parent) AS ("
    "SELECT sequence, parent FROM checkpoints WHERE workflow = :workflow AND sequence = :sequence "
    "UNION ALL SELECT c.sequence, c.parent FROM chain JOIN checkpoints AS c "
    "ON c.workflow = :workflow AND c.sequence = chain.parent AND c.sequence < chain.sequence "
    "AND c.number > :after) "
)
SELECT_CHAIN_ROWS = (
    f"{_CHAIN}SELECT {_PREFIXED} FROM chain CROSS JOIN checkpoints AS c "
    "ON c.workflow = :workflow AND c.sequence = chain.sequence ORDER BY c.sequence DESC"
)
SELECT_CHAIN = (
    f"{_CHAIN}SELECT {_PREFIXED}, c.body FROM chain CROSS JOIN checkpoints AS c "
    "ON c.workflow = :workflow AND c.sequence = chain.sequence ORDER BY c.sequence"
)
IS_IN_CHAIN = f"{_CHAIN}SELECT 1 FROM chain WHERE sequence = :wanted"

PROGRESSED_SINCE = (
    "SELECT 1 FROM checkpoints AS new INDEXED BY checkpoints_facts "
    f"WHERE new.workflow = :workflow AND ({IS_FACT.replace('type', 'new.type')}) "
    f"AND (new.type IN ({CLOSINGS}, 'sync_barrier', 'progress')) "
    "AND new.sequence > :sequence AND NOT EXISTS ("
    "SELECT 1 FROM checkpoints AS old INDEXED BY checkpoints_facts "
    "WHERE old.workflow = :workflow AND old.stage_id IS new.stage_id "
    "AND old.agent_id IS new.agent_id AND old.type = new.type "
    f"AND (old.name IS new.name OR new.type IN ({CLOSINGS})) "
    f"AND old.sequence <= :sequence AND ({IS_FACT.replace('type', 'old.type')})) LIMIT 1"
)

# Keyframes

KEYFRAME_COLUMNS = "number, base, depth, size, body_digest, seal"
SELECT_KEYFRAME = f"SELECT {KEYFRAME_COLUMNS} FROM keyframes WHERE number = ?"
SELECT_KEYFRAME_BODY = "SELECT body FROM keyframes WHERE number = ?"
INSERT_KEYFRAME = f"INSERT INTO keyframes ({KEYFRAME_COLUMNS}, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
SELECT_PARENT_OF_NUMBER = (
    f"SELECT {_PREFIXED} FROM checkpoints AS at JOIN checkpoints AS c "
    "ON c.workflow = at.workflow AND c.sequence = at.parent WHERE at.number = ?"
)
# Where the newest keyframe stands that is in the chain of a row whose parent is gone.
SELECT_SEQUENCE_OF_KEYFRAME = (
    "SELECT at.sequence FROM checkpoints AS c JOIN checkpoints AS at "
    "ON at.number = c.keyframe AND at.workflow = c.workflow "
    "WHERE c.workflow = ? AND c.parent = ? AND at.sequence < ? ORDER BY at.sequence DESC LIMIT 1"
)

# Retention. What the going of a row frees, about: its columns and its entries in the indexes have
# some 200 bytes, a keyframe's some 80.

_SIZE = (
    "200 + ifnull(length(c.body), 0) + ifnull(length(c.metadata), 0) + ifnull(length(c.error), 0) "
    "+ CASE WHEN c.keyframe IS c.number THEN ifnull((SELECT 80 + length(k.body) "
    "FROM keyframes AS k WHERE k.number = c.number), 0) ELSE 0 END"
)
WORKFLOWS_AFTER = (
    "SELECT workflow_id FROM workflows AS w WHERE workflow_id > ? AND EXISTS (SELECT 1 "
    "FROM checkpoints WHERE workflow = w.id) ORDER BY workflow_id LIMIT ?"
)
SELECT_AGED = (
    f"SELECT {_PREFIXED}, {_SIZE} FROM checkpoints AS c WHERE c.workflow = ? AND c.sequence > ? "
    "ORDER BY c.sequence"
)
NEWEST_SIZES = f"SELECT c.number, {_SIZE} FROM checkpoints AS c ORDER BY c.number DESC"
NEWEST_SIZES_OF = (
    f"SELECT c.number, {_SIZE} FROM checkpoints AS c WHERE c.workflow = ? ORDER BY c.sequence DESC"
)
MEASURE_RANGE = (
    f"SELECT count(*), ifnull(sum({_SIZE}), 0), min(c.sequence), max(c.sequence) "
    "FROM checkpoints AS c WHERE c.workflow = ? AND c.sequence BETWEEN ? AND ?"
)
DELETE_RANGE = "DELETE FROM checkpoints WHERE workflow = ? AND sequence BETWEEN ? AND ?"
# Of a range of checkpoints; what stands on them, and is not among them.
DELETE_KEYFRAMES = (
    "DELETE FROM keyframes WHERE number IN (SELECT number FROM checkpoints "
    "WHERE workflow = ? AND sequence BETWEEN ? AND ?)"
)
SELECT_STANDING_ON = (
    "SELECT k.number FROM checkpoints AS c JOIN keyframes AS k ON k.base = c.number "
    "JOIN checkpoints AS at ON at.number = k.number "
    "WHERE c.workflow = :workflow AND c.sequence BETWEEN :first AND :last "
    "AND at.sequence > :last"
)
PUT_KEYFRAME = INSERT_KEYFRAME.replace("INSERT", "INSERT OR REPLACE", 1)
GIVE_KEYFRAME = (
    "UPDATE checkpoints SET keyframe = ?, since_rows = ?, since_bytes = ?, seal = ? "
    "WHERE number = ?"
)
DELETE_EVENTS = (
    "DELETE FROM events WHERE number IN (SELECT number FROM events WHERE workflow_id = ? "
    "AND number < ? ORDER BY number LIMIT ?)"
)
DELETE_ATTEMPTS = (
    "DELETE FROM attempts WHERE workflow_id = :workflow_id AND number < (SELECT max(number) "
    "FROM attempts WHERE workflow_id = :workflow_id AND begun_after < :before)"
)
DELETE_ALL_ATTEMPTS = "DELETE FROM attempts WHERE workflow_id = ?"

SELECT_RETENTION = "SELECT workflow, days, count, seal FROM retention WHERE workflow = ?"
PUT_RETENTION = "INSERT OR REPLACE INTO retention (workflow, days, count, seal) VALUES (?, ?, ?, ?)"
DELETE_RETENTION = "DELETE FROM retention WHERE workflow = ?"

PURGED_COLUMNS = "workflow, first, last, at, seal"
SELECT_PURGED = f"SELECT {PURGED_COLUMNS} FROM purged WHERE workflow = ? ORDER BY first"
SELECT_PURGED_AT = (
    f"SELECT {PURGED_COLUMNS} FROM purged WHERE workflow = :workflow AND first <= :sequence "
    "AND last >= :sequence ORDER BY at LIMIT 1"
)
SELECT_PURGED_LAST = (
    f"SELECT {PURGED_COLUMNS} FROM purged WHERE workflow = ? ORDER BY at DESC LIMIT 1"
)
PUT_PURGED = f"INSERT OR REPLACE INTO purged ({PURGED_COLUMNS}) VALUES (?, ?, ?, ?, ?)"
DELETE_PURGED = "DELETE FROM purged WHERE workflow = ? AND first = ?"

# Leases, attempts, events

LEASE_COLUMNS = (
    "resource, epoch, token, owner, duration, taken_at, renewed_at, renewed_boot_id, "
    "renewed_uptime_ns, stop_asked_at, seal"
)
SELECT_LEASE = f"SELECT {LEASE_COLUMNS} FROM leases WHERE resource = ?"
PUT_LEASE = (
    f"INSERT OR REPLACE INTO leases ({LEASE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

ATTEMPT_COLUMNS = (
    "workflow_id, number, epoch, handler, owner, correlation_id, begun_at, begun_after, target, "
    "ended_at, outcome, error, output_tail, seal"
)
PUT_ATTEMPT = (
    f"INSERT OR REPLACE INTO attempts ({ATTEMPT_COLUMNS}) "
    f"VALUES ({', '.join('?' * (ATTEMPT_COLUMNS.count(',') + 1))})"
)
SELECT_LAST_ATTEMPT = (
    f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE workflow_id = ? ORDER BY number DESC LIMIT 1"
)
SELECT_ATTEMPTS = f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE workflow_id = ? ORDER BY number"

EVENT_COLUMNS = "number, workflow_id, kind, at, checkpoint, epoch, correlation_id, detail, seal"
INSERT_EVENT = f"INSERT INTO events ({EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
SELECT_EVENTS = (
    f"SELECT {EVENT_COLUMNS} FROM events WHERE number > :after ORDER BY number LIMIT :limit"
)
SELECT_EVENTS_OF = (
    f"SELECT {EVENT_COLUMNS} FROM events WHERE workflow_id = :workflow_id AND number > :after "
    "ORDER BY number LIMIT :limit"
)
SELECT_CREATED = (
    f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE number > :after ORDER BY number "
    "LIMIT :limit"
)
SELECT_CREATED_OF = (
    f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints WHERE workflow = :workflow "
    "AND number > :after ORDER BY sequence LIMIT :limit"
)


def quoted(name: str) -> str:
    """Return the name of a table or a column as SQL: one that a file brings may be anything.

    >>> quoted('a "b"; --')
    '"a ""b""; --"'
    """
    return '"' + name.replace('"', '""') + '"'


def select_matching(*, workflow: bool, status: bool, type_: bool, older: bool) -> str:
    """Return the text that selects checkpoints, the newest first; a parameter for each that is set.

    The parameters are ``:workflow``, ``:status``, ``:type`` and ``:older``.
    """
    terms = [
        term
        for term, wanted in (
            ("workflow = :workflow", workflow),
            ("status = :status", status),
            ("type = :type", type_),
            ("number < :older", older),
        )
        if wanted
    ]
    where = f"WHERE {' AND '.join(terms)} " if terms else ""
    # Within one workflow numbers and sequences grow together, and sequences have an index.
    order = "sequence" if workflow else "number"
    return f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoints {where}ORDER BY {order} DESC"
