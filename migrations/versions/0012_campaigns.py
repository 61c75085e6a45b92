"""Campaigns: frozen doors, steps about buildings, coverage, and what phones were told about doors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import guard_tenant_table

revision = "0012_campaigns"
down_revision = "0011_life_cycle"


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("forms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("cadence", sa.Text(), nullable=False),
        sa.Column("starts_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_campaign")),
    )
    op.create_table(
        "campaign_base",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("building_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "campaign_id", "place_id", name=op.f("pk_campaign_base")),
    )
    op.create_index(
        op.f("ix_campaign_base_community_id_place_id"), "campaign_base", ["community_id", "place_id"], unique=False
    )
    op.create_table(
        "campaign_step",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("building_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_campaign_step")),
    )
    op.create_index(
        "ix_campaign_step_building",
        "campaign_step",
        ["community_id", "campaign_id", "round", "building_id", "effective_ms", "id"],
        unique=False,
    )
    op.create_table(
        "campaign_target",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("building_id", sa.Uuid(), nullable=True),
        sa.Column("frozen", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("forms_left", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("visit_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "place_id", "campaign_id", "round", name=op.f("pk_campaign_target")),
    )
    op.create_index(
        "ix_campaign_target_building",
        "campaign_target",
        ["community_id", "campaign_id", "round", "building_id"],
        unique=False,
    )
    op.create_index(
        "ix_campaign_target_due",
        "campaign_target",
        ["community_id", "place_id"],
        unique=False,
        postgresql_where=sa.text("state NOT IN ('done', 'vacant', 'not_applicable')"),
    )
    op.create_index(
        "ix_campaign_target_grid",
        "campaign_target",
        ["community_id", "campaign_id", "round", "grid_id", "state"],
        unique=False,
    )
    op.create_index(
        "ix_campaign_target_place",
        "campaign_target",
        ["community_id", "campaign_id", "round", "place_id"],
        unique=False,
    )
    op.create_table(
        "target_door",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("last_contact_ms", sa.BigInteger(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "place_id", name=op.f("pk_target_door")),
    )
    op.create_index(
        op.f("ix_target_door_community_id_grid_id_place_id"),
        "target_door",
        ["community_id", "grid_id", "place_id"],
        unique=False,
    )
    guard_tenant_table("campaign")
    guard_tenant_table("campaign_base")
    guard_tenant_table("campaign_step")
    guard_tenant_table("campaign_target")
    guard_tenant_table("target_door")


def downgrade() -> None:
    op.drop_table("target_door")
    op.drop_table("campaign_target")
    op.drop_table("campaign_step")
    op.drop_table("campaign_base")
    op.drop_table("campaign")
