"""A community's changes to its rules are published as numbered versions."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import guard_tenant_table

revision = "0015_rule_changes"
down_revision = "0014_evacuations"


def upgrade() -> None:
    op.create_table(
        "rule_change",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("published_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_rule_change")),
        sa.UniqueConstraint("community_id", "version", name=op.f("uq_rule_change_community_id_version")),
    )
    guard_tenant_table("rule_change")
    for table in ("rule_override", "reassessment"):
        op.add_column(table, sa.Column("change_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    for table in ("reassessment", "rule_override"):
        op.drop_column(table, "change_id")
    op.drop_table("rule_change")
