"""A paper's queries read every table a few times, also before PostgreSQL has any statistics of it.

A new community's first paper once took minutes: without statistics each set was taken for a single row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

import backend.meetings.figures as figures
from backend.clock import DAY_MS
from backend.db import Database
from backend.meetings.making import FIGURES
from tests.factories.identity import make_community
from tests.factories.meetings import Call, Door, History, Life, write_history
from tests.meetings.test_figures import CUTOFF, GAPS, WEEK, trial

DOORS = 60
SOME_TIMES = 10


def most_read(plan: dict[str, Any]) -> float:
    """How many rows the busiest read of a table in a plan read, all its repetitions together."""
    rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    here = rows * plan["Actual Loops"] if "Relation Name" in plan else 0
    return max([here, *(most_read(part) for part in plan.get("Plans", ()))])


def check_plans(db: Database) -> None:
    """Makes every figure of a week in which many doors were visited, whose rows no statistics know of."""
    community = make_community(db)
    doors = [Door() for _ in range(DOORS)]
    calls = [Call(door, WEEK.start_ms + n * DAY_MS // 10) for n, door in enumerate(doors)]
    lives = [Life(call.door, [("registered", call.at_ms, 1), ("closed", call.at_ms + DAY_MS, 1)]) for call in calls]
    scope = figures.Scope.of(community, WEEK, CUTOFF, GAPS)
    with trial(db, community) as session:
        write_history(session, community, History(doors, calls, lives))
        for figure in FIGURES:
            statement = figures.numbered_rows(figure, scope, uuid4())
            with figures.whole_sets(session):
                assert most_read(explain(session, statement)) <= SOME_TIMES * DOORS, figure.key


def explain(session: Session, statement: Any) -> dict[str, Any]:
    """The plan of ``statement`` as it was run."""
    connection = session.connection()
    compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
    sql = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {compiled}"
    plan: dict[str, Any] = connection.exec_driver_sql(sql, compiled.params).scalar_one()[0]["Plan"]
    return plan


def test_make_figures_without_statistics_reads_no_table_in_a_loop(db: Database) -> None:
    check_plans(db)


def test_check_plans_catches_loops_over_what_is_taken_for_one_row(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def as_it_likes(_: Session) -> Iterator[None]:
        yield

    monkeypatch.setattr(figures, "whole_sets", as_it_likes)
    with pytest.raises(AssertionError):
        check_plans(db)
