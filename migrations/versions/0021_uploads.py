"""Resumable uploads, what records declare, and what the worker finds in a picture."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import guard_tenant_table

revision = "0021_uploads"
down_revision = "0020_received"


def upgrade() -> None:
    op.add_column("attachment", sa.Column("width", sa.Integer(), nullable=True))
    op.add_column("attachment", sa.Column("height", sa.Integer(), nullable=True))
    op.add_column("attachment", sa.Column("taken_at", sa.Text(), nullable=True))
    op.add_column("attachment", sa.Column("damaged", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("attachment", sa.Column("examined_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_attachment_unexamined",
        "attachment",
        ["community_id", "id"],
        postgresql_where=sa.text("examined_at IS NULL"),
    )
    op.create_table(
        "upload",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("install_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_upload")),
    )
    op.create_index(
        "ix_upload_receiving",
        "upload",
        ["community_id", "install_id"],
        postgresql_where=sa.text("state = 'receiving'"),
    )
    op.create_index(op.f("ix_upload_community_id_file_id"), "upload", ["community_id", "file_id"])
    op.create_table(
        "upload_part",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "upload_id", "generation", "start", name=op.f("pk_upload_part")),
    )
    op.create_table(
        "declared_attachment",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "attachment_id", "record_id", name=op.f("pk_declared_attachment")),
    )
    op.create_index(
        op.f("ix_declared_attachment_community_id_record_id"),
        "declared_attachment",
        ["community_id", "record_id"],
    )
    for table in ("upload", "upload_part", "declared_attachment"):
        guard_tenant_table(table)
