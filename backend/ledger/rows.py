"""Lines of the ledger, a batch at a time: what the hazards' facts and projections say, persons masked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from backend.clock import local_day
from backend.forms.catalogue import FormCatalogue
from backend.hazards.lifecycle import STATE_LABELS
from backend.hazards.models import Hazard, LedgerNumber, Transition, is_retracted
from backend.identity.keys import Sealer
from backend.identity.masking import mask_prose, mask_text, persons_in
from backend.identity.models import Account
from backend.ledger.assignments import masked
from backend.ledger.columns import Cells
from backend.ledger.photos import count_photos
from backend.ledger.remarks import find_remarks
from backend.places.models import Place
from backend.places.public_names import PlaceLine, find_places
from backend.places.queries import in_scope
from backend.rectification.models import RectificationTask
from backend.rectification.presenting import RuleTitles
from backend.rectification.step_bodies import StepBody, open_steps
from mobile_contract.forms import Form
from mobile_contract.rules.definition import CATEGORIES, SEVERITY_LABELS, Severity

BATCH: Final = 1000
#: 2000-01-01 in Shanghai: what is earlier was counted from 0, without any clock.
YEAR_2000_MS: Final = 946_656_000_000
TIME_UNKNOWN: Final = "时间不详"
Task = RectificationTask
Grid = aliased(Place, name="grid")
Conditions = Sequence[ColumnElement[bool]]


class Line(NamedTuple):
    """A line of the ledger and the hazard it is about."""

    hazard_id: UUID
    cells: Cells


@dataclass(frozen=True, slots=True)
class Ledger:
    """Reads the ledger of one community in the session's transaction."""

    session: Session
    sealer: Sealer
    catalogue: FormCatalogue
    community_id: UUID
    scope: Sequence[str] = ()

    def count(self, conditions: Conditions = ()) -> int:
        """How many lines there are."""
        found = select(func.count()).select_from(self._hazards(conditions).subquery())
        return self.session.scalar(found) or 0

    def lines(self, conditions: Conditions = ()) -> Iterator[Line]:
        """Every line by time of registration; never more than a batch in memory. Service gaps are no hazards."""
        after: tuple[int, UUID] | None = None
        n = 0
        while True:
            found = self._hazards(conditions)
            if after is not None:
                found = found.where(tuple_(Hazard.registered_ms, Hazard.id) > after)
            rows = self.session.execute(found.order_by(Hazard.registered_ms, Hazard.id).limit(BATCH)).all()
            yield from _lines(self, rows, n)
            if len(rows) < BATCH:
                return
            n, after = n + len(rows), (rows[-1].registered_ms, rows[-1].id)

    def lines_of(self, hazard_ids: Sequence[UUID]) -> Iterator[Line]:
        """The lines of these hazards, in the order given. For a set that is small beside all there ever were: it is
        looked up by key."""
        n = 0
        for start in range(0, len(hazard_ids), BATCH):
            wanted = list(hazard_ids[start : start + BATCH])
            found = {row.id: row for row in self.session.execute(self._hazards([Hazard.id == func.any(wanted)]))}
            rows = [found[hazard_id] for hazard_id in wanted if hazard_id in found]
            yield from _lines(self, rows, n)
            n += len(rows)

    def _hazards(self, conditions: Conditions) -> Any:
        h = Hazard
        return (
            select(
                *h.__table__.columns,
                *(Task.assign_step_id, LedgerNumber.number, Grid.name.label("grid_name")),
                *(Place.kind.label("place_kind"), Place.name.label("place_name")),
            )
            .join(Place, and_(Place.community_id == h.community_id, Place.id == h.place_id))
            .outerjoin(Task, and_(Task.community_id == h.community_id, Task.hazard_id == h.id))
            .outerjoin(LedgerNumber, and_(LedgerNumber.community_id == h.community_id, LedgerNumber.hazard_id == h.id))
            .outerjoin(Grid, and_(Grid.community_id == h.community_id, Grid.id == h.grid_id))
            .where(h.community_id == self.community_id, ~h.service_gap, ~is_retracted(), *conditions)
            .where(in_scope(self.scope))
        )


class _Course(NamedTuple):
    """What a hazard's transitions tell: when it was last put right and struck off, who checked, which step referred."""

    fixed_ms: int | None = None
    closer_id: UUID | None = None
    refer_step: UUID | None = None


