"""One-time codes for a forgotten password; which records name whom, by keyed hash."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import grant, guard_tenant_table

revision = "0019_persons"
down_revision = "0018_audit_chain"


def upgrade() -> None:
    op.create_table(
        "password_code",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_password_code")),
    )
    op.create_table(
        "person_mention",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "source", "source_id", "kind", "key", name=op.f("pk_person_mention")),
    )
    op.create_index(
        op.f("ix_person_mention_community_id_kind_key"),
        "person_mention",
        ["community_id", "kind", "key"],
        unique=False,
    )
    grant("password_code")
    guard_tenant_table("person_mention")


def downgrade() -> None:
    op.drop_table("person_mention")
    op.drop_table("password_code")
