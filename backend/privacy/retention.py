"""How long persons are kept, by class of data, and what is due: a list to look at first, then the job that erases it.

Source: domain, privacy (an open hazard and three years; a building's dossier without persons). Nothing is erased by the
clock before the community has turned it on; persons are taken out, what was found about buildings stays.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from backend import clock
from backend.evacuations.models import Evacuation, EvacuationFact
from backend.evacuations.queries import OPEN_STAGES
from backend.hazards.models import OPEN_STATES, Hazard
from backend.http.context import Runtime
from backend.identity.models import Community
from backend.inspections.models import Record, RecordPlace, Visit
from backend.jobs import ledger
from backend.notices.models import Notice, NoticeHazard, NoticeService
from backend.privacy.erasing import Eraser
from backend.privacy.mentions import JOB as INDEX_JOB
from backend.privacy.mentions import NOBODY
from backend.privacy.models import PersonMention
from backend.privacy.sources import EVACUATION, NOTICE, ORDER, QUARANTINE, RECORD, SERVICE, STEP, Source
from backend.rectification.models import IssuedOrder, IssuedOrderItem, TaskStep
from backend.sync.models import Quarantine
from backend.sync.quarantine import HELD

JOB: Final = "retention"
BATCH: Final = 200
YEARS_3: Final = 3 * 365
#: Days by class. ``forms``: shorter ones by form, for data that serve one purpose only.
DEFAULTS: Final[Mapping[str, Any]] = {
    "enabled": False,
    "visits": YEARS_3,
    "steps": YEARS_3,
    "orders": YEARS_3,
    "notices": YEARS_3,
    "services": YEARS_3,
    "evacuations": YEARS_3,
    "quarantine": YEARS_3,
    "forms": {},
}
CLASSES: Final[Mapping[str, Source]] = {
    "visits": RECORD,
    "steps": STEP,
    "orders": ORDER,
    "notices": NOTICE,
    "services": SERVICE,
    "evacuations": EVACUATION,
    "quarantine": QUARANTINE,
}


def settings_of(session: Session, community_id: UUID) -> dict[str, Any]:
    """The community's own settings over the defaults."""
    own = session.scalar(select(Community.settings).where(Community.community_id == community_id)) or {}
    return {**DEFAULTS, **(own.get("retention") or {})}


def keep_settings(session: Session, community_id: UUID, values: Mapping[str, Any]) -> None:
    """Write the community's own settings."""
    community = session.get_one(Community, community_id, with_for_update=True, populate_existing=True)
    session.execute(
        update(Community)
        .where(Community.community_id == community_id)
        .values(settings={**community.settings, "retention": dict(values)})
    )


def due(
    session: Session, community_id: UUID, kept: Mapping[str, Any], now_ms: int, limit: int | None
) -> dict[str, list[UUID]]:
    """Up to ``limit`` ids (None: all) a class of what is over its time and still names somebody. Writes nothing."""
    found: dict[str, list[UUID]] = {}
    for name, query in _QUERIES.items():
        cutoff_ms = now_ms - kept[name] * clock.DAY_MS
        found[name] = list(session.scalars(query(community_id, cutoff_ms).limit(limit)))
    short = _by_form(session, community_id, kept["forms"], now_ms, limit)
    found["visits"] = list(dict.fromkeys([*found["visits"], *short]))[:limit]
    return found


def erase_due(session: Session, runtime: Runtime, community_id: UUID, now_ms: int, limit: int = BATCH) -> int:
    """Take the persons out of what is due; how many rows. 0 when the community has not turned it on."""
    kept = settings_of(session, community_id)
    if not kept["enabled"]:
        return 0
    eraser = Eraser(session, runtime, community_id, ground="retention", at_ms=now_ms)
    overdue = due(session, community_id, kept, now_ms, limit)
    return sum(len(eraser.erase(CLASSES[name], ids)) for name, ids in overdue.items() if ids)


def want_by_clock(session: Session, community_id: UUID, now_ms: int) -> list[str]:
    """Each hour the index is kept up, each week what is due is erased; the kinds of jobs that were asked for."""
    day = clock.local_day(now_ms)
    wanted = []
    if ledger.take_slot(session, community_id, f"{INDEX_JOB}:{now_ms // (clock.DAY_MS // 24)}"):
        wanted.append(INDEX_JOB)
    if ledger.take_slot(session, community_id, f"{JOB}:{day:%G-W%V}") and settings_of(session, community_id)["enabled"]:
        wanted.append(JOB)
    for kind in wanted:
        ledger.want(session, kind, community_id, ["all"])
    return wanted


def _names_somebody(source: Source, community_id: UUID) -> ColumnElement[bool]:
    return exists().where(
        PersonMention.community_id == community_id,
        PersonMention.source == source.name,
        PersonMention.source_id == source.columns[0],
        PersonMention.kind != NOBODY[0],
    )


def _still_needed(community_id: UUID, which: ColumnElement[bool], cutoff_ms: int) -> ColumnElement[bool]:
    """A hazard is open, or was struck off after the cut-off."""
    return exists().where(
        Hazard.community_id == community_id,
        which,
        or_(Hazard.state.in_(OPEN_STATES), Hazard.closed_ms >= cutoff_ms),
    )


