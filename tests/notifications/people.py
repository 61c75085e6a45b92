"""Hazards with deadlines, and who is told of them."""

from uuid import UUID

from sqlalchemy import select

from backend import clock
from backend.notifications.models import Delivery, Notification
from backend.notifications.reminding import remind
from mobile_contract.rules import hazard_id
from tests.factories.records import block, visit_body
from tests.factories.sweeps import DAY_MS, Sweep


def loose_cage(sweep: Sweep, place: UUID, days_ago: float = 0) -> UUID:
    """A registered hazard that is yellow and due in seven days and the weekend after."""
    body = visit_body(place, [block("anti_theft_window", place, {"loose": "yes"})])
    sweep.put(body, clock.now_ms() - int(days_ago * DAY_MS))
    sweep.compile(place)
    return hazard_id(sweep.community_id, place, "ATW-07", "")


def look(sweep: Sweep, at_ms: int) -> int:
    """A worker looks at ``at_ms``."""
    with sweep.db.transaction([sweep.community_id]) as session:
        return remind(session, sweep.community_id, at_ms)


def told(sweep: Sweep) -> list[tuple[UUID, str]]:
    """(account, slot) of every notification."""
    with sweep.db.transaction([sweep.community_id]) as session:
        rows = session.execute(select(Notification.account_id, Notification.slot).order_by(Notification.slot))
        return [(row.account_id, row.slot) for row in rows]


def kinds_of(sweep: Sweep, account_id: UUID) -> list[str]:
    return [slot.split(":")[0] for account, slot in told(sweep) if account == account_id]


def queued(sweep: Sweep) -> list[tuple[UUID, str]]:
    """(channel, slot) of every delivery."""
    with sweep.db.transaction([sweep.community_id]) as session:
        rows = session.execute(select(Delivery.channel_id, Delivery.slot).order_by(Delivery.slot))
        return [(row.channel_id, row.slot) for row in rows]
