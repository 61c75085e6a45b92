"""Communities may set the numbers in a rule's condition."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010_rule_thresholds"
down_revision = "0009_jobs"


def upgrade() -> None:
    op.add_column("rule_override", sa.Column("thresholds", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("rule_override", "thresholds")
