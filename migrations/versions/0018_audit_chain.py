"""The audit trail is append-only and tamper-evident: every event is a link of its community's hash chain."""

import sqlalchemy as sa
from alembic import op

from migrations.audit_chain import drop_chain, link_events, link_what_is_there
from migrations.tenancy import APP_ROLE, guard_tenant_table

revision = "0018_audit_chain"
down_revision = "0017_notifications"
SEARCHED = ("account_id", "action", "subject")


def upgrade() -> None:
    op.create_table(
        "audit_link",
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "n", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("community_id", "event_id", name=op.f("uq_audit_link_community_id_event_id")),
    )
    for column in SEARCHED:
        op.create_index(
            op.f(f"ix_audit_event_community_id_{column}_at_ms_id"),
            "audit_event",
            ["community_id", column, "at_ms", "id"],
            unique=False,
        )
    guard_tenant_table("audit_link")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON audit_link FROM {APP_ROLE}")
    op.execute(f"REVOKE UPDATE, DELETE ON audit_event FROM {APP_ROLE}")
    link_what_is_there()
    link_events()


def downgrade() -> None:
    drop_chain()
    op.drop_table("audit_link")
    for column in SEARCHED:
        op.drop_index(op.f(f"ix_audit_event_community_id_{column}_at_ms_id"), table_name="audit_event")
    op.execute(f"GRANT UPDATE, DELETE ON audit_event TO {APP_ROLE}")
