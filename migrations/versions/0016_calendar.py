"""Working days: the nation's calendar, and communities' own words on a day."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import grant, guard_tenant_table

revision = "0016_calendar"
down_revision = "0015_rule_changes"


def upgrade() -> None:
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
    )
    op.create_index(op.f("ix_calendar_day_day"), "calendar_day", ["day"], unique=False)
    op.create_table(
        "calendar_change",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_calendar_change")),
    )
    op.create_index(
        op.f("ix_calendar_change_community_id_day"), "calendar_change", ["community_id", "day"], unique=False
    )
    grant("calendar_day", "SELECT, INSERT")
    guard_tenant_table("calendar_change")


def downgrade() -> None:
    op.drop_table("calendar_change")
    op.drop_table("calendar_day")
