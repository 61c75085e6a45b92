"""Papers, figures and the rows behind them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.issued_papers import drop_freeze, freeze_issued_papers
from migrations.tenancy import guard_tenant_table

revision = "0008_meetings"
down_revision = "0007_rectification"


def upgrade() -> None:

    op.create_table(
        "paper",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("period_start_ms", sa.BigInteger(), nullable=False),
        sa.Column("period_end_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cutoff_ms", sa.BigInteger(), nullable=True),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=True),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_paper")),
        sa.UniqueConstraint(
            "community_id", "kind", "year", "issue", name=op.f("uq_paper_community_id_kind_year_issue")
        ),
    )
    op.create_index(
        op.f("ix_paper_community_id_kind_period_start_ms"),
        "paper",
        ["community_id", "kind", "period_start_ms"],
        unique=False,
    )
    op.create_table(
        "paper_figure",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("row_kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "paper_id", "key", name=op.f("pk_paper_figure")),
    )
    op.create_table(
        "paper_figure_row",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "paper_id", "key", "n", name=op.f("pk_paper_figure_row")),
    )
    guard_tenant_table("paper")
    guard_tenant_table("paper_figure")
    guard_tenant_table("paper_figure_row")
    freeze_issued_papers()


def downgrade() -> None:
    op.drop_table("paper_figure_row")
    op.drop_table("paper_figure")
    op.drop_table("paper")
    drop_freeze()
