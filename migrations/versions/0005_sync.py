"""The feed and the quarantine."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import grant, guard_tenant_table

revision = "0005_sync"
down_revision = "0004_inspections"


def upgrade() -> None:

    op.create_table(
        "feed_position",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("last_pos", sa.BigInteger(), nullable=False),
        sa.Column("floor_pos", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", name=op.f("pk_feed_position")),
    )
    op.create_table(
        "quarantine",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.Column("record_type", sa.Text(), nullable=True),
        sa.Column("schema_version", sa.Integer(), nullable=True),
        sa.Column("install_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("push_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("anchor", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint(
            "community_id",
            "record_id",
            "sha256",
            name=op.f("uq_quarantine_community_id_record_id_sha256"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        op.f("ix_quarantine_community_id_install_id_resolved_at"),
        "quarantine",
        ["community_id", "install_id", "resolved_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_quarantine_community_id_state_id"),
        "quarantine",
        ["community_id", "state", "id"],
        unique=False,
    )
    op.create_table(
        "server_state",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_server_state")),
    )
    op.create_table(
        "sync_change",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=True),
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_sync_change")),
        sa.UniqueConstraint("community_id", "pos", name=op.f("uq_sync_change_community_id_pos")),
    )
    op.create_index(
        op.f("ix_sync_change_community_id_scope_id_pos"),
        "sync_change",
        ["community_id", "scope_id", "pos"],
        unique=False,
    )
    op.create_index(
        "ix_sync_change_unnumbered",
        "sync_change",
        ["community_id", "id"],
        unique=False,
        postgresql_where=sa.text("pos IS NULL"),
    )
    guard_tenant_table("feed_position")
    guard_tenant_table("quarantine")
    grant("server_state")
    guard_tenant_table("sync_change")


def downgrade() -> None:
    op.drop_table("sync_change")
    op.drop_table("server_state")
    op.drop_table("quarantine")
    op.drop_table("feed_position")
