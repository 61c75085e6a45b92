"""What a figure is: a query that returns the rows behind it. Its value is how many rows there are, and nothing else;
where one row stands for several (a drill for the people who took part), it says for how many, and those are added up.

So a number cannot differ from its receipts, and every sum in a paper is a sum of rows. A figure is a function of the
period (by ``effective_ms``) and of the snapshot the query runs in; it never looks at when a record was received.

``split`` makes sub-figures of the same rows: ``new`` → ``new.red``, ``new.ebike_charging``, ``new.ebike_charging.red``.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Select,
    Subquery,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Session
from sqlalchemy.types import Text, Uuid

from backend.meetings.answers import Answers
from backend.meetings.models import PaperFigure, PaperFigureRow
from backend.meetings.periods import Period

#: Columns every figure's query returns, in this order: see ``PaperFigureRow``.
COLUMNS = ("row_id", "at_ms", "category", "severity", "state", "detail")
#: A further one, of figures whose rows stand for several.
AMOUNT = "amount"
#: A select of those columns.
Rows = Select[*tuple[Any, ...]]
SEVERITIES = ("red", "orange", "yellow")
#: Kinds of places whose doors are counted.
PLACE_KINDS = ("building", "household", "premises")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a figure is a function of. ``service_gap_chains``: ``form|chain`` of every chain that is no hazard;
    ``next_end_ms``: the end of the period that follows.

    ``answers`` reads what was answered at doors, in the same snapshot; without it nothing was.
    """

    community_id: UUID
    start_ms: int
    end_ms: int
    cutoff_ms: int
    service_gap_chains: tuple[str, ...] = ()
    answers: Answers | None = field(default=None, compare=False)
    next_end_ms: int = 0

    @classmethod
    def of(
        cls,
        community_id: UUID,
        period: Period,
        cutoff_ms: int,
        gaps: Iterable[str] = (),
        answers: Answers | None = None,
    ) -> "Scope":
        ends = period.start_ms, period.end_ms
        return cls(community_id, *ends, cutoff_ms, tuple(gaps), answers, period.following().end_ms)

    @property
    def as_of_ms(self) -> int:
        """The instant a standing figure looks at: the period's end, or now while the period still runs."""
        return min(self.end_ms, self.cutoff_ms)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number a paper may print. ``meaning`` says in one Chinese sentence what is counted, on its receipts page;
    ``detail`` names what else a row tells there, if it does."""

    key: str
    label: str
    unit: str
    row_kind: str
    meaning: str
    rows: Callable[[Scope], Rows]
    split: tuple[str, ...] = ()
    detail: str = ""

    def always(self) -> tuple[str, ...]:
        """Keys that are stored even when their value is 0."""
        by = {"severity": SEVERITIES, "category": PLACE_KINDS if self.row_kind == "place" else ()}
        return (self.key, *(f"{self.key}.{part}" for name in self.split for part in by[name]))


def spread(figure: Figure, scope: Scope) -> Subquery:
    """The figure's rows under every key they count for: columns ``key``, :data:`COLUMNS` and :data:`AMOUNT`."""
    rows = figure.rows(scope).subquery("counted")
    keys: list[ColumnElement[str]] = [literal(figure.key, Text)]
    keys += [literal(f"{figure.key}.", Text).concat(rows.c[name]) for name in figure.split]
    if {"category", "severity"} <= set(figure.split):
        keys.append(literal(f"{figure.key}.", Text).concat(rows.c.category).concat(".").concat(rows.c.severity))
    key = func.unnest(cast(array(keys), ARRAY(Text))).table_valued("key", name="key").render_derived()
    columns: list[ColumnElement[Any]] = [rows.c[name] for name in COLUMNS]
    columns.append(rows.c[AMOUNT] if AMOUNT in rows.c else cast(null(), BigInteger).label(AMOUNT))
    return select(key.c.key, *columns).select_from(rows.join(key, true())).subquery("spread")


@contextmanager
def whole_sets(session: Session) -> Iterator[None]:
    """Figures join whole sets: PostgreSQL must not guess that one of them is a single row.

    Of a new or just restored installation it has no statistics yet, or those of an hour ago when nothing of this period
    existed; then it nests loops, and the paper of a small community takes minutes.
    """
    session.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    session.execute(text("SET LOCAL enable_nestloop = on"))


def count_figures(session: Session, figures: Iterable[Figure], scope: Scope) -> dict[str, int]:
    """Values by key, nothing stored: for comparisons and corrections."""
    values: dict[str, int] = {}
    with whole_sets(session):
        for figure in figures:
            rows = spread(figure, scope)
            counted = session.execute(select(rows.c.key, amount_of(rows.c[AMOUNT])).group_by(rows.c.key))
            values |= dict.fromkeys(figure.always(), 0) | {row[0]: row[1] for row in counted}
    return values


def amount_of(amount: Any) -> ColumnElement[int]:
    """The sum of what rows stand for: one each, unless they say otherwise."""
    return cast(func.sum(func.coalesce(amount, 1)), BigInteger)


def numbered_rows(figure: Figure, scope: Scope, paper_id: UUID) -> Insert:
    """The statement that writes the rows of one figure under every key they count for, numbered within each."""
    rows = spread(figure, scope)
    c = rows.c
    ordinal = func.row_number().over(partition_by=c.key, order_by=(c.at_ms, c.row_id, c.detail))
    numbered = select(
        literal(scope.community_id, Uuid), literal(paper_id, Uuid), c.key, ordinal, *(c[n] for n in (*COLUMNS, AMOUNT))
    )
    return insert(PaperFigureRow).from_select(["community_id", "paper_id", "key", "n", *COLUMNS, AMOUNT], numbered)


def store_figures(session: Session, figures: Iterable[Figure], scope: Scope, paper_id: UUID) -> dict[str, int]:
    """Write every figure's rows and values for a paper that has none; values by key."""
    values: dict[str, int] = {}
    kinds: dict[str, str] = {}
    for figure in figures:
        with whole_sets(session):
            session.execute(numbered_rows(figure, scope, paper_id))
        kinds |= dict.fromkeys(figure.always(), figure.row_kind)
        values |= dict.fromkeys(figure.always(), 0)
    stored = select(PaperFigureRow.key, amount_of(PaperFigureRow.amount)).where(
        PaperFigureRow.community_id == scope.community_id, PaperFigureRow.paper_id == paper_id
    )
    values |= {row[0]: row[1] for row in session.execute(stored.group_by(PaperFigureRow.key))}
    of_base = {figure.key: figure.row_kind for figure in figures}
    rows_of_figures = [
        {
            "community_id": scope.community_id,
            "paper_id": paper_id,
            "key": key,
            "value": value,
            "row_kind": kinds.get(key) or of_base[base_key(key)],
        }
        for key, value in sorted(values.items())
    ]
    if rows_of_figures:
        session.execute(insert(PaperFigure), rows_of_figures)
    return values


def base_key(key: str) -> str:
    """The figure a key belongs to: ``new`` of ``new.ebike_charging.red``."""
    return key.partition(".")[0]


def identity_of(values: dict[str, int]) -> dict[str, Any]:
    """期初未销号 + 新增 + 反弹 − 销号 − 撤销 = 期末未销号, with both sides and whether they agree."""
    terms = {key: values[key] for key in ("open_start", "new", "rebound", "closed", "void", "open_end")}
    reckoned = terms["open_start"] + terms["new"] + terms["rebound"] - terms["closed"] - terms["void"]
    return {**terms, "reckoned": reckoned, "holds": reckoned == terms["open_end"]}
