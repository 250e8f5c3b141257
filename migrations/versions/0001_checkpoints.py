"""Workflows, checkpoints, keyframes and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPENINGS = "type IN ('workflow_start', 'stage_start', 'agent_start')"


def upgrade() -> None:
    op.create_table(
        "workflows",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("workflow_id", sa.Text, nullable=False, unique=True),
        sa.Column("sequence_floor", sa.Integer, nullable=False),
        sa.Column("branched", sa.Integer, nullable=False),
        sa.Column("opening", sa.Integer),
        sa.Column("status", sa.Text),
        sa.Column("handler", sa.Text),
        sa.Column("seal", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "workflows_unfinished",
        "workflows",
        ["id"],
        sqlite_where=sa.text("status IN ('active', 'recovering', 'waiting', 'failed')"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("workflow", sa.Integer, sa.ForeignKey("workflows.id"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("stage_id", sa.Text),
        sa.Column("agent_id", sa.Text),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Integer, nullable=False),
        sa.Column("parent", sa.Integer),
        sa.Column("parent_scope", sa.Text),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("taken_over", sa.Integer),
        sa.Column("resume_handler", sa.Text),
        sa.Column("retry_count", sa.Integer, nullable=False),
        sa.Column("max_retries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Integer),
        sa.Column("reason", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("depends_on", sa.Text),
        sa.Column("metadata", sa.Text),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("keyframe", sa.Integer),
        sa.Column("since_rows", sa.Integer, nullable=False),
        sa.Column("since_bytes", sa.Integer, nullable=False),
        sa.Column("body_digest", sa.LargeBinary, nullable=False),
        sa.Column("link", sa.LargeBinary, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_index("checkpoints_by_sequence", "checkpoints", ["workflow", "sequence"], unique=True)
    op.create_index(
        "checkpoints_unfinished",
        "checkpoints",
        ["workflow", "sequence"],
        sqlite_where=sa.text(
            f"{_OPENINGS} AND status IN ('active', 'recovering', 'waiting', 'failed')"
        ),
    )
    op.create_index(
        "checkpoints_facts",
        "checkpoints",
        ["workflow", "stage_id", "agent_id", "type", "name", "sequence"],
        sqlite_where=sa.text("type <> 'progress' OR name IS NOT NULL"),
    )
    op.create_table(
        "keyframes",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("base", sa.Integer),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("body_digest", sa.LargeBinary, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("workflow_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("checkpoint", sa.Text),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("correlation_id", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("seal", sa.LargeBinary, nullable=False),
    )
    op.create_index("events_by_workflow", "events", ["workflow_id", "number"])
