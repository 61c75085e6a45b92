"""The job ledger."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import grant

revision = "0009_jobs"
down_revision = "0008_meetings"


def upgrade() -> None:

    op.create_table(
        "job",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kind", "community_id", "subject", name=op.f("pk_job")),
    )
    op.create_index(
        "ix_job_open",
        "job",
        ["kind", "community_id", "run_after"],
        unique=False,
        postgresql_where=sa.text("done < wanted AND dead_at IS NULL"),
    )
    grant("job")


def downgrade() -> None:
    op.drop_table("job")
