"""Observations, hazards, transitions; ledger numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import guard_tenant_table

revision = "0006_hazards"
down_revision = "0005_sync"


def upgrade() -> None:

    op.create_table(
        "dated_fold",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("folded_as_of", sa.BigInteger(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "place_id", name=op.f("pk_dated_fold")),
    )
    op.create_table(
        "hazard",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("building_id", sa.Uuid(), nullable=True),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("locus", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("severity_proposed", sa.Text(), nullable=True),
        sa.Column("service_gap", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("registered_ms", sa.BigInteger(), nullable=False),
        sa.Column("deadline_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_present_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("contradicted", sa.Boolean(), nullable=False),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("duplicate_of", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "id", name=op.f("pk_hazard")),
    )
    op.create_index(
        op.f("ix_hazard_community_id_deadline_ms_id"),
        "hazard",
        ["community_id", "deadline_ms", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_hazard_community_id_grid_id_id"), "hazard", ["community_id", "grid_id", "id"], unique=False
    )
    op.create_index(op.f("ix_hazard_community_id_place_id"), "hazard", ["community_id", "place_id"], unique=False)
    op.create_index(
        op.f("ix_hazard_community_id_registered_ms_id"),
        "hazard",
        ["community_id", "registered_ms", "id"],
        unique=False,
    )
    op.create_index(
        "ix_hazard_open",
        "hazard",
        ["community_id", "grid_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('registered', 'assigned', 'fixing', 'review', 'referred')"),
    )
    op.create_table(
        "ledger_counter",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "form", "year", name=op.f("pk_ledger_counter")),
    )
    op.create_table(
        "ledger_number",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("locus", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "hazard_id", name=op.f("pk_ledger_number")),
        sa.UniqueConstraint(
            "community_id", "form", "year", "seq", name=op.f("uq_ledger_number_community_id_form_year_seq")
        ),
        sa.UniqueConstraint("community_id", "number", name=op.f("uq_ledger_number_community_id_number")),
    )
    op.create_index(
        op.f("ix_ledger_number_community_id_place_id"),
        "ledger_number",
        ["community_id", "place_id"],
        unique=False,
    )
    op.create_table(
        "observation",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("results", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "place_id", "visit_id", "form", name=op.f("pk_observation")),
    )
    op.create_index(
        op.f("ix_observation_community_id_effective_ms"),
        "observation",
        ["community_id", "effective_ms"],
        unique=False,
    )
    op.create_table(
        "transition",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("effective_ms", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("service_gap", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "hazard_id", "n", name=op.f("pk_transition")),
    )
    op.create_index(
        op.f("ix_transition_community_id_effective_ms"),
        "transition",
        ["community_id", "effective_ms"],
        unique=False,
    )
    guard_tenant_table("dated_fold")
    guard_tenant_table("hazard")
    guard_tenant_table("ledger_counter")
    guard_tenant_table("ledger_number")
    guard_tenant_table("observation")
    guard_tenant_table("transition")


def downgrade() -> None:
    op.drop_table("transition")
    op.drop_table("observation")
    op.drop_table("ledger_number")
    op.drop_table("ledger_counter")
    op.drop_table("hazard")
    op.drop_table("dated_fold")
