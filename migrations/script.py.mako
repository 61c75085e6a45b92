"""${message}

Rules: only add, never rename or drop what a running version reads; new NOT NULL columns need a default; indexes on
big tables are made CONCURRENTLY in a migration of their own. A tenant table leads every key with community_id and
gets row level security from ``guard_tenant_table``.
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
