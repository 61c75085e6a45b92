"""Row level security for a tenant table. Frozen: migrations that ran with it must mean the same for ever."""

from alembic import op

APP_ROLE = "saolou_app"
#: ``nullif``: after a transaction that set it locally, a pooled connection's setting is '' and not NULL. As a
#: sub-select it is read once a statement and not once a row.
COMMUNITIES = "(SELECT nullif(current_setting('app.communities', true), ''))::uuid[]"
#: Every query names its community as well. The planner must not take the two for independent conditions: it would
#: expect a hundredth of the rows of a community that is a tenth of all. Of a ``coalesce`` it expects one row in two.
OWN = f"coalesce(community_id = ANY ({COMMUNITIES}), false)"


def grant(table: str, privileges: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Let the application's role work on ``table`` (it owns nothing)."""
    op.execute(f"GRANT {privileges} ON {table} TO {APP_ROLE}")


def guard_tenant_table(table: str, also_visible: str | None = None) -> None:
    """Show and accept only rows of the transaction's communities; the owner is bound too (FORCE).

    ``also_visible`` is a further SQL condition under which a row may be read.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({OWN}) WITH CHECK ({OWN})")
    if also_visible:
        op.execute(f"CREATE POLICY also_visible ON {table} FOR SELECT USING ({also_visible})")
    grant(table)
