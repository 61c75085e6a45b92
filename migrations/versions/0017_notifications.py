"""Notifications: inboxes, channels, deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import guard_tenant_table

revision = "0017_notifications"
down_revision = "0016_calendar"


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), nullable=False),
        sa.Column("read_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_notification")),
        sa.UniqueConstraint(
            "community_id", "account_id", "slot", name=op.f("uq_notification_community_id_account_id_slot")
        ),
    )
    op.create_index(
        op.f("ix_notification_community_id_account_id_id"),
        "notification",
        ["community_id", "account_id", "id"],
        unique=False,
    )
    op.create_table(
        "notification_channel",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_notification_channel")),
    )
    op.create_table(
        "delivery",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=True),
        sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "community_id", "channel_id", "slot", name=op.f("uq_delivery_community_id_channel_id_slot")
        ),
    )
    op.create_index(
        op.f("ix_delivery_community_id_channel_id_sent_at"),
        "delivery",
        ["community_id", "channel_id", "sent_at"],
        unique=False,
    )
    op.create_index(
        "ix_delivery_queued",
        "delivery",
        ["community_id", "channel_id", "next_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    guard_tenant_table("notification")
    guard_tenant_table("notification_channel")
    guard_tenant_table("delivery")


def downgrade() -> None:
    op.drop_table("delivery")
    op.drop_table("notification_channel")
    op.drop_table("notification")