def _lines(ledger: Ledger, rows: Sequence[Row[Any]], n: int) -> Iterator[Line]:
    session, community_id = ledger.session, ledger.community_id
    ids = [row.id for row in rows]
    courses = _courses(session, community_id, ids)
    steps = {row.assign_step_id for row in rows} | {course.refer_step for course in courses.values()}
    bodies = open_steps(session, ledger.sealer, community_id, {step for step in steps if step is not None})
    names = _names(session, (course.closer_id for course in courses.values()))
    places = find_places(session, community_id, {row.place_id for row in rows})
    remarks = find_remarks(session, ledger.sealer, community_id, ids)
    photos = count_photos(session, ledger.sealer, community_id, rows)
    titles = RuleTitles(session, ledger.catalogue)
    for at, row in enumerate(rows, n + 1):
        course = courses.get(row.id, _Course())
        cells = {
            "n": str(at),
            **_what(row, titles, ledger, places.get(row.place_id)),
            **_assignment(bodies.get(row.assign_step_id) or {}),
            **_course(row, course, bodies, names),
            **dict(zip(("photos_before", "photos_after"), photos[row.id], strict=True)),
            **remarks.get(row.id, {"remark": "", "supervising_body": "", "supervisor": ""}),
        }
        cells["holder"] = row.place_name if row.place_kind == "premises" else cells["responsible"]
        yield Line(row.id, cells)


def _what(row: Row[Any], titles: RuleTitles, ledger: Ledger, place: PlaceLine | None) -> Cells:
    rule_set = ledger.catalogue.rule_set(ledger.session, row.form, row.rule_version)
    category = CATEGORIES.get(rule_set.category) if rule_set is not None else None
    title = titles.title_of(row.form, row.rule_version, row.rules, row.chain)["zh"]
    form = ledger.catalogue.form(ledger.session, row.form, rule_set.form_versions[-1]) if rule_set else None
    where = locus_words(form, row.locus) if form else ""
    return {
        "category": (category or CATEGORIES["other"]).zh,
        "description": f"{title}（{where}）" if where else title,
        "severity": SEVERITY_LABELS[Severity(row.severity)].zh,
        "found_on": short_date(row.registered_ms),
        "due_on": short_date(row.deadline_ms),
        "state": STATE_LABELS[row.state][0],
        "number": row.number or "",
        "source": "排查发现" if row.cycle <= 1 else "回头看反弹",
        "grid": row.grid_name or "",
        "place": place.name if place else "",
        "extensions": str(row.extensions),
        "closed_on": short_date(row.closed_ms),
    }


def locus_words(form: Form, locus: str) -> str:
    """Which object of its kind a locus means: ``STAIR/3F`` is 楼梯间，3F."""
    parts = locus.split("/")
    if len(parts) != len(form.locus):
        return ""
    said = []
    for name, part in zip(form.locus, parts, strict=True):
        choices = {choice.code.upper(): choice.label.zh for choice in form.by_id[name].choices}
        if part not in ("-", ""):
            said.append(choices.get(part) or mask_text(part))
    return "，".join(said)


def _assignment(body: StepBody) -> Cells:
    party = body.get("responsible_party") or ""
    said = masked(party, body.get("measures") or "")
    return {
        "responsible": said.responsible,
        "measures": said.measures,
        "funds": mask_prose(body.get("funds") or "", persons_in(party)),
    }


def _course(row: Row[Any], course: _Course, bodies: dict[UUID, StepBody], names: dict[UUID, str]) -> Cells:
    referred = bodies.get(course.refer_step) if course.refer_step else None
    return {
        "fixed_on": short_date(course.fixed_ms) if row.state == "closed" else "",
        "checker": names.get(course.closer_id, "") if course.closer_id and row.state == "closed" else "",
        "referred_to": mask_text((referred or {}).get("recipient") or ""),
    }


def _courses(session: Session, community_id: UUID, ids: Collection[UUID]) -> dict[UUID, _Course]:
    t = Transition
    rows = session.execute(
        select(t.hazard_id, t.to_state, t.effective_ms, t.cause, t.cause_id, t.actor_id)
        .where(t.community_id == community_id, t.hazard_id == func.any(list(ids)))
        .where(t.to_state.in_(("review", "closed", "referred")))
        .order_by(t.hazard_id, t.n)
    )
    found: dict[UUID, _Course] = defaultdict(_Course)
    for row in rows:
        known = found[row.hazard_id]
        if row.to_state == "review":
            found[row.hazard_id] = known._replace(fixed_ms=row.effective_ms)
        elif row.to_state == "closed":
            found[row.hazard_id] = known._replace(closer_id=row.actor_id, fixed_ms=known.fixed_ms or row.effective_ms)
        elif row.cause == "step":
            found[row.hazard_id] = known._replace(refer_step=row.cause_id)
    return found


def _names(session: Session, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names of staff: who checked is printed in full."""
    wanted = list({i for i in ids if i is not None})
    rows = session.execute(select(Account.id, Account.name).where(Account.id == func.any(wanted)))
    return {row.id: row.name for row in rows}


def short_date(at_ms: int | None) -> str:
    """``2026-11-22`` in Shanghai; empty for None, 时间不详 for what no clock was read for."""
    if at_ms is None:
        return ""
    return TIME_UNKNOWN if at_ms < YEAR_2000_MS else local_day(at_ms).isoformat()
