"""From the facts about houses to the rows of their projections: computed, compared, and only differences written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from backend.evacuations.fold import Fact, House, fold_house
from backend.evacuations.lifecycle import FACT_KINDS, GONE
from backend.evacuations.models import (
    Evacuation,
    EvacuationCheck,
    EvacuationFact,
    EvacuationHousehold,
    EvacuationMove,
    EvacuationOutcome,
)
from backend.hazards.facts import Standing
from backend.identity.keys import Keyring, Sealed
from backend.identity.permissions import permissions_of
from backend.inspections.models import RecordKey
from backend.inspections.waiting import COMPILE
from backend.jobs import ledger
from backend.notices.models import Notice, NoticeService
from backend.places.models import Place
from backend.rectification.families import Family, load_families, with_survivors
from backend.rectification.projection_tables import ProjectionTable, Rows, differ, write
from backend.sync.feed import Change, append_changes, area_scope
from mobile_contract.sync.ordering import console_key, order_key

EVACUATION: Final = ProjectionTable(Evacuation, "house_id", uncompared=("rev",))
HOUSEHOLD: Final = ProjectionTable(EvacuationHousehold, "house_id")
MOVE: Final = ProjectionTable(EvacuationMove, "house_id")
CHECK: Final = ProjectionTable(EvacuationCheck, "house_id")
OUTCOME: Final = ProjectionTable(EvacuationOutcome, "house_id")
TABLES: Final = (EVACUATION, HOUSEHOLD, MOVE, CHECK, OUTCOME)
ENTITY: Final = "evacuation"

Projection = dict[str, Rows]
"""Table name → rows."""

_LOCK = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key ORDER BY key")
_LOCK_SPACE = 0x48005E


def may_take(role: str | None, permission: str) -> bool:
    """Whether a role, as it was frozen, may do a thing."""
    return role is not None and permission in permissions_of(role)


def refold(session: Session, keyring: Keyring, community_id: UUID, house_ids: Iterable[UUID]) -> None:
    """Fold houses anew, with those they were merged into, and write what differs; tells the feed."""
    houses = with_survivors(session, community_id, house_ids)
    lock_houses(session, community_id, houses)
    projection = project(session, keyring, community_id, houses)
    stored = {table.name: table.load(session, community_id, houses) for table in TABLES}
    differences = {table.name: differ(stored[table.name][0], projection[table.name]) for table in TABLES}
    changed = {key[0] for difference in differences.values() for key in difference.keys}
    before = stored[EVACUATION.name]
    revisions = {(house,): (before[1].get((house,), (0,))[0] + 1,) for house in sorted(changed)}
    for key in revisions:
        rows = projection[EVACUATION.name]
        if key in rows and key not in differences[EVACUATION.name].missing:
            differences[EVACUATION.name].changed[key] = rows[key]
    for table in TABLES:
        if differences[table.name]:
            write(session, table, community_id, differences[table.name], revisions if table is EVACUATION else None)
    _tell_feed(session, community_id, projection[EVACUATION.name], before[0], revisions)
    if changed:  # whether its hazards may be struck off follows from who has left
        ledger.want(session, COMPILE, community_id, sorted(map(str, changed)))


def lock_houses(session: Session, community_id: UUID, houses: Iterable[UUID]) -> None:
    """Hold houses against others who record about them, until the transaction ends; in one order, so no deadlock."""
    keys = sorted({(community_id.int ^ house.int ^ _LOCK_SPACE) % 2**63 for house in houses})
    session.execute(_LOCK, {"keys": keys})


def project(session: Session, keyring: Keyring, community_id: UUID, houses: Sequence[UUID]) -> Projection:
    """What the facts make of exactly these houses; one that was merged into another has nothing any more."""
    rows: Projection = {table.name: {} for table in TABLES}
    families = load_families(session, community_id, houses)
    facts = load_facts(session, keyring, community_id, {m for family in families for m in family.members})
    for family in families:
        own = [fact for member in sorted(family.members) for fact in facts.get(member, ())]
        if any(fact.kind in FACT_KINDS for fact in own):
            _add_house(rows, family, fold_house(own, may_take))
    return rows


def _add_house(rows: Projection, family: Family, house: House) -> None:
    here, states = family.place_id, [h.state for h in house.households.values()]
    counted = {
        "grid_id": family.grid_id,
        "households": len(states),
        "households_left": sum(state in GONE for state in states),
        "households_refused": states.count("refused"),
        "persons": sum(h.persons for h in house.households.values()),
        "facts_not_applied": sum(reason not in (None, "withdrawn") for reason in house.outcomes.values()),
        "appraisal_id": _uuid(house.appraisal_id),
        "notice_id": _uuid(house.notice_id),
    }
    rows[EVACUATION.name][here,] = tuple(counted[n] if n in counted else getattr(house, n) for n in EVACUATION.values)
    for household_id, household in house.households.items():
        ids = {"listed_id": UUID(household.listed_id), "last_id": UUID(household.last_id)}
        rows[HOUSEHOLD.name][here, UUID(household_id)] = tuple(
            ids[n] if n in ids else getattr(household, n) for n in HOUSEHOLD.values
        )
    for move in house.moves:
        rows[MOVE.name][here, UUID(move.household_id), UUID(move.fact_id)] = (move.kind, move.at_ms)
    for day, (returned, checked_ms, fact_id) in house.checks.items():
        rows[CHECK.name][here, day] = (returned, checked_ms, UUID(fact_id))
    for fact_id, reason in house.outcomes.items():
        rows[OUTCOME.name][here, UUID(fact_id)] = (reason is None, reason)


def _uuid(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)


def load_facts(
    session: Session, keyring: Keyring, community_id: UUID, houses: Iterable[UUID]
) -> dict[UUID, list[Fact]]:
    """All facts about ``houses``, by house: what was done, and the notices issued and served."""
    wanted = list(houses)
    found: dict[UUID, list[Fact]] = {}
    sealer = keyring.sealer(session, community_id)
    rows = session.execute(
        select(EvacuationFact, RecordKey.key_version, RecordKey.wrapped)
        .outerjoin(
            RecordKey,
            (RecordKey.community_id == EvacuationFact.community_id) & (RecordKey.record_id == EvacuationFact.id),
        )
        .where(EvacuationFact.community_id == community_id, EvacuationFact.house_id == func.any(wanted))
    )
    for row, version, wrapped in rows:
        if wrapped is None:
            continue  # lawfully erased: it says nothing any more
        body: Mapping[str, Any] = orjson.loads(sealer.open(row.id, Sealed(row.sealed, version, wrapped)))
        key = order_key(row.effective_ms, row.install_id, row.seq, row.id)
        household = None if row.household_id is None else str(row.household_id)
        fact = Fact(str(row.id), key, row.kind, str(row.actor_id), row.actor_role, household, body)
        found.setdefault(row.house_id, []).append(fact)
    for house, fact in _notice_facts(session, community_id, wanted):
        found.setdefault(house, []).append(fact)
    return found


def _notice_facts(session: Session, community_id: UUID, houses: list[UUID]) -> Iterable[tuple[UUID, Fact]]:
    notices = session.execute(
        select(Notice.id, Notice.place_id, Notice.issued_ms, Notice.issued_by, Notice.deadline_ms).where(
            Notice.community_id == community_id, Notice.kind == "evacuation", Notice.place_id == func.any(houses)
        )
    ).all()
    for n in notices:
        key, said = console_key(n.issued_ms, n.id), {"deadline_ms": n.deadline_ms}
        yield n.place_id, Fact(str(n.id), key, "notice_issued", str(n.issued_by), None, None, said)
    place_of = {n.id: n.place_id for n in notices}
    services = session.scalars(
        select(NoticeService).where(
            NoticeService.community_id == community_id, NoticeService.notice_id == func.any(list(place_of))
        )
    )
    for s in services:
        household = None if s.household_id is None else str(s.household_id)
        key = console_key(s.served_ms, s.id)
        yield place_of[s.notice_id], Fact(str(s.id), key, "notice_served", str(s.recorded_by), None, household)


def load_standings(
    session: Session, keyring: Keyring, community_id: UUID, places: Sequence[UUID]
) -> dict[UUID, list[Standing]]:
    """Since when every household of a dangerous house has left (evidence ``household_left``), by house."""
    found: dict[UUID, list[Standing]] = {}
    houses = houses_with_facts(session, community_id, places)
    for family in load_families(session, community_id, with_survivors(session, community_id, houses)) if houses else ():
        facts = load_facts(session, keyring, community_id, family.members)
        house = fold_house([fact for each in facts.values() for fact in each], may_take)
        found[family.place_id] = [Standing(key, "household_left", empty) for key, empty in house.emptiness]
    return found


def houses_with_facts(session: Session, community_id: UUID, place_ids: Iterable[UUID]) -> list[UUID]:
    """Those of ``place_ids`` about which something was recorded."""
    wanted = list(place_ids)
    found = select(Place.id).where(
        Place.community_id == community_id,
        Place.id == func.any(wanted),
        or_(
            select(EvacuationFact.id)
            .where(EvacuationFact.community_id == community_id, EvacuationFact.house_id == Place.id)
            .exists(),
            select(Evacuation.house_id)
            .where(Evacuation.community_id == community_id, Evacuation.house_id == Place.id)
            .exists(),
        ),
    )
    return list(session.scalars(found))


def _tell_feed(
    session: Session, community_id: UUID, rows: Rows, before: Rows, revisions: Mapping[Any, tuple[Any, ...]]
) -> None:
    grid = EVACUATION.values.index("grid_id")
    changes = []
    for key, (rev,) in revisions.items():
        old, new = before.get(key), rows.get(key)
        scopes = [None if row is None else area_scope(row[grid] or community_id) for row in (old, new)]
        if scopes[0] is not None and scopes[0] != scopes[1]:
            changes.append(Change(scopes[0], ENTITY, str(key[0]), "del", rev))
        if scopes[1] is not None:
            changes.append(Change(scopes[1], ENTITY, str(key[0]), "put", rev))
    append_changes(session, community_id, changes)
