"""Recording what was done about a dangerous house: stored and folded in one transaction, or refused and not stored."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import NIL_ID, new_id
from backend.evacuations.errors import (
    FactTimeWrong,
    HouseholdElsewhere,
    NoHouse,
    NothingAppraised,
    not_applied,
)
from backend.evacuations.lifecycle import FACT_KINDS
from backend.evacuations.models import Evacuation, EvacuationFact, EvacuationOutcome
from backend.evacuations.projecting import houses_with_facts, lock_houses, refold
from backend.evacuations.queries import list_households, open_fact
from backend.http.context import RequestContext, Runtime
from backend.http.guards import PermissionDenied
from backend.identity.audit import audit
from backend.identity.keys import Keyring
from backend.notices.models import Notice
from backend.notices.service import NewNotice, issue, seal_fact
from backend.notices.wording import evacuation_blocks
from backend.places.errors import PlaceNotFound
from backend.places.models import Place
from backend.places.projection import PlaceChange
from backend.places.queries import get_place

#: The fields of a fact's body that are columns of their own.
_COLUMNS: Final = ("household_id", "at_ms")


def record_fact(ctx: RequestContext, house_id: UUID, kind: str, body: Mapping[str, Any]) -> UUID:
    """Append what was done about a house and fold it; returns the fact's id.

    PlaceNotFound, NoHouse, HouseholdElsewhere, FactTimeWrong, PermissionDenied; FactNotApplied with the fold's reason.
    ``at_ms`` None: now, after everything recorded before.
    """
    session, community_id = ctx.session, ctx.community_id
    house = house_of(ctx, house_id)
    role = _role_for(ctx, kind, house.path)
    household_id = body.get("household_id")
    for named in [household_id] if household_id else body.get("returned") or ():
        _check_household(ctx, house, UUID(str(named)))
    lock_houses(session, community_id, [house.id])
    at_ms = body.get("at_ms")
    if at_ms is not None and at_ms > ctx.now_ms:
        raise FactTimeWrong
    fact_id = new_id()
    said = {name: value for name, value in body.items() if name not in _COLUMNS}
    session.add(
        EvacuationFact(
            community_id=community_id,
            id=fact_id,
            house_id=house.id,
            household_id=household_id,
            kind=kind,
            effective_ms=_last_ms(session, community_id, house.id, ctx.now_ms) if at_ms is None else at_ms,
            install_id=NIL_ID,
            seq=0,
            actor_id=ctx.actor.account_id,
            actor_role=role,
            sealed=seal_fact(session, ctx.runtime, community_id, fact_id, said),
            recorded_ms=ctx.now_ms,
        )
    )
    session.flush()
    refold(session, ctx.runtime.part(Keyring), community_id, [house.id])
    outcome = session.get_one(EvacuationOutcome, (community_id, house.id, fact_id), populate_existing=True)
    if not outcome.applied:
        raise not_applied(outcome.reason or "kind_unknown")
    audit(
        *(session, community_id, f"house_{kind}", f"place:{house.id}"),
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        fact=str(fact_id),
    )
    return fact_id


def house_of(ctx: RequestContext, house_id: UUID) -> Place:
    """The building, within the caller's places; of one merged away, its survivor. PlaceNotFound, NoHouse."""
    house = get_place(ctx.session, ctx.community_id, house_id, ctx.actor.scope_paths)
    if house.merged_into is not None:
        house = get_place(ctx.session, ctx.community_id, house.merged_into, ctx.actor.scope_paths)
    if house.kind != "building":
        raise NoHouse
    return house


def _role_for(ctx: RequestContext, kind: str, path: str) -> str:
    permission = FACT_KINDS[kind].permission
    for membership in ctx.actor.active_memberships(permission):
        if membership.covers(path):
            return membership.role
    raise PermissionDenied(permission=permission)


