"""The sealed archive of records and the visits projected from it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import guard_tenant_table

revision = "0004_inspections"
down_revision = "0003_forms"


def upgrade() -> None:

    op.create_table(
        "record",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("push_id", sa.Uuid(), nullable=False),
        sa.Column("install_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=True),
        sa.Column("actor_scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("elapsed_ms", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("anchors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("time_quality", sa.Text(), nullable=False),
        sa.Column("in_future", sa.Boolean(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("root_id", sa.Uuid(), nullable=True),
        sa.Column("root_op", sa.Text(), nullable=True),
        sa.Column("repaired_from", sa.Uuid(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_record")),
    )
    op.create_index(op.f("ix_record_community_id_place_id"), "record", ["community_id", "place_id"], unique=False)
    op.create_index(
        op.f("ix_record_community_id_root_id"),
        "record",
        ["community_id", "root_id"],
        unique=False,
        postgresql_where=sa.text("root_id IS NOT NULL"),
    )
    op.create_table(
        "record_key",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "record_id", name=op.f("pk_record_key")),
    )
    op.create_table(
        "record_place",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "place_id", "record_id", name=op.f("pk_record_place")),
    )
    op.create_index(
        op.f("ix_record_place_community_id_record_id"),
        "record_place",
        ["community_id", "record_id"],
        unique=False,
    )
    op.create_table(
        "visit",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("building_id", sa.Uuid(), nullable=True),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("forms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("time_quality", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "place_id", "id", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_community_id_effective_ms"), "visit", ["community_id", "effective_ms"], unique=False)
    op.create_index(op.f("ix_visit_community_id_id"), "visit", ["community_id", "id"], unique=False)
    op.create_table(
        "waiting_on",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("ref_type", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.Text(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "record_id", "ref_type", "ref_id", name=op.f("pk_waiting_on")),
    )
    op.create_index(
        op.f("ix_waiting_on_community_id_ref_type_ref_id"),
        "waiting_on",
        ["community_id", "ref_type", "ref_id"],
        unique=False,
    )
    guard_tenant_table("record")
    guard_tenant_table("record_key")
    guard_tenant_table("record_place")
    guard_tenant_table("visit")
    guard_tenant_table("waiting_on")


def downgrade() -> None:
    op.drop_table("waiting_on")
    op.drop_table("visit")
    op.drop_table("record_place")
    op.drop_table("record_key")
    op.drop_table("record")
