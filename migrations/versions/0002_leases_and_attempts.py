"""Leases and attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("resource", sa.Text, primary_key=True, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("token", sa.Text),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("duration", sa.REAL, nullable=False),
        sa.Column("taken_at", sa.Integer, nullable=False),
        sa.Column("renewed_at", sa.Integer, nullable=False),
        sa.Column("renewed_boot_id", sa.Text),
        sa.Column("renewed_uptime_ns", sa.Integer, nullable=False),
        sa.Column("stop_asked_at", sa.Integer),
        sa.Column("seal", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("workflow_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("handler", sa.Text),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("begun_at", sa.Integer, nullable=False),
        sa.Column("begun_after", sa.Integer, nullable=False),
        sa.Column("target", sa.Text),
        sa.Column("ended_at", sa.Integer),
        sa.Column("outcome", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("output_tail", sa.Text),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("workflow_id", "number"),
    )
