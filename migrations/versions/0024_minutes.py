"""Minutes of the safety meeting: what was decided, by whom it is done by when, and what became of it."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import guard_tenant_table

revision = "0024_minutes"
down_revision = "0023_documents"

REFUSE = """
CREATE FUNCTION refuse_issued_minutes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'issued minutes never change' USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "minutes",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held_ms", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("written_ms", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=True),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_minutes")),
        sa.UniqueConstraint("community_id", "paper_id", name=op.f("uq_minutes_community_id_paper_id")),
    )
    op.create_index(
        op.f("ix_minutes_community_id_held_ms_id"), "minutes", ["community_id", "held_ms", "id"], unique=False
    )
    op.create_table(
        "decision",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("minutes_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("first_due", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_ms", sa.BigInteger(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_decision")),
        sa.UniqueConstraint("community_id", "minutes_id", "n", name=op.f("uq_decision_community_id_minutes_id_n")),
    )
    op.create_index(op.f("ix_decision_community_id_due_id"), "decision", ["community_id", "due", "id"], unique=False)
    op.create_table(
        "decision_step",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_decision_step")),
    )
    op.create_index(
        op.f("ix_decision_step_community_id_decision_id"),
        "decision_step",
        ["community_id", "decision_id"],
        unique=False,
    )
    for table in ("minutes", "decision", "decision_step"):
        guard_tenant_table(table)
    op.execute(REFUSE)
    op.execute(
        "CREATE TRIGGER issued_stays BEFORE UPDATE OR DELETE ON minutes "
        "FOR EACH ROW WHEN (OLD.state = 'issued') EXECUTE FUNCTION refuse_issued_minutes()"
    )


def downgrade() -> None:
    for table in ("decision_step", "decision", "minutes"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_issued_minutes")
