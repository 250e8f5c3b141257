"""What workflows say of their retention, and the memory of what was purged."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("workflow", sa.Integer, sa.ForeignKey("workflows.id"), primary_key=True),
        sa.Column("days", sa.REAL),
        sa.Column("count", sa.Integer),
        sa.Column("seal", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "keyframes_by_base",
        "keyframes",
        ["base"],
        sqlite_where=sa.text("base IS NOT NULL"),
    )
    op.create_table(
        "purged",
        sa.Column("workflow", sa.Integer, sa.ForeignKey("workflows.id"), nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("workflow", "first"),
    )
