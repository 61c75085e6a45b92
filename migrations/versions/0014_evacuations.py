"""Dangerous houses: what was done about them, and how they stand."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import guard_tenant_table

revision = "0014_evacuations"
down_revision = "0013_notices"


def upgrade() -> None:
    op.create_table(
        "evacuation",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("house_id", sa.Uuid(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("appraisal_id", sa.Uuid(), nullable=True),
        sa.Column("opened_ms", sa.BigInteger(), nullable=True),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("notified_ms", sa.BigInteger(), nullable=True),
        sa.Column("served_ms", sa.BigInteger(), nullable=True),
        sa.Column("deadline_ms", sa.BigInteger(), nullable=True),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("households_left", sa.Integer(), nullable=False),
        sa.Column("households_refused", sa.Integer(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("emptied_ms", sa.BigInteger(), nullable=True),
        sa.Column("check_from_ms", sa.BigInteger(), nullable=True),
        sa.Column("cordoned_ms", sa.BigInteger(), nullable=True),
        sa.Column("cleared_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("facts_not_applied", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "house_id", name=op.f("pk_evacuation")),
    )
    op.create_index(
        op.f("ix_evacuation_community_id_grid_id_house_id"),
        "evacuation",
        ["community_id", "grid_id", "house_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_evacuation_community_id_opened_ms"), "evacuation", ["community_id", "opened_ms"], unique=False
    )
    op.create_table(
        "evacuation_check",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("house_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.Column("checked_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "house_id", "day", name=op.f("pk_evacuation_check")),
    )
    op.create_table(
        "evacuation_fact",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("house_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("install_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_evacuation_fact")),
    )
    op.create_index(
        op.f("ix_evacuation_fact_community_id_house_id"), "evacuation_fact", ["community_id", "house_id"], unique=False
    )
    op.create_table(
        "evacuation_household",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("house_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("listed_id", sa.Uuid(), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), nullable=True),
        sa.Column("answered_ms", sa.BigInteger(), nullable=True),
        sa.Column("revisited_ms", sa.BigInteger(), nullable=True),
        sa.Column("reported_ms", sa.BigInteger(), nullable=True),
        sa.Column("left_ms", sa.BigInteger(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("last_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "house_id", "household_id", name=op.f("pk_evacuation_household")),
    )
    op.create_table(
        "evacuation_outcome",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("house_id", sa.Uuid(), nullable=False),
        sa.Column("fact_id", sa.Uuid(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "house_id", "fact_id", name=op.f("pk_evacuation_outcome")),
    )
    guard_tenant_table("evacuation")
    guard_tenant_table("evacuation_check")
    guard_tenant_table("evacuation_fact")
    guard_tenant_table("evacuation_household")
    guard_tenant_table("evacuation_outcome")


def downgrade() -> None:
    op.drop_table("evacuation_outcome")
    op.drop_table("evacuation_household")
    op.drop_table("evacuation_fact")
    op.drop_table("evacuation_check")
    op.drop_table("evacuation")
