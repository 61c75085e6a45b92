"""The full life cycle: extensions, referrals, 回头看 draws; the version of what a console step says."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import guard_tenant_table

revision = "0011_life_cycle"
down_revision = "0010_rule_thresholds"


def upgrade() -> None:
    op.add_column("hazard", sa.Column("extensions", sa.Integer(), server_default=sa.text("0"), nullable=False))
    for column in ("referred_ms", "chased_ms", "recheck_ms"):
        op.add_column("rectification_task", sa.Column(column, sa.BigInteger(), nullable=True))
    version = sa.Column("schema_version", sa.Integer(), server_default=sa.text("1"), nullable=False)
    op.add_column("task_step", version)

    op.create_table(
        "recheck_draw",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("drawn_ms", sa.BigInteger(), nullable=False),
        sa.Column("drawn_by", sa.Uuid(), nullable=False),
        sa.Column("closed_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_to_ms", sa.BigInteger(), nullable=False),
        sa.Column("population", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_recheck_draw")),
    )
    op.create_index(
        op.f("ix_recheck_draw_community_id_drawn_ms_id"),
        "recheck_draw",
        ["community_id", "drawn_ms", "id"],
        unique=False,
    )
    op.create_table(
        "recheck_item",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("draw_id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("drawn_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "draw_id", "hazard_id", name=op.f("pk_recheck_item")),
    )
    op.create_index(
        op.f("ix_recheck_item_community_id_hazard_id"),
        "recheck_item",
        ["community_id", "hazard_id"],
        unique=False,
    )
    guard_tenant_table("recheck_draw")
    guard_tenant_table("recheck_item")


def downgrade() -> None:
    op.drop_table("recheck_item")
    op.drop_table("recheck_draw")
    op.drop_column("task_step", "schema_version")
    for column in ("referred_ms", "chased_ms", "recheck_ms"):
        op.drop_column("rectification_task", column)
    op.drop_column("hazard", "extensions")
