"""An issued paper never changes: triggers on its tables. Frozen, like everything old migrations call."""

from alembic import op

REFUSE_PAPER = """
CREATE FUNCTION refuse_issued_paper() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an issued paper never changes' USING ERRCODE = 'restrict_violation';
END $$
"""
REFUSE_FIGURES = """
CREATE FUNCTION refuse_issued_figures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM paper WHERE state = 'issued'
        AND (community_id, id) IN (SELECT community_id, paper_id FROM changed)
    ) THEN
        RAISE EXCEPTION 'an issued paper never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
"""


def freeze_issued_papers() -> None:
    """Refuse any change to an issued paper, its figures and their rows."""
    op.execute(REFUSE_PAPER)
    op.execute(
        "CREATE TRIGGER issued_stays BEFORE UPDATE OR DELETE ON paper "
        "FOR EACH ROW WHEN (OLD.state = 'issued') EXECUTE FUNCTION refuse_issued_paper()"
    )
    op.execute(REFUSE_FIGURES)
    for table in ("paper_figure", "paper_figure_row"):
        for change, rows in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER issued_stays_{change.lower()} AFTER {change} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_issued_figures()"
            )


def drop_freeze() -> None:
    """Undo :func:`freeze_issued_papers` once the tables are gone."""
    op.execute("DROP FUNCTION refuse_issued_figures")
    op.execute("DROP FUNCTION refuse_issued_paper")
