"""The dossier of a place (一楼一档): its latest answers, visits, hazards, what was done, and what stands below it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, func, literal_column, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from backend.db import Ltree
from backend.forms.catalogue import FormCatalogue
from backend.hazards.facts import Block, VisitFact
from backend.hazards.models import Hazard, Observation, is_retracted
from backend.http.context import RequestContext
from backend.identity.keys import Keyring
from backend.identity.masking import mask_names, mask_number, mask_plate
from backend.identity.models import Account
from backend.inspections.models import Visit
from backend.places.models import Place
from backend.places.queries import is_below
from backend.rectification.families import load_families
from backend.rectification.loading import load_facts
from backend.rectification.models import TaskStep
from backend.rectification.presenting import RuleTitles, Shape, label, moment, named, place_of, step_line, task_line
from backend.rectification.queries import SETTLED, is_overdue, open_first, select_steps, select_tasks
from mobile_contract.forms import Form

#: How many hazards, steps and children a dossier shows; lists of tasks page through all of them.
SHOWN: Final = 200
DOORS: Final = ("household", "premises")
#: Outcomes after which nobody need come again in this round.
FINISHED: Final = ("done", "vacant", "not_applicable")
LEAVES: Final = frozenset(DOORS)
#: What is shown of a sensitive answer; classes not named are left out.
MASKS: Final = {
    "name": mask_names,
    "contact": mask_names,
    "phone": mask_number,
    "id_number": mask_number,
    "plate": mask_plate,
}


def latest_answers(ctx: RequestContext, place_id: UUID) -> list[Shape]:
    """What the last visit of each form found at the place itself, sensitive answers masked or left out."""
    session, community_id = ctx.session, ctx.community_id
    families = load_families(session, community_id, [place_id])
    members = sorted({m for family in families if family.place_id == place_id for m in family.members})
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    visits = load_facts(session, community_id, sealer, members).visits
    newest: dict[str, VisitFact] = {}
    places = {str(member) for member in members}
    for visit in sorted(visits, key=lambda v: v.key):
        if visit.outcome == "done":
            newest |= {block.form: visit for block in visit.blocks if block.place_id in places}
    catalogue = ctx.runtime.part(FormCatalogue)
    return [_form_answers(session, catalogue, code, newest[code], places) for code in sorted(newest)]


def _form_answers(session: Session, catalogue: FormCatalogue, code: str, visit: VisitFact, places: set[str]) -> Shape:
    blocks = [block for block in visit.blocks if block.form == code and block.place_id in places]
    form = catalogue.form(session, code, blocks[0].version)
    return {
        "form": code,
        "title": None if form is None else label(form.title),
        "visit_id": visit.id,
        "at": moment(visit.effective_ms),
        "blocks": [_block(block, catalogue.form(session, code, block.version)) for block in blocks],
    }


def _block(block: Block, form: Form | None) -> Shape:
    """One block's answers. Of a form that is not known here nothing is shown: what is sensitive is not known either."""
    answers, left_out = shown_answers(block.answers, form)
    return {"version": block.version, "answers": answers, "left_out": left_out}


def shown_answers(answers: Mapping[str, Any], form: Form | None) -> tuple[Shape, list[str]]:
    """Answers by field with sensitive ones masked, and the ids of the fields left out altogether."""
    shown: Shape = {}
    left_out: list[str] = []
    for name, value in answers.items():
        field = form.by_id.get(name) if form is not None else None
        if field is not None and field.sensitive is None:
            shown[name] = value
        elif field is not None and field.sensitive in MASKS and isinstance(value, str):
            shown[name] = MASKS[field.sensitive](value)
        else:
            left_out.append(name)
    return shown, sorted(left_out)


def list_visits(ctx: RequestContext, place: Place, before: tuple[int, UUID] | None, limit: int) -> Sequence[Row[Any]]:
    """Up to ``limit + 1`` visits at the place or below it, newest first; also those that only a block brings here."""
    author = aliased(Account)
    columns: tuple[Any, ...] = (
        *(Visit.id, Visit.place_id, Visit.effective_ms, Visit.outcome, Visit.forms, Visit.time_quality),
        *(Visit.author_id, author.name.label("author_name")),
        *(Place.name.label("place_name"), Place.kind.label("place_kind"), Place.field_code.label("place_code")),
    )
    found = (
        select(*columns)
        .join(Place, and_(Place.community_id == Visit.community_id, Place.id == Visit.place_id))
        .outerjoin(author, author.id == Visit.author_id)
        .where(Visit.community_id == ctx.community_id, or_(is_below(place.path), _block_at(place)))
    )
    if before is not None:
        found = found.where(tuple_(Visit.effective_ms, Visit.id) < before)
    return ctx.session.execute(found.order_by(Visit.effective_ms.desc(), Visit.id.desc()).limit(limit + 1)).all()


