"""The place tree and its events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.db import Ltree
from migrations.tenancy import guard_tenant_table

revision = "0002_places"
down_revision = "0001_identity"


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS ltree")
    op.create_table(
        "place",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("path", Ltree(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("building_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_pinyin", sa.Text(), nullable=False),
        sa.Column("field_code", sa.Text(), nullable=False),
        sa.Column("address_raw", sa.Text(), nullable=True),
        sa.Column("address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("datum", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("registered_ms", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_place")),
        sa.UniqueConstraint("community_id", "field_code", name=op.f("uq_place_community_id_field_code")),
    )
    op.create_index(op.f("ix_place_community_id_grid_id_id"), "place", ["community_id", "grid_id", "id"], unique=False)
    op.create_index(
        op.f("ix_place_community_id_kind_name_pinyin_id"),
        "place",
        ["community_id", "kind", "name_pinyin", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_place_community_id_parent_id_name_pinyin_id"),
        "place",
        ["community_id", "parent_id", "name_pinyin", "id"],
        unique=False,
    )
    op.create_index(
        "ix_place_merged_into",
        "place",
        ["community_id", "merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index("ix_place_path", "place", ["path"], unique=False, postgresql_using="gist")
    op.create_table(
        "place_event",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("install_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_place_event")),
    )
    op.create_index(
        op.f("ix_place_event_community_id_place_id"),
        "place_event",
        ["community_id", "place_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_place_event_community_id_target_id"),
        "place_event",
        ["community_id", "target_id"],
        unique=False,
    )
    op.create_index(
        "ix_place_event_structure",
        "place_event",
        ["community_id", "place_id"],
        unique=False,
        postgresql_where=sa.text("kind IN ('moved', 'merged')"),
    )
    guard_tenant_table("place")
    guard_tenant_table("place_event")


def downgrade() -> None:
    op.drop_table("place_event")
    op.drop_table("place")
