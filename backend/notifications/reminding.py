"""Looks at a community's open hazards by the clock and tells people what is to be told.

A reminder's slot is taken, its notifications and deliveries are written, in one transaction: a worker that dies tells
nothing or everything, and whoever looks again finds the slot taken. Any number of missed looks is made up by the next.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.clock import SHANGHAI, day_start_ms, local_day, utc
from backend.db import new_id
from backend.hazards.lifecycle import OPEN_STATES
from backend.hazards.models import Hazard, LedgerNumber
from backend.jobs import ledger
from backend.notifications.delivering import queue_deliveries
from backend.notifications.escalation import DAYS_BEFORE, Reminder, Watched, reminders_of
from backend.notifications.models import Notification
from backend.notifications.recipients import Recipients
from backend.places.models import Place
from backend.rectification.models import RectificationTask
from mobile_contract.rules.definition import Severity

#: Hours of the day between which people are told something.
FROM_HOUR, TO_HOUR = 8, 20
SLOTS_AT_ONCE = 1000

Told = tuple[Watched, Reminder]


def due_reminders(session: Session, community_id: UUID, now_ms: int) -> int:
    """Once an hour of the day, tell what is to have been told by ``now_ms``; returns how many reminders are new."""
    now = utc(now_ms).astimezone(SHANGHAI)
    if not FROM_HOUR <= now.hour < TO_HOUR:
        return 0
    if not ledger.take_slot(session, community_id, f"reminders:{now:%Y-%m-%dT%H}"):
        return 0
    return remind(session, community_id, now_ms)


def remind(session: Session, community_id: UUID, now_ms: int) -> int:
    """Tell what is to have been told by ``now_ms`` and was not yet."""
    wanted = [
        (h, reminder) for h in list_watched(session, community_id, now_ms) for reminder in reminders_of(h, now_ms)
    ]
    new = _take_slots(session, community_id, wanted)
    if new:
        recipients = Recipients.load(session, community_id)
        _notify(session, community_id, new, recipients, now_ms)
        queue_deliveries(session, community_id, [(h, r.kind, r.slot, said_of(h, r)) for h, r in new])
    return len(new)


def list_watched(session: Session, community_id: UUID, now_ms: int) -> list[Watched]:
    """The open hazards about which something may be to be told by now."""
    soon_ms = day_start_ms(local_day(now_ms) + timedelta(days=DAYS_BEFORE + 1))
    h, t = Hazard, RectificationTask
    rows = session.execute(
        select(h.id, h.cycle, h.severity, h.state, h.deadline_ms, Place.path, t.closer, LedgerNumber.number)
        .add_columns(t.assignee_id, t.chased_ms)
        .select_from(h)
        .join(t, and_(t.community_id == h.community_id, t.hazard_id == h.id))
        .join(Place, and_(Place.community_id == h.community_id, Place.id == h.place_id))
        .outerjoin(LedgerNumber, and_(LedgerNumber.community_id == h.community_id, LedgerNumber.hazard_id == h.id))
        .where(h.community_id == community_id, h.state.in_(OPEN_STATES))
        .where(or_(h.deadline_ms < soon_ms, h.severity == Severity.RED, h.state == "referred"))
        .order_by(h.id)
    )
    return [Watched(**row._mapping) for row in rows]


def said_of(hazard: Watched, reminder: Reminder) -> dict[str, object]:
    """What the sentence is made of."""
    return {
        "number": hazard.number,
        "severity": hazard.severity,
        "days": reminder.days,
        "deadline_ms": hazard.deadline_ms,
    }


def _take_slots(session: Session, community_id: UUID, wanted: Sequence[Told]) -> list[Told]:
    """Those whose slot nobody took before."""
    taken: set[str] = set()
    slots = sorted({reminder.slot for _, reminder in wanted})
    for at in range(0, len(slots), SLOTS_AT_ONCE):
        taken |= ledger.take_slots(session, community_id, slots[at : at + SLOTS_AT_ONCE])
    return [told for told in wanted if told[1].slot in taken]


def _notify(session: Session, community_id: UUID, new: Iterable[Told], recipients: Recipients, now_ms: int) -> None:
    rows = [
        {
            "community_id": community_id,
            "id": new_id(),
            "account_id": account_id,
            "slot": reminder.slot,
            "kind": reminder.kind,
            "hazard_id": hazard.id,
            "said": said_of(hazard, reminder),
            "told_ms": now_ms,
        }
        for hazard, reminder in new
        for account_id in sorted(recipients.of(reminder, hazard))
    ]
    for at in range(0, len(rows), SLOTS_AT_ONCE):
        session.execute(insert(Notification).on_conflict_do_nothing(), rows[at : at + SLOTS_AT_ONCE])
