"""The schema, as SQLAlchemy knows it. `statements` is checked against it by a test.

Times are microseconds since 1970 in UTC. ``seal`` is a digest of the other columns of its row, so
that no damage and no edit by hand is returned as good.
"""

from __future__ import annotations

from sqlalchemy import (
    REAL,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from .predicates import IS_DIFFERENCE, IS_FACT, IS_UNFINISHED, IS_UNFINISHED_WORKFLOW

metadata = MetaData()

workflows = Table(
    "workflows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("workflow_id", Text, nullable=False, unique=True),
    # Sequences up to here were given out, whatever rows there are: it outlives deleted ones.
    Column("sequence_floor", Integer, nullable=False),
    # Whether some checkpoint's parent was not the head: only then is the chain not all of it.
    Column("branched", Integer, nullable=False),
    # Copies of its newest opening's fields, so that a writer and a scan need not look for it.
    Column("opening", Integer),
    Column("status", Text),
    Column("handler", Text),
    Column("seal", LargeBinary, nullable=False),
    Index("workflows_unfinished", "id", sqlite_where=text(IS_UNFINISHED_WORKFLOW)),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    # The number of its `created` event: one count for both tables, so that a save writes one row.
    Column("number", Integer, primary_key=True),
    Column("workflow", Integer, ForeignKey("workflows.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("stage_id", Text),
    Column("agent_id", Text),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("name", Text),
    Column("kind", Text),
    Column("created_at", Integer, nullable=False),
    Column("updated_at", Integer, nullable=False),
    Column("parent", Integer),
    Column("parent_scope", Text),
    Column("epoch", Integer, nullable=False),
    # The epoch that took an opening over last; `epoch` is that which wrote it.
    Column("taken_over", Integer),
    Column("resume_handler", Text),
    Column("retry_count", Integer, nullable=False),
    Column("max_retries", Integer, nullable=False),
    Column("due_at", Integer),
    Column("reason", Text),
    Column("error", Text),
    Column("depends_on", Text),
    Column("metadata", Text),
    Column("schema_version", Integer, nullable=False),
    # The newest keyframe in its chain (the number of the checkpoint at which it stands), and how
    # many rows, and bytes of bodies, have been added to the chain since.
    Column("keyframe", Integer),
    Column("since_rows", Integer, nullable=False),
    Column("since_bytes", Integer, nullable=False),
    Column("body_digest", LargeBinary, nullable=False),
    Column("link", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    # Last, so that what comes before is read without it.
    Column("body", LargeBinary),
    Index("checkpoints_by_sequence", "workflow", "sequence", unique=True),
    Index("checkpoints_unfinished", "workflow", "sequence", sqlite_where=text(IS_UNFINISHED)),
    Index(
        "checkpoints_facts",
        "workflow",
        "stage_id",
        "agent_id",
        "type",
        "name",
        "sequence",
        sqlite_where=text(IS_FACT),
    ),
)

# What chains add up to, so that a rebuild need not read them from their root. Nothing but a shorter
# way as long as the checkpoints before are there.
keyframes = Table(
    "keyframes",
    metadata,
    # That of the checkpoint at which it stands.
    Column("number", Integer, primary_key=True),
    # The keyframe that the body is a difference from, and how many such steps there are to a body
    # that stands for itself.
    Column("base", Integer),
    Column("depth", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("body_digest", LargeBinary, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # A purge must know what stands on what goes.
    Index("keyframes_by_base", "base", sqlite_where=text(IS_DIFFERENCE)),
)

events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("workflow_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Integer, nullable=False),
    Column("checkpoint", Text),
    Column("epoch", Integer, nullable=False),
    Column("correlation_id", Text),
    Column("detail", Text),
    Column("seal", LargeBinary, nullable=False),
    Index("events_by_workflow", "workflow_id", "number"),
)

leases = Table(
    "leases",
    metadata,
    Column("resource", Text, primary_key=True, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("token", Text),
    Column("owner", Text, nullable=False),
    Column("duration", REAL, nullable=False),
    Column("taken_at", Integer, nullable=False),
    Column("renewed_at", Integer, nullable=False),
    Column("renewed_boot_id", Text),
    Column("renewed_uptime_ns", Integer, nullable=False),
    Column("stop_asked_at", Integer),
    Column("seal", LargeBinary, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("workflow_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("handler", Text),
    Column("owner", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("begun_at", Integer, nullable=False),
    Column("begun_after", Integer, nullable=False),
    Column("target", Text),
    Column("ended_at", Integer),
    Column("outcome", Text),
    Column("error", Text),
    Column("output_tail", Text),
    Column("seal", LargeBinary, nullable=False),
    PrimaryKeyConstraint("workflow_id", "number"),
)

# What workflows say of their retention; of most there is nothing.
retention = Table(
    "retention",
    metadata,
    Column("workflow", Integer, ForeignKey("workflows.id"), primary_key=True),
    Column("days", REAL),
    Column("count", Integer),
    Column("seal", LargeBinary, nullable=False),
)

# Ranges of sequences that went, so that asking for one says when.
purged = Table(
    "purged",
    metadata,
    Column("workflow", Integer, ForeignKey("workflows.id"), nullable=False),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    PrimaryKeyConstraint("workflow", "first"),
)
