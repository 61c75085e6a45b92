"""Figures that hang on answers: what was answered at the doors of a period becomes rows like any other figure's.

A date that was answered counts in the period it lies in, also when a later visit was the first to tell it; everything
else counts when the visit was made. Rows about health, need or who lives alone are cases: a pseudonym that is the same
for the same person, without a name or a door.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, cast, column, func, null, select
from sqlalchemy.types import Text, Uuid

from backend.clock import local_day
from backend.meetings.answers import Block
from backend.meetings.figures import AMOUNT, Rows, Scope


class Told(NamedTuple):
    """A row made of answers."""

    row_id: UUID
    at_ms: int
    category: str
    state: str | None = None
    detail: str | None = None
    amount: int | None = None


_COLUMNS: Final[Mapping[str, Any]] = {
    **{"row_id": Uuid(), "at_ms": BigInteger(), "category": Text()},
    **{"state": Text(), "detail": Text(), AMOUNT: BigInteger()},
}


def told(rows: Iterable[Told]) -> Rows:
    """Rows that were made in Python, as a query like any other figure's."""
    lists = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
    arrays = [cast(list(values), ARRAY(kind)) for values, kind in zip(lists, _COLUMNS.values(), strict=True)]
    found = func.unnest(*arrays).table_valued(*(column(n, kind) for n, kind in _COLUMNS.items()), name="told")
    c = found.render_derived().c
    severity = cast(null(), Text).label("severity")
    return select(c.row_id, c.at_ms, c.category, severity, c.state, c.detail, c.amount)


def blocks(scope: Scope, form: str, kind: str | None = "household", *, later: bool = False) -> list[Block]:
    """The period's blocks of a form at one kind of place. ``later``: also what was filled after the period."""
    if scope.answers is None:
        return []
    found = scope.answers.of(form, scope.start_ms, None if later else scope.end_ms)
    # A request of an earlier period that was answered in this one is among them, by the correction that says so.
    return [b for b in found if (later or b.at_ms >= scope.start_ms) and kind in (None, b.kind)]


def dated(scope: Scope, form: str, field: str, kind: str | None = "household") -> list[tuple[Block, str]]:
    """Blocks that name a day of the period in ``field``, with that day; whenever they were filled."""
    first, last = (local_day(ms).isoformat() for ms in (scope.start_ms, scope.end_ms - 1))
    named = ((block, str(block.answers.get(field, ""))[:10]) for block in blocks(scope, form, kind, later=True))
    return [(block, day) for block, day in named if first <= day <= last]


def last_of(found: Iterable[Block], identity: Callable[[Block], object]) -> Iterator[Block]:
    """Of the blocks about one thing the last, in order."""
    latest = {identity(block): block for block in found if identity(block) is not None}
    return iter(latest.values())


def places_of(found: Iterable[tuple[Block, str]]) -> Iterator[Told]:
    """Each place once, with the last day named there."""
    latest = {block.place_id: (block, day) for block, day in found}
    return (Told(place_id, block.at_ms, block.form, None, day) for place_id, (block, day) in latest.items())


def cases(scope: Scope, found: Iterable[Block], field: str | None, state: str | None = None) -> Iterator[Told]:
    """Each person (each household, when no ``field`` names one) once, under a pseudonym."""
    if scope.answers is None:
        return
    for block in last_of(found, lambda b: b.place_id if field is None else b.answers.get(field)):
        who = block.place_id if field is None else block.answers[field]
        yield Told(scope.answers.pseudonym(f"{block.form}|{who}"), block.at_ms, block.form, state)


def houses(scope: Scope, *, appraised: bool) -> Rows:
    """Self-built houses by their last description of the period; those that are appraised, or all."""
    last = last_of(blocks(scope, "self_built_house", "building"), lambda b: b.place_id)
    found = [(b, b.answers.get("appraisal") == "done") for b in last]
    return told(
        Told(b.place_id, b.at_ms, b.form, None, _grade(b) if done else None)
        for b, done in found
        if done or not appraised
    )