def _block_at(place: Place) -> ColumnElement[bool]:
    return exists().where(
        Observation.community_id == Visit.community_id,
        Observation.visit_id == Visit.id,
        Observation.place_id == place.id,
    )


def visit_line(row: Row[Any]) -> Shape:
    """A visit out of a row of :func:`list_visits`."""
    return {
        "id": row.id,
        "place": place_of(row),
        "at": moment(row.effective_ms),
        "outcome": row.outcome,
        "forms": row.forms,
        "author": named(row.author_id, row.author_name),
        "time_quality": row.time_quality,
    }


def list_hazards(ctx: RequestContext, place: Place) -> tuple[list[Shape], bool]:
    """Tasks at the place or below it, open ones first; and whether there are more."""
    found = select_tasks(ctx.community_id).where(is_below(place.path), ~is_retracted())
    rows = ctx.session.execute(found.order_by(open_first(), Hazard.deadline_ms, Hazard.id).limit(SHOWN + 1)).all()
    titles = RuleTitles(ctx.session, ctx.runtime.part(FormCatalogue))
    return [task_line(row, titles, ctx.now_ms) for row in rows[:SHOWN]], len(rows) > SHOWN


def list_steps(ctx: RequestContext, place: Place) -> list[Shape]:
    """The last steps taken about hazards at the place or below it, newest first."""
    found = select_steps(ctx.community_id).where(is_below(place.path))
    rows = ctx.session.execute(found.order_by(TaskStep.effective_ms.desc(), TaskStep.id.desc()).limit(SHOWN))
    return [step_line(row) for row in rows]


def list_children(ctx: RequestContext, place: Place) -> tuple[list[Shape], bool]:
    """What stands directly below the place, with how many doors it has, how many of them are finished, and the open
    hazards below it; one statement. Also whether there is more than is shown."""
    if place.kind in LEAVES:
        return [], False
    community_id, depth = ctx.community_id, place.path.count(".") + 1
    # Written out, not bound: the same expression must stand in SELECT and GROUP BY.
    position: ColumnElement[int] = literal_column(str(depth))
    is_door = and_(Place.kind.in_(DOORS), Place.merged_into.is_(None), ~Place.withdrawn)
    was_finished = exists().where(
        Visit.community_id == Place.community_id, Visit.place_id == Place.id, Visit.outcome.in_(FINISHED)
    )
    hazards = (
        select(
            Hazard.place_id,
            func.count().label("open"),
            func.count().filter(is_overdue(ctx.now_ms)).label("overdue"),
        )
        .where(Hazard.community_id == community_id, Hazard.state.not_in(SETTLED), ~Hazard.service_gap)
        .group_by(Hazard.place_id)
        .subquery()
    )
    counted = (
        select(
            func.subpath(Place.path, position, 1, type_=Ltree).label("child"),
            func.count().filter(is_door).label("doors"),
            func.count().filter(is_door, was_finished).label("finished"),
            func.coalesce(func.sum(hazards.c.open), 0).label("open_hazards"),
            func.coalesce(func.sum(hazards.c.overdue), 0).label("overdue"),
        )
        .outerjoin(hazards, hazards.c.place_id == Place.id)
        .where(Place.community_id == community_id, is_below(place.path), Place.id != place.id)
        .group_by(literal_column("child"))
        .subquery()
    )
    node = aliased(Place)
    rows = ctx.session.execute(
        select(node.id, node.kind, node.name, node.field_code.label("code"), *counted.c[1:])
        .join(counted, counted.c.child == func.subpath(node.path, position, 1, type_=Ltree))
        .where(node.community_id == community_id, node.parent_id == place.id)
        .where(node.merged_into.is_(None), ~node.withdrawn)
        .order_by(node.name_pinyin, node.id)
        .limit(SHOWN + 1)
    )
    found = [dict(row._mapping) for row in rows]
    return found[:SHOWN], len(found) > SHOWN
