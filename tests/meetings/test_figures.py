"""P5: every figure has receipts, and they are what an independent recount finds; seeded bugs are caught."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as trials
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.clock import DAY_MS
from backend.db import Database
from backend.hazards.models import Hazard, Transition
from backend.meetings.coverage_figures import FINISHED, doors_with
from backend.meetings.figures import Figure, Rows, Scope, count_figures, identity_of, store_figures
from backend.meetings.hazard_figures import changes, is_open, opened, standing, voided, was_not_open
from backend.meetings.making import FIGURES
from backend.meetings.models import PaperFigure, PaperFigureRow
from backend.meetings.periods import period_of
from tests.factories.identity import make_community
from tests.factories.meetings import Call, Door, History, Life, write_history
from tests.meetings.histories import histories
from tests.meetings.recount import recount

WEEK = period_of("weekly", date(2026, 11, 18))
START, END = WEEK.start_ms, WEEK.end_ms
CUTOFF = END + 6 * 3_600_000
GAPS = ("ebike_charging|EBC-09", "self_built_house|EBC-09")


@contextmanager
def trial(db: Database, community: UUID) -> Iterator[Session]:
    """A snapshot transaction that leaves nothing behind."""
    with db.transaction([community], isolation="REPEATABLE READ") as session:
        yield session
        session.rollback()


def check_figures(db: Database, community: UUID, history: History, figures: Sequence[Figure] = FIGURES) -> None:
    """Values, receipts and the identity of one history, against the recount."""
    scope = Scope.of(community, WEEK, CUTOFF, GAPS)
    with trial(db, community) as session:
        write_history(session, community, history)
        paper = uuid4()
        values = store_figures(session, figures, scope, paper)
        of_paper = {"community_id": community, "paper_id": paper}
        stored = {f.key: f.value for f in session.scalars(select(PaperFigure).filter_by(**of_paper))}
        receipts: dict[str, list[UUID]] = {key: [] for key in stored}
        for row in session.scalars(select(PaperFigureRow).filter_by(**of_paper).order_by(PaperFigureRow.n)):
            receipts[row.key].append(row.row_id)
            assert row.n == len(receipts[row.key])
        expected = recount(history, WEEK, END)
        assert stored == values == count_figures(session, figures, scope)
        assert {k: v for k, v in values.items() if v} == {k: len(rows) for k, rows in expected.items()}
        assert {k: sorted(v) for k, v in receipts.items() if v} == {k: sorted(v) for k, v in expected.items()}
        assert identity_of(values)["holds"]
        doors = [values[k] for k in ("completed", "not_met", "refused", "wrong_address")]
        assert values["visited"] == sum(doors)


@pytest.fixture(scope="module")
def community(db: Database) -> UUID:
    return make_community(db)


def busy_week() -> History:
    """One of everything a week may hold."""
    building = Door("building", name="3栋")
    home, shop, unit = Door("household", building=building), Door("premises", END - 1), Door("unit")
    late, gone = Door("household", END), Door("household", withdrawn=True)
    twin = Door("household", merged_into=home)
    doors = [building, home, shop, unit, late, gone, twin]
    unknown = {"EBC-06": {"STAIR/3": "unknown"}, "EBC-09": {"": "unknown"}}
    calls = [
        Call(home, START, "no_answer"),
        Call(home, START + 1, "refused"),
        Call(twin, START + 2, "vacant"),
        Call(building, START + 3, "done", results=unknown, filled=[unit]),
        Call(shop, END - 1, "no_answer"),
        Call(shop, END, "done"),
        Call(gone, START + 4, "done"),
        Call(late, START - 1, "done"),
    ]
    day = DAY_MS
    lives = [
        Life(home, [("registered", START, 1)], "red", deadline_ms=END - 1),
        Life(home, [("registered", END - 1, 1)], deadline_ms=END),
        Life(home, [("registered", END, 1)], "red"),
        Life(shop, [("registered", START - day, 1), ("void", START + day, 1)]),
        Life(shop, [("registered", START - day, 1), ("assigned", START + 1, 1), ("referred", START + 2, 1)]),
        Life(
            shop,
            [
                *(("registered", START - day, 1), ("review", START - 2, 1), ("closed", START - 1, 1)),
                *(("registered", START + day, 2), ("review", START + 2 * day, 2), ("closed", START + 3 * day, 2)),
                ("registered", START + 4 * day, 3),
            ],
            "yellow",
            "self_built_house",
            deadline_ms=START,
        ),
        Life(home, [("registered", START + 5, 1)], "blue", is_gap=True, rules=("EBC-09",)),
    ]
    return History(doors, calls, lives)


@trials(max_examples=30, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@example(history=History())
@example(history=busy_week())
@given(history=histories(WEEK))
def test_counts_any_history_as_the_recount_does(db: Database, community: UUID, history: History) -> None:
    check_figures(db, community, history)


def broken(key: str, rows: Callable[[Scope], Rows]) -> tuple[Figure, ...]:
    return tuple(replace(f, rows=rows) if f.key == key else f for f in FIGURES)


def one_receipt_short(scope: Scope) -> Rows:
    return opened(scope).order_by("row_id").offset(1)


def counts_service_gaps(scope: Scope) -> Rows:
    found = opened(scope).subquery()
    gaps = opened(scope, gap=True).subquery()
    return select(found).union_all(select(gaps)).subquery().select()


def ignores_void(scope: Scope) -> Rows:
    return voided(scope).where(Transition.n < 0)


def counts_the_next_monday(scope: Scope) -> Rows:
    return opened(replace(scope, end_ms=scope.end_ms + 1))


def takes_reopening_for_new(scope: Scope) -> Rows:
    return changes(scope, was_not_open(), is_open(Transition.to_state))


def looks_at_the_state_now(scope: Scope) -> Rows:
    return standing(scope, scope.end_ms + 30 * DAY_MS)


def takes_due_for_overdue(scope: Scope) -> Rows:
    return standing(replace(scope, end_ms=scope.end_ms + 1, cutoff_ms=scope.end_ms + 1), scope.end_ms, overdue=True)


def takes_unanswered_for_done(scope: Scope) -> Rows:
    return doors_with(scope, *FINISHED, "no_answer")


BUGS = [
    ("new", one_receipt_short),
    ("new", counts_service_gaps),
    ("void", ignores_void),
    ("new", counts_the_next_monday),
    ("new", takes_reopening_for_new),
    ("open_end", looks_at_the_state_now),
    ("overdue", takes_due_for_overdue),
    ("completed", takes_unanswered_for_done),
]


@pytest.mark.parametrize("key, bug", BUGS, ids=[bug.__name__ for _, bug in BUGS])
def test_catches_a_seeded_bug(db: Database, community: UUID, key: str, bug: Callable[[Scope], Rows]) -> None:
    check_figures(db, community, busy_week())
    with pytest.raises(AssertionError):
        check_figures(db, community, busy_week(), broken(key, bug))


def test_counts_a_severity_that_rose_without_a_change_of_state(db: Database, community: UUID) -> None:
    door = Door()
    life = Life(door, [("registered", START, 1)], "orange")
    with trial(db, community) as session:
        write_history(session, community, History([door], [], [life]))
        session.get_one(Hazard, (community, life.id)).severity = "red"
        session.flush()
        values = count_figures(session, FIGURES, Scope.of(community, WEEK, CUTOFF))
        assert (values["open_end.red"], values["open_end.orange"]) == (1, 0)