def _records(community_id: UUID, cutoff_ms: int) -> Select[UUID]:
    """By the record's own time and by its receipt: a clock that was wrong erases nothing early."""
    beside = select(RecordPlace.place_id).where(
        RecordPlace.community_id == community_id, RecordPlace.record_id == Record.id
    )
    at_its_places = or_(Hazard.place_id == Record.place_id, Hazard.place_id.in_(beside))
    return select(Record.id).where(
        Record.community_id == community_id,
        RECORD.is_open,
        RECORD.has_persons,
        Record.effective_ms < cutoff_ms,
        Record.received_at < clock.utc(cutoff_ms) + timedelta(days=1),
        _names_somebody(RECORD, community_id),
        ~_still_needed(community_id, at_its_places, cutoff_ms),
    )


def _by_form(
    session: Session, community_id: UUID, days: Mapping[str, int], now_ms: int, limit: int | None
) -> list[UUID]:
    """Visits all of whose forms have a shorter time of their own; the longest of these counts."""
    if not days:
        return []
    soonest = now_ms - min(days.values()) * clock.DAY_MS
    rows = session.execute(
        _records(community_id, soonest)
        .join(Visit, and_(Visit.community_id == Record.community_id, Visit.record_id == Record.id))
        .where(Visit.forms.contained_by(list(days)))
        .add_columns(Visit.forms, Record.effective_ms)
    )
    over = [
        record_id
        for record_id, forms, at_ms in rows
        if forms and at_ms < now_ms - max(days[code] for code in forms) * clock.DAY_MS
    ]
    return over[:limit]


def _steps(community_id: UUID, cutoff_ms: int) -> Select[UUID]:
    return select(TaskStep.id).where(
        TaskStep.community_id == community_id,
        STEP.is_open,
        TaskStep.effective_ms < cutoff_ms,
        _names_somebody(STEP, community_id),
        ~_still_needed(community_id, Hazard.id == TaskStep.hazard_id, cutoff_ms),
    )


def _orders(community_id: UUID, cutoff_ms: int) -> Select[UUID]:
    items = select(IssuedOrderItem.hazard_id).where(
        IssuedOrderItem.community_id == community_id, IssuedOrderItem.order_id == IssuedOrder.id
    )
    return select(IssuedOrder.id).where(
        IssuedOrder.community_id == community_id,
        ORDER.is_open,
        IssuedOrder.issued_ms < cutoff_ms,
        _names_somebody(ORDER, community_id),
        ~_still_needed(community_id, Hazard.id.in_(items), cutoff_ms),
    )


def _is_notice_over(community_id: UUID, cutoff_ms: int) -> ColumnElement[bool]:
    """Whatever the notice is about was settled before the cut-off: its hazards, or the case of its house."""
    named = select(NoticeHazard.hazard_id).where(
        NoticeHazard.community_id == community_id, NoticeHazard.notice_id == Notice.id
    )
    return and_(
        Notice.community_id == community_id,
        Notice.issued_ms < cutoff_ms,
        ~_still_needed(community_id, Hazard.id.in_(named), cutoff_ms),
        or_(Notice.kind != "evacuation", ~_is_case_needed(community_id, Notice.place_id, cutoff_ms)),
    )


def _is_case_needed(community_id: UUID, house_id: Any, cutoff_ms: int) -> ColumnElement[bool]:
    """The dangerous house's case is open, or was closed after the cut-off."""
    return exists().where(
        Evacuation.community_id == community_id,
        Evacuation.house_id == house_id,
        or_(Evacuation.stage.in_(OPEN_STAGES), Evacuation.closed_ms >= cutoff_ms),
    )


def _notices(community_id: UUID, cutoff_ms: int) -> Select[UUID]:
    return select(Notice.id).where(_is_notice_over(community_id, cutoff_ms), _names_somebody(NOTICE, community_id))


def _services(community_id: UUID, cutoff_ms: int) -> Select[UUID]:
    return (
        select(NoticeService.id)
        .join(Notice, and_(Notice.community_id == NoticeService.community_id, Notice.id == NoticeService.notice_id))
        .where(_is_notice_over(community_id, cutoff_ms), _names_somebody(SERVICE, community_id))
        .where(NoticeService.served_ms < cutoff_ms)
    )


def _evacuations(community_id: UUID, cutoff_ms: int) -> Select[UUID]:
    return select(EvacuationFact.id).where(
        EvacuationFact.community_id == community_id,
        EvacuationFact.effective_ms < cutoff_ms,
        _names_somebody(EVACUATION, community_id),
        ~_is_case_needed(community_id, EvacuationFact.house_id, cutoff_ms),
    )


def _quarantined(community_id: UUID, cutoff_ms: int) -> Select[UUID]:
    """What was dealt with; what is still held waits for somebody to look at it."""
    return select(Quarantine.id).where(
        Quarantine.community_id == community_id,
        QUARANTINE.is_open,
        Quarantine.state != HELD,
        Quarantine.received_at < clock.utc(cutoff_ms),
    )


_QUERIES: Final[Mapping[str, Callable[[UUID, int], Select[UUID]]]] = {
    "visits": _records,
    "steps": _steps,
    "orders": _orders,
    "notices": _notices,
    "services": _services,
    "evacuations": _evacuations,
    "quarantine": _quarantined,
}