def _check_household(ctx: RequestContext, house: Place, household_id: UUID) -> None:
    try:
        household = get_place(ctx.session, ctx.community_id, household_id)
    except PlaceNotFound as error:
        raise HouseholdElsewhere from error
    if household.kind not in ("household", "premises") or not household.path.startswith(house.path + "."):
        raise HouseholdElsewhere


def _last_ms(session: Session, community_id: UUID, house_id: UUID, now_ms: int) -> int:
    """Now, but after everything that was recorded before: order of recording is order of happening."""
    last = select(func.max(EvacuationFact.effective_ms)).where(
        EvacuationFact.community_id == community_id, EvacuationFact.house_id == house_id
    )
    notified = select(func.max(Notice.issued_ms)).where(
        Notice.community_id == community_id, Notice.place_id == house_id
    )
    return max(now_ms, *((session.scalar(found) or 0) + 1 for found in (last, notified)))


def issue_evacuation_notice(ctx: RequestContext, house_id: UUID, body: Mapping[str, Any]) -> UUID:
    """Issue a 危房劝离通知书 out of the appraisal and the households. NothingAppraised; what ``issue`` raises."""
    house = house_of(ctx, house_id)
    lock_houses(ctx.session, ctx.community_id, [house.id])
    case = ctx.session.get(Evacuation, (ctx.community_id, house.id), populate_existing=True)
    households = [h for h in list_households(ctx, house.id, in_full=True) if h["state"] not in ("vacant", "left")]
    if case is None or case.stage in ("clear", "closed", "cleared") or case.appraisal_id is None or not households:
        raise NothingAppraised
    appraisal = open_fact(ctx, case.appraisal_id)
    if appraisal is None:
        raise NothingAppraised
    names = ("resettlement", "contact", "help", "utilities", "owner", "addressee")
    typed = {name: body[name].strip().rstrip("。") for name in names}
    year, month, day = (int(part) for part in appraisal["reported_on"].split("-"))
    content = {
        **typed,
        "house_code": house.field_code,
        "address": body["address"] or house.address_raw or house.name,
        "appraiser": appraisal["appraiser"],
        "report_no": appraisal["report_no"],
        "reported_on": f"{year}年{month}月{day}日",
        "grade": case.grade,
        "danger_parts": appraisal["danger_parts"].strip().rstrip("。"),
        "households": [{"name": h["place"]["name"], "persons": h["persons"]} for h in households],
    }
    written = (*typed.values(), content["address"], content["danger_parts"], content["appraiser"], body["street"])
    new = NewNotice(
        kind="evacuation",
        place_id=house.id,
        deadline_ms=body["deadline_ms"],
        content=content,
        written=written,
        write=evacuation_blocks,
        issuers=[body["street"]],
        replaces=body["replaces"],
    )
    return issue(ctx, new)


def on_notice(session: Session, runtime: Runtime, community_id: UUID, notice: Notice) -> None:
    """A notice to leave was issued or served: the house stands otherwise. For ``NoticeListeners``."""
    if notice.kind == "evacuation":
        refold(session, runtime.part(Keyring), community_id, [notice.place_id])


class HousesMoved:
    """Buildings moved to another grid or were merged: their cases go along. For ``PlaceListeners.on_changed``."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def __call__(self, session: Session, community_id: UUID, changes: Any) -> None:
        touched: set[UUID] = set()
        for change in changes:
            touched |= _touched_by(change)
        houses = houses_with_facts(session, community_id, touched) if touched else []
        if houses:
            survivors = {c.merged_into for c in changes if c.place_id in houses and c.merged_into is not None}
            refold(session, self._keyring, community_id, {*houses, *survivors})


def _touched_by(change: PlaceChange) -> set[UUID]:
    if change.is_new or (change.grid_id == change.old_grid_id and change.merged_into == change.old_merged_into):
        return set()
    return {place for place in (change.place_id, change.merged_into, change.old_merged_into) if place is not None}
