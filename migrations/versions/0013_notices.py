"""Notices as issued and as served; files that people sent."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import guard_tenant_table

revision = "0013_notices"
down_revision = "0012_campaigns"

REFUSE = """
CREATE FUNCTION refuse_issued_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an issued notice never changes' USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.Column("stored_by", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("community_id", "sha256", name=op.f("uq_attachment_community_id_sha256")),
    )
    op.create_table(
        "notice",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("deadline_ms", sa.BigInteger(), nullable=False),
        sa.Column("replaces", sa.Uuid(), nullable=True),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_notice")),
        sa.UniqueConstraint("community_id", "kind", "year", "seq", name=op.f("uq_notice_community_id_kind_year_seq")),
    )
    op.create_index(op.f("ix_notice_community_id_issued_ms_id"), "notice", ["community_id", "issued_ms", "id"])
    op.create_index(op.f("ix_notice_community_id_place_id"), "notice", ["community_id", "place_id"])
    op.create_index(
        "uq_notice_replaces",
        "notice",
        ["community_id", "replaces"],
        unique=True,
        postgresql_where=sa.text("replaces IS NOT NULL"),
    )
    op.create_table(
        "notice_hazard",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "notice_id", "hazard_id", name=op.f("pk_notice_hazard")),
    )
    op.create_index(op.f("ix_notice_hazard_community_id_hazard_id"), "notice_hazard", ["community_id", "hazard_id"])
    op.create_table(
        "notice_service",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("served_ms", sa.BigInteger(), nullable=False),
        sa.Column("copy_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_notice_service")),
    )
    op.create_index(op.f("ix_notice_service_community_id_notice_id"), "notice_service", ["community_id", "notice_id"])
    for table in ("attachment", "notice", "notice_hazard", "notice_service"):
        guard_tenant_table(table)
    op.execute(REFUSE)
    op.execute(
        "CREATE TRIGGER issued_stays BEFORE UPDATE ON notice FOR EACH ROW WHEN (OLD.number IS DISTINCT FROM NEW.number "
        "OR OLD.snapshot IS DISTINCT FROM NEW.snapshot) EXECUTE FUNCTION refuse_issued_notice()"
    )


def downgrade() -> None:
    op.drop_table("notice_service")
    op.drop_table("notice_hazard")
    op.drop_table("notice")
    op.execute("DROP FUNCTION refuse_issued_notice")
    op.drop_table("attachment")