def _grade(block: Block) -> str:
    return f"{block.answers.get('grade')}级 {block.answers.get('report_on', '')}".rstrip()


def windows_opened(scope: Scope) -> Rows:
    made = dated(scope, "anti_theft_window", "retrofit_on")
    return told(places_of((b, day) for b, day in made if b.answers.get("opening") == "yes"))


def alarm_homes(scope: Scope) -> Rows:
    fitted = (block for block, _ in dated(scope, "smoke_alarm_install", "installed_on"))
    return told(cases(scope, fitted, None))


def gas_homes(scope: Scope) -> Rows:
    return told(places_of((b, _day(b)) for b in blocks(scope, "gas_retrofit")))


def gas_buildings(scope: Scope) -> Rows:
    """The buildings in which households were visited about gas."""
    found = {b.building_id: b for b in reversed(blocks(scope, "gas_retrofit")) if b.building_id is not None}
    return told(Told(place_id, b.at_ms, b.form, None, _day(b)) for place_id, b in found.items())


def gas_days(scope: Scope) -> Rows:
    """A row a day: the first visit of it."""
    first = {_day(b): b for b in reversed(blocks(scope, "gas_retrofit"))}
    return told(Told(b.visit_id, b.at_ms, b.form, "done", day) for day, b in first.items())


def _day(block: Block) -> str:
    return local_day(block.at_ms).isoformat()


def requests_solved(scope: Scope) -> Rows:
    """Each request once; it is one block, whose last correction tells the outcome."""
    solved = [(b, day) for b, day in dated(scope, "resident_request", "replied_on", None) if b.answers.get("result")]
    return told(Told(b.visit_id, b.at_ms, b.form, "done", _day_of(b, day)) for b, day in solved)


def _day_of(block: Block, day: str) -> str:
    """The day, and which block of the visit it is when there are several."""
    return day if block.n == 0 else f"{day}（{block.n + 1}）"


def welfare_reviews(scope: Scope) -> list[Block]:
    return list(last_of(blocks(scope, "low_income_review"), lambda b: b.answers.get("case_ref")))


def welfare_homes(scope: Scope) -> Rows:
    return told(cases(scope, welfare_reviews(scope), "case_ref"))


def welfare_persons(scope: Scope) -> Rows:
    persons = {row.row_id: row for row in cases(scope, welfare_reviews(scope), "case_ref")}
    heads = [int(block.answers.get("actual", 0)) for block in welfare_reviews(scope)]
    return told(row._replace(amount=n) for row, n in zip(persons.values(), heads, strict=True) if n)


def elderly(scope: Scope, *, vaccinated: bool) -> Rows:
    """Persons asked about, by what was last said of each. Whom a clinician deferred is not eligible."""
    last = list(last_of(blocks(scope, "elderly_vaccination"), lambda b: b.answers.get("person")))
    eligible = [b for b in last if b.answers.get("status") != "deferred"]
    return told(cases(scope, [b for b in eligible if not vaccinated or b.answers.get("status") == "done"], "person"))


def helped_persons(scope: Scope) -> Rows:
    first = local_day(scope.start_ms).isoformat()
    last = last_of(blocks(scope, "helper_assignment"), lambda b: b.answers.get("person"))
    return told(cases(scope, [b for b in last if str(b.answers.get("ended_on", "9999")) >= first], "person"))


def events(kind: str, amount: str | None = None) -> Callable[[Scope], Rows]:
    """Events of a kind held in the period; ``amount``: the count whose sum is asked for."""

    def rows(scope: Scope) -> Rows:
        held = dated(scope, "community_event", "held_on", None)
        found = [(b, day) for b, day in held if b.answers.get("kind") == kind]
        made = (Told(b.visit_id, b.at_ms, b.form, "done", _day_of(b, day)) for b, day in found)
        if amount is None:
            return told(made)
        counts = [int(b.answers.get(amount) or 0) for b, _ in found]
        return told(row._replace(amount=n) for row, n in zip(made, counts, strict=True) if n)

    return rows
