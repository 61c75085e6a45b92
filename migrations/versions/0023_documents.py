"""Papers' documents and ledgers, exports of the ledger, remarks in it, and how far a job has come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import guard_tenant_table

revision = "0023_documents"
down_revision = "0022_annual_figures"

#: What may not happen to a part of an issued paper. Its files are made after the issue, and then stay.
FROZEN = {"paper_ledger_row": ("INSERT", "UPDATE", "DELETE"), "paper_file": ("UPDATE", "DELETE")}


def upgrade() -> None:
    op.create_table(
        "paper_file",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "paper_id", "format", name=op.f("pk_paper_file")),
    )
    op.create_table(
        "paper_ledger_row",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("cells", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "paper_id", "n", name=op.f("pk_paper_ledger_row")),
    )
    op.create_table(
        "job_progress",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "kind", "subject", name=op.f("pk_job_progress")),
    )
    op.create_table(
        "export",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("params", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("scope", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_ms", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("made_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_export")),
    )
    op.create_index(
        op.f("ix_export_community_id_requested_ms_id"), "export", ["community_id", "requested_ms", "id"], unique=False
    )
    op.create_table(
        "export_chunk",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "export_id", "n", name=op.f("pk_export_chunk")),
    )
    op.create_table(
        "ledger_remark",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_ledger_remark")),
    )
    op.create_index(
        op.f("ix_ledger_remark_community_id_hazard_id"), "ledger_remark", ["community_id", "hazard_id"], unique=False
    )
    for table in ("paper_file", "paper_ledger_row", "job_progress", "export", "export_chunk", "ledger_remark"):
        guard_tenant_table(table)
    for table, changes in FROZEN.items():
        for change in changes:
            rows = "NEW" if change == "INSERT" else "OLD"
            op.execute(
                f"CREATE TRIGGER issued_stays_{change.lower()} AFTER {change} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_issued_figures()"
            )


def downgrade() -> None:
    for table in ("ledger_remark", "export_chunk", "export", "job_progress", "paper_ledger_row", "paper_file"):
        op.drop_table(table)
