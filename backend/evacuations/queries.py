"""Reads of dangerous houses. Names and free text are shown in full to those who record there, to others masked."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, and_, exists, select
from sqlalchemy.orm import Session, aliased

from backend.evacuations.errors import EvacuationNotFound
from backend.evacuations.lifecycle import (
    DANGEROUS,
    FACT_KINDS,
    GONE,
    HOUSEHOLD_STATES,
    NOT_APPLIED,
    RECORDS,
    STAGES,
)
from backend.evacuations.models import (
    Evacuation,
    EvacuationCheck,
    EvacuationFact,
    EvacuationHousehold,
    EvacuationOutcome,
)
from backend.http.context import RequestContext
from backend.identity.masking import mask_names, mask_text
from backend.identity.models import Account
from backend.inspections.models import RecordKey
from backend.notices.queries import opened
from backend.places.models import Place
from backend.places.queries import in_scope
from backend.rectification.presenting import Shape, label, moment, named, place_of
from mobile_contract.rules import hazard_id

#: The chains of a dangerous house: its grade, its works, people living in it.
CHAINS: Final = ("SBH-GRADE", "SBH-02W", "SBH-03")
OPEN_STAGES: Final = frozenset(STAGES) - {"clear", "closed"}
#: What of a fact's body is told to everybody who may read the case.
_PLAIN: Final = frozenset(
    {"grade", "report_no", "reported_on", "persons", "destination", "utilities_off", "returned", "ending", "fact_id"}
)
_PEOPLE: Final = frozenset({"contact", "by", "street", "police"})
#: Texts about the house, not about people. What help somebody needs, and why, is told to nobody else.
_ABOUT_HOUSE: Final = frozenset({"appraiser", "danger_parts", "to"})


def _select(ctx: RequestContext) -> Select[Any]:
    return (
        select(
            *Evacuation.__table__.columns,
            Evacuation.house_id.label("place_id"),
            *(Place.name.label("place_name"), Place.kind.label("place_kind"), Place.field_code.label("place_code")),
            *(Place.path, Place.address_raw),
        )
        .join(Place, and_(Place.community_id == Evacuation.community_id, Place.id == Evacuation.house_id))
        .where(Evacuation.community_id == ctx.community_id, in_scope(ctx.actor.scope_paths))
    )


def list_houses(
    ctx: RequestContext, stages: Sequence[str], grid_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """Up to ``limit + 1`` houses by id."""
    found = _select(ctx)
    if stages:
        found = found.where(Evacuation.stage.in_(stages))
    if grid_id is not None:
        found = found.where(Evacuation.grid_id == grid_id)
    if after is not None:
        found = found.where(Evacuation.house_id > after)
    return ctx.session.execute(found.order_by(Evacuation.house_id).limit(limit + 1)).all()


def get_house(ctx: RequestContext, house_id: UUID) -> Row[Any]:
    """One house; EvacuationNotFound when nothing was recorded about it or it is outside the caller's places."""
    row = ctx.session.execute(_select(ctx).where(Evacuation.house_id == house_id)).one_or_none()
    if row is None:
        raise EvacuationNotFound
    return row


def house_line(row: Row[Any]) -> Shape:
    """A house in a list."""
    moments = ("opened", "notified", "served", "deadline", "emptied", "cordoned", "cleared", "closed")
    counts = ("households", "households_left", "households_refused", "persons", "facts_not_applied", "rev", "cycle")
    return {
        "house": place_of(row),
        "stage": row.stage,
        "stage_label": label(STAGES[row.stage]),
        "grade": row.grade,
        "dangerous": row.stage in OPEN_STAGES and row.grade in DANGEROUS,
        "grid_id": row.grid_id,
        "notice_id": row.notice_id,
        **{name: getattr(row, name) for name in counts},
        **{name: moment(getattr(row, f"{name}_ms")) for name in moments},
    }


def may_see_persons(ctx: RequestContext, path: str) -> bool:
    """Whether the caller records at the house and so must read who lives there."""
    return ctx.actor.may(RECORDS, path)


def list_households(ctx: RequestContext, house_id: UUID, in_full: bool) -> list[Shape]:
    """The households of the case, by name; ``listed``: who lives there and what help they need, if it may be seen."""
    h = EvacuationHousehold
    rows: Sequence[Any] = ctx.session.execute(
        select(
            *h.__table__.columns,
            h.household_id.label("place_id"),
            *(Place.name.label("place_name"), Place.kind.label("place_kind"), Place.field_code.label("place_code")),
        )
        .join(Place, and_(Place.community_id == h.community_id, Place.id == h.household_id))
        .where(h.community_id == ctx.community_id, h.house_id == house_id)
        .order_by(Place.name_pinyin, h.household_id)
    ).all()
    moments = ("told", "answered", "revisited", "reported", "left")
    return [
        {
            "place": place_of(row),
            "state": row.state,
            "state_label": label(HOUSEHOLD_STATES[row.state]),
            "persons": row.persons,
            "destination": row.destination,
            "listed": open_fact(ctx, row.listed_id) if in_full else None,
            **{name: moment(getattr(row, f"{name}_ms")) for name in moments},
        }
        for row in rows
    ]


