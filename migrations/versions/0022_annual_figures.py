"""What annual figures need: who left a dangerous house and when; rows of a figure that stand for several."""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import guard_tenant_table

revision = "0022_annual_figures"
down_revision = "0021_uploads"


def upgrade() -> None:
    op.create_table(
        "evacuation_move",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("house_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("fact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("moved_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "house_id", "household_id", "fact_id", name=op.f("pk_evacuation_move")),
    )
    op.create_index(op.f("ix_evacuation_move_community_id_moved_ms"), "evacuation_move", ["community_id", "moved_ms"])
    guard_tenant_table("evacuation_move")
    op.add_column("paper_figure_row", sa.Column("amount", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("paper_figure_row", "amount")
    op.drop_table("evacuation_move")
