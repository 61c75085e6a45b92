"""What phones are told: campaigns, and for each door all that is still due there, over all campaigns at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend import clock
from backend.campaigns.coverage import TERMINAL
from backend.campaigns.guarding import guard_of
from backend.campaigns.models import Campaign, CampaignTarget, TargetDoor
from backend.campaigns.projecting import Told, running_rounds
from backend.identity.models import Community
from backend.places.facts import among
from backend.sync.feed import Change, append_changes, area_scope, forms_scope
from backend.sync.feed_entities import FeedEntity, FeedRow

CAMPAIGN, TARGET = "campaign", "target"
T = CampaignTarget


def tell_doors(session: Session, community_id: UUID, doors: Mapping[UUID, Told], changed: set[UUID]) -> None:
    """Tell phones about doors: those whose targets ``changed`` and those that moved or were visited otherwise."""
    asked = doors.keys() | changed
    if not asked:
        return
    found = select(TargetDoor).where(TargetDoor.community_id == community_id, among(TargetDoor.place_id, asked))
    held = {door.place_id: door for door in session.scalars(found.execution_options(populate_existing=True))}
    rows, changes = [], list[Change]()
    for place_id in sorted(asked):
        before = held.get(place_id)
        old = Told(before.grid_id, before.last_contact_ms) if before else None
        now = doors.get(place_id) or old
        if now is None or (now == old and place_id not in changed):
            continue
        rev = before.rev + 1 if before else 1
        rows.append({"community_id": community_id, "place_id": place_id, "rev": rev, **now._asdict()})
        scope, was = (area_scope(told.grid_id or community_id) for told in (now, old or now))
        if was != scope:
            changes.append(Change(was, TARGET, str(place_id), "del", rev))
        changes.append(Change(scope, TARGET, str(place_id), "put", rev))
    if rows:
        upsert = insert(TargetDoor)
        new = {name: upsert.excluded[name] for name in ("grid_id", "last_contact_ms", "rev")}
        session.execute(upsert.on_conflict_do_update(index_elements=["community_id", "place_id"], set_=new), rows)
        append_changes(session, community_id, changes)


def tell_campaigns(session: Session, community_id: UUID, campaigns: Sequence[Campaign]) -> None:
    """Campaigns changed; their ``rev`` was raised."""
    scope = forms_scope(community_id)
    append_changes(session, community_id, [Change(scope, CAMPAIGN, str(c.id), "put", c.rev) for c in campaigns])


# --- campaigns --------------------------------------------------------------------------------------------------------


def _started(community_id: UUID) -> Select[Any]:
    return select(Campaign).where(Campaign.community_id == community_id, Campaign.started_ms.is_not(None))


def _load_campaigns(session: Session, community_id: UUID, ids: Sequence[str]) -> dict[str, FeedRow]:
    found = _started(community_id).where(among(Campaign.id, map(UUID, ids)))
    return {row.id: row for row in _campaign_rows(session, community_id, found)}


def _campaigns_after(
    session: Session, community_id: UUID, scope_id: str, after_id: str | None, limit: int
) -> list[FeedRow]:
    found = _started(community_id)
    if after_id is not None:
        found = found.where(Campaign.id > UUID(after_id))
    return _campaign_rows(session, community_id, found.order_by(Campaign.id).limit(limit))


def _campaign_rows(session: Session, community_id: UUID, found: Select[Any]) -> list[FeedRow]:
    guard = guard_of(session, community_id)
    return [
        FeedRow(
            str(c.id),
            c.rev,
            forms_scope(community_id),
            {
                "name": c.name,
                "forms": c.forms,
                "cadence": c.cadence,
                "rounds": list(map(_round, running_rounds(c))),
                **guard,
            },
        )
        for c in session.scalars(found)
    ]


def _round(one: Any) -> dict[str, int]:
    return {"n": one.n, "from_ms": one.from_ms, "to_ms": one.to_ms}


# --- targets ----------------------------------------------------------------------------------------------------------


def is_due() -> ColumnElement[bool]:
    """The door is still to be visited."""
    return T.state.not_in(TERMINAL)


def _doors(community_id: UUID) -> Select[*tuple[Any, ...]]:
    d = TargetDoor
    return select(d.place_id, d.grid_id, d.last_contact_ms, d.rev).where(d.community_id == community_id)


def _load_targets(session: Session, community_id: UUID, ids: Sequence[str]) -> dict[str, FeedRow]:
    doors = _doors(community_id).where(among(TargetDoor.place_id, map(UUID, ids)))
    return {row.id: row for row in _target_rows(session, community_id, doors)}


def _targets_after(
    session: Session, community_id: UUID, scope_id: str, after_id: str | None, limit: int
) -> list[FeedRow]:
    area = UUID(scope_id.partition(":")[2])
    current = _current(session, community_id)
    # Looked up door by door along the page: a join would read the targets of the whole community.
    due = select(T.round).where(T.community_id == community_id, T.place_id == TargetDoor.place_id, is_due())
    is_any = due.where(_of(current)).limit(1).scalar_subquery().is_not(None)
    doors = _doors(community_id).where(is_any)
    doors = doors.where(TargetDoor.grid_id.is_(None) if area == community_id else TargetDoor.grid_id == area)
    if after_id is not None:
        doors = doors.where(TargetDoor.place_id > UUID(after_id))
    return _target_rows(session, community_id, doors.order_by(TargetDoor.place_id).limit(limit))


def _current(session: Session, community_id: UUID) -> dict[UUID, list[int]]:
    """Campaign → its rounds that are not over: what is over is missed, not due."""
    offset = session.scalar(select(Community.clock_offset_ms).where(Community.community_id == community_id))
    now_ms = clock.now_ms(offset or 0)
    found = {
        c.id: [one.n for one in running_rounds(c) if one.to_ms > now_ms]
        for c in session.scalars(_started(community_id))
    }
    return {campaign_id: numbers for campaign_id, numbers in found.items() if numbers}


def _of(current: Mapping[UUID, list[int]]) -> ColumnElement[bool]:
    return or_(False, *(and_(T.campaign_id == c, T.round == func.any(numbers)) for c, numbers in current.items()))


def _target_rows(session: Session, community_id: UUID, doors: Select[*tuple[Any, ...]]) -> list[FeedRow]:
    found = session.execute(doors).all()
    if not found:
        return []
    due: dict[UUID, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    columns = (T.place_id, T.campaign_id, T.round, T.state, T.attempts, T.slots, T.forms_left, T.kind)
    rows = select(*columns).where(T.community_id == community_id, among(T.place_id, [d.place_id for d in found]))
    rows = rows.where(is_due(), _of(_current(session, community_id)))
    for row in session.execute(rows.order_by(T.place_id, T.round, T.campaign_id)):
        due[row.place_id].append(row)
    return [
        FeedRow(str(d.place_id), d.rev, area_scope(d.grid_id or community_id), _wire(d, due[d.place_id]))
        for d in found
        if d.place_id in due
    ]


def _wire(door: Row[*tuple[Any, ...]], due: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, Any]:
    return {
        "kind": due[0].kind,
        "forms": sorted({form for row in due for form in row.forms_left}),
        "last_contact_ms": door.last_contact_ms,
        "due": [
            {
                "campaign_id": row.campaign_id,
                "round": row.round,
                "forms": row.forms_left,
                "state": row.state,
                "attempts": row.attempts,
                "slots": row.slots,
            }
            for row in due
        ],
    }


CAMPAIGN_ENTITY: Final = FeedEntity(CAMPAIGN, "forms", _load_campaigns, _campaigns_after)
TARGET_ENTITY: Final = FeedEntity(TARGET, "area", _load_targets, _targets_after)