def list_unlisted(session: Session, community_id: UUID, house_id: UUID) -> list[Row[Any]]:
    """Homes of the registry in the house that are not on the case's list: nobody is forgotten (不落一户)."""
    house = aliased(Place)
    listed = exists().where(
        EvacuationHousehold.community_id == Place.community_id,
        EvacuationHousehold.house_id == house_id,
        EvacuationHousehold.household_id == Place.id,
    )
    path = select(house.path).where(house.community_id == community_id, house.id == house_id).scalar_subquery()
    found = (
        select(
            Place.id.label("place_id"),
            *(Place.name.label("place_name"), Place.kind.label("place_kind"), Place.field_code.label("place_code")),
        )
        .where(Place.community_id == community_id, Place.kind == "household", Place.merged_into.is_(None))
        .where(~Place.withdrawn, Place.path.op("<@", is_comparison=True)(path), ~listed)
        .order_by(Place.name_pinyin, Place.id)
    )
    return list(session.execute(found))


def has_every_household_left(session: Session, community_id: UUID, house_id: UUID) -> bool:
    """Evidence ``household_left``: the case's households are all gone, and no home of the registry was left out."""
    case = session.get(Evacuation, (community_id, house_id), populate_existing=True)
    if case is None or case.emptied_ms is None:
        return False
    still = exists().where(
        EvacuationHousehold.community_id == community_id,
        EvacuationHousehold.house_id == house_id,
        EvacuationHousehold.state.not_in(GONE),
    )
    return not session.scalar(select(still)) and not list_unlisted(session, community_id, house_id)


def hazards_of(community_id: UUID, house_id: UUID) -> list[Shape]:
    """The hazard chains that hang on the house; their ids follow from it, whether anybody saw them or not."""
    return [{"chain": chain, "hazard_id": hazard_id(community_id, house_id, chain, "")} for chain in CHAINS]


def open_fact(ctx: RequestContext, fact_id: UUID) -> Shape | None:
    """What a fact says; None once it was lawfully erased."""
    fact = ctx.session.get(EvacuationFact, (ctx.community_id, fact_id))
    key = ctx.session.get(RecordKey, (ctx.community_id, fact_id))
    if fact is None or key is None:
        return None
    return opened(ctx.session, ctx.runtime, ctx.community_id, fact_id, fact.sealed, key.key_version, key.wrapped)


def list_facts(ctx: RequestContext, house_id: UUID, in_full: bool) -> list[Shape]:
    """Everything recorded about the house, in the order it happened, with what did not apply and why."""
    f, o = EvacuationFact, EvacuationOutcome
    rows: Sequence[Any] = ctx.session.execute(
        select(f, o.applied, o.reason, Account.name.label("actor_name"))
        .join(o, and_(o.community_id == f.community_id, o.fact_id == f.id))
        .outerjoin(Account, Account.id == f.actor_id)
        .where(o.community_id == ctx.community_id, o.house_id == house_id)
        .order_by(f.effective_ms, f.install_id, f.seq, f.id)
    ).all()
    return [_fact_line(ctx, row, in_full) for row in rows]


def _fact_line(ctx: RequestContext, row: Row[Any], in_full: bool) -> Shape:
    fact, said = row.EvacuationFact, open_fact(ctx, row.EvacuationFact.id)
    kind = FACT_KINDS.get(fact.kind)
    why = None if row.reason is None else NOT_APPLIED.get(row.reason, (row.reason, row.reason))
    return {
        "id": fact.id,
        "kind": fact.kind,
        "label": label(kind.label if kind else (fact.kind, fact.kind)),
        "household_id": fact.household_id,
        "at": moment(fact.effective_ms),
        "recorded": moment(fact.recorded_ms),
        "actor": named(fact.actor_id, row.actor_name),
        "actor_role": fact.actor_role,
        "applied": row.applied,
        "reason": None if why is None else {"code": row.reason, **label(why)},
        "content": said if in_full or said is None else {n: _masked(n, v) for n, v in said.items()},
    }


def _masked(name: str, value: Any) -> Any:
    if name in _PLAIN:
        return value
    if not isinstance(value, str):
        return None
    return mask_names(value) if name in _PEOPLE else mask_text(value) if name in _ABOUT_HOUSE else None


def households_by_house(
    session: Session, community_id: UUID, house_ids: Sequence[UUID]
) -> dict[UUID, list[EvacuationHousehold]]:
    """The households of each house's case."""
    found: dict[UUID, list[EvacuationHousehold]] = {}
    h = EvacuationHousehold
    rows = select(h).where(h.community_id == community_id, h.house_id.in_(house_ids)).order_by(h.household_id)
    for household in session.scalars(rows.execution_options(populate_existing=True)):
        found.setdefault(household.house_id, []).append(household)
    return found


def list_checks(session: Session, community_id: UUID, house_ids: Sequence[UUID]) -> dict[UUID, dict[date, bool]]:
    """By house: the days on which somebody looked, and whether people had moved back."""
    rows = session.execute(
        select(EvacuationCheck.house_id, EvacuationCheck.day, EvacuationCheck.returned).where(
            EvacuationCheck.community_id == community_id, EvacuationCheck.house_id.in_(house_ids)
        )
    )
    found: dict[UUID, dict[date, bool]] = {}
    for house_id, day, returned in rows:
        found.setdefault(house_id, {})[day] = returned
    return found
