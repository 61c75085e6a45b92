"""The records of earlier releases in the audit trail, as those that come are: a digest a push."""

from alembic import op

revision = "0020_received"
down_revision = "0019_persons"
GUARDED = ("audit_event", "audit_link", "record")
NOTE = """
INSERT INTO audit_event (community_id, id, at_ms, action, subject, details)
SELECT community_id, gen_random_uuid(), (extract(epoch FROM max(received_at)) * 1000)::bigint,
    'records_received', 'push:' || push_id,
    jsonb_build_object('records', count(*), 'digest',
        encode(sha256(string_agg(uuid_send(id) || sha256, ''::bytea ORDER BY id)), 'hex'))
FROM record GROUP BY community_id, push_id
"""


def upgrade() -> None:
    for table in GUARDED:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(NOTE)
    # The links are made now: a table with events that wait for the commit cannot be altered.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in GUARDED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """The trail only grows: what was noted stays."""
