"""The hash chain of the audit trail, in the database itself: functions and triggers. Frozen, as old migrations call it.

A link is made when its transaction commits (a deferred trigger), under an advisory lock that is held for the commit
only: writers of one community wait for each other there and nowhere else, and nothing is locked after it.
The application may add events; neither it nor a careless owner may change or remove one.
"""

from alembic import op

DIGEST = """
CREATE FUNCTION audit_digest(previous bytea, event audit_event) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        event.community_id, event.id, event.at_ms, event.account_id,
        event.action, event.subject, event.details, event.request_id
    )::text, 'UTF8'))
$$
"""
LINK = """
CREATE FUNCTION link_audit_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE
    seen text := coalesce(current_setting('app.communities', true), '');
    last_n bigint;
    last_hash bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_link ' || NEW.community_id::text, 0));
    PERFORM set_config('app.communities', '{' || NEW.community_id::text || '}', true);
    SELECT n, hash INTO last_n, last_hash FROM audit_link
        WHERE community_id = NEW.community_id ORDER BY n DESC LIMIT 1;
    INSERT INTO audit_link (community_id, n, event_id, hash) VALUES (
        NEW.community_id, coalesce(last_n, 0) + 1, NEW.id, audit_digest(coalesce(last_hash, ''::bytea), NEW)
    );
    PERFORM set_config('app.communities', seen, true);
    RETURN NULL;
END
$$
"""
REFUSE = """
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END
$$
"""
#: In the order in which they were written; row security would hide them even from their owner.
BACKFILL = """
DO $$
DECLARE
    event audit_event;
    community uuid;
    last_n bigint;
    last_hash bytea;
BEGIN
    FOR event IN SELECT * FROM audit_event ORDER BY community_id, at_ms, id LOOP
        IF community IS DISTINCT FROM event.community_id THEN
            community := event.community_id;
            last_n := 0;
            last_hash := ''::bytea;
        END IF;
        last_n := last_n + 1;
        last_hash := audit_digest(last_hash, event);
        INSERT INTO audit_link (community_id, n, event_id, hash) VALUES (community, last_n, event.id, last_hash);
    END LOOP;
END
$$
"""
TABLES = ("audit_event", "audit_link")


def link_what_is_there() -> None:
    """Chain the events of earlier releases."""
    op.execute(DIGEST)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(BACKFILL)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def link_events() -> None:
    """From here on every event is linked at its commit, and nothing is changed or removed."""
    op.execute(LINK)
    op.execute(REFUSE)
    op.execute(
        "CREATE CONSTRAINT TRIGGER linked AFTER INSERT ON audit_event DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION link_audit_event()"
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )


def drop_chain() -> None:
    """Undo :func:`link_events`."""
    op.execute("DROP TRIGGER linked ON audit_event")
    for table in TABLES:
        op.execute(f"DROP TRIGGER only_added ON {table}")
        op.execute(f"DROP TRIGGER never_emptied ON {table}")
    for function in ("link_audit_event()", "refuse_audit_change()", "audit_digest(bytea, audit_event)"):
        op.execute(f"DROP FUNCTION {function}")
