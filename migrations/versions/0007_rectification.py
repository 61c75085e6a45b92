"""Steps, tasks, issued work orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import guard_tenant_table

revision = "0007_rectification"
down_revision = "0006_hazards"


def upgrade() -> None:

    op.create_table(
        "issued_order",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("building_id", sa.Uuid(), nullable=False),
        sa.Column("closer", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_issued_order")),
        sa.UniqueConstraint("community_id", "number", name=op.f("uq_issued_order_community_id_number")),
    )
    op.create_index(
        op.f("ix_issued_order_community_id_issued_ms_id"),
        "issued_order",
        ["community_id", "issued_ms", "id"],
        unique=False,
    )
    op.create_table(
        "issued_order_item",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("assign_step_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "order_id", "hazard_id", name=op.f("pk_issued_order_item")),
    )
    op.create_index(
        op.f("ix_issued_order_item_community_id_hazard_id"),
        "issued_order_item",
        ["community_id", "hazard_id"],
        unique=False,
    )
    op.create_table(
        "rectification_task",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("closer", sa.Text(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("assign_step_id", sa.Uuid(), nullable=True),
        sa.Column("responsible_party_key", sa.Text(), nullable=True),
        sa.Column("assignment_key", sa.Text(), nullable=True),
        sa.Column("submitter_id", sa.Uuid(), nullable=True),
        sa.Column("revisit_id", sa.Uuid(), nullable=True),
        sa.Column("steps_not_applied", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "hazard_id", name=op.f("pk_rectification_task")),
    )
    op.create_index(
        op.f("ix_rectification_task_community_id_assignee_id"),
        "rectification_task",
        ["community_id", "assignee_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_rectification_task_community_id_place_id"),
        "rectification_task",
        ["community_id", "place_id"],
        unique=False,
    )
    op.create_table(
        "step_outcome",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "step_id", "place_id", name=op.f("pk_step_outcome")),
    )
    op.create_index(
        op.f("ix_step_outcome_community_id_applied_step_id"),
        "step_outcome",
        ["community_id", "applied", "step_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_step_outcome_community_id_place_id"),
        "step_outcome",
        ["community_id", "place_id"],
        unique=False,
    )
    op.create_table(
        "task_step",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("install_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=True),
        sa.Column("actor_scopes", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("from_record", sa.Boolean(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_task_step")),
    )
    op.create_index(
        op.f("ix_task_step_community_id_hazard_id"), "task_step", ["community_id", "hazard_id"], unique=False
    )
    op.create_index(op.f("ix_task_step_community_id_place_id"), "task_step", ["community_id", "place_id"], unique=False)
    guard_tenant_table("issued_order")
    guard_tenant_table("issued_order_item")
    guard_tenant_table("rectification_task")
    guard_tenant_table("step_outcome")
    guard_tenant_table("task_step")


def downgrade() -> None:
    op.drop_table("task_step")
    op.drop_table("step_outcome")
    op.drop_table("rectification_task")
    op.drop_table("issued_order_item")
    op.drop_table("issued_order")
