"""Published forms and rules; a community's overrides."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import grant, guard_tenant_table

revision = "0003_forms"
down_revision = "0002_places"


def upgrade() -> None:

    op.create_table(
        "form_version",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_form_version")),
    )
    op.create_table(
        "reassessment",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("form_code", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_reassessment")),
    )
    op.create_table(
        "rule_override",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_code", sa.Text(), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("due", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_rule_override")),
    )
    op.create_index(
        op.f("ix_rule_override_community_id_rule_code_effective_from_ms"),
        "rule_override",
        ["community_id", "rule_code", "effective_from_ms"],
        unique=False,
    )
    op.create_table(
        "rule_version",
        sa.Column("form_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("form_code", "version", name=op.f("pk_rule_version")),
    )
    grant("form_version")
    guard_tenant_table("reassessment")
    guard_tenant_table("rule_override")
    grant("rule_version")


def downgrade() -> None:
    op.drop_table("rule_version")
    op.drop_table("rule_override")
    op.drop_table("reassessment")
    op.drop_table("form_version")
