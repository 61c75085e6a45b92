"""Deliveries through a community's channels: queued with what is told, sent by a job of their own.

At least once: each message is committed as sent right after the other side took it, so only a worker that dies just
then sends it again (an e-mail under the same Message-ID). What fails is tried again, ever later, and is dead after ten
times, for somebody to see and to queue again.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

import orjson
from sqlalchemy import case, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend import clock
from backend.db import after_commit, new_id
from backend.hazards.lifecycle import OPEN_STATES
from backend.hazards.models import Hazard
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealed, Sealer
from backend.identity.models import Community
from backend.identity.queries import find_place_paths
from backend.inspections.models import RecordKey
from backend.jobs import ledger
from backend.notifications.escalation import Watched
from backend.notifications.mail import send_mail
from backend.notifications.models import Delivery, NotificationChannel
from backend.notifications.robots import send_to_robot
from backend.notifications.texts import message_of
from backend.notifications.web import SendFailed
from backend.settings import Settings

JOB: Final = "deliver"
#: Both robots refuse more in a minute; a message holds many reminders, so that this is plenty.
MESSAGES_A_MINUTE: Final = 20
#: In one message: as many of the longest sentences as the shorter robot takes.
LINES: Final = 10
TRIES: Final = 10
SLICE_S: Final = 45.0
LONGEST_WAIT_MINUTES: Final = 60
#: (about what, kind, slot, what is said)
Told = tuple[Watched, str, str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Outward:
    """A channel ready to be used. ``config``: ``url`` and ``secret`` of a robot, ``addresses`` of a mailing list."""

    id: UUID
    kind: str
    config: Mapping[str, Any]
    community: str


def queue_deliveries(session: Session, community_id: UUID, told: Sequence[Told]) -> None:
    """Queue what was told for every channel that it concerns; each slot once a channel."""
    channels = session.scalars(
        select(NotificationChannel).where(
            NotificationChannel.community_id == community_id, NotificationChannel.enabled.is_(True)
        )
    ).all()
    paths = find_place_paths(session, community_id, {c.place_id for c in channels if c.place_id})
    rows = [
        _row(community_id, channel.id, hazard.id, kind, slot, said)
        for channel in channels
        for hazard, kind, slot, said in told
        if kind in channel.kinds and _concerns(channel, paths, hazard.path)
    ]
    for at in range(0, len(rows), 1000):
        session.execute(insert(Delivery).on_conflict_do_nothing(), rows[at : at + 1000])


def _row(
    community_id: UUID, channel_id: UUID, hazard_id: UUID, kind: str, slot: str, said: Mapping[str, Any]
) -> dict[str, Any]:
    keys = {"community_id": community_id, "id": new_id(), "channel_id": channel_id}
    return {**keys, "hazard_id": hazard_id, "slot": slot, "kind": kind, "said": dict(said)}


def _concerns(channel: NotificationChannel, paths: Mapping[UUID, str], path: str) -> bool:
    if channel.place_id is None:
        return True
    above = paths.get(channel.place_id)
    return above is not None and (path == above or path.startswith(above + "."))


def want_due_deliveries(session: Session, runtime: Runtime, community_id: UUID) -> None:
    """Ask for a job for every channel with something to send now."""
    due = (
        select(Delivery.channel_id)
        .where(Delivery.community_id == community_id, Delivery.state == "queued", Delivery.next_at <= func.now())
        .where(_is_enabled())
        .distinct()
    )
    channels = [str(channel_id) for channel_id in session.scalars(due)]
    if channels:
        ledger.want(session, JOB, community_id, channels)
        after_commit(session, lambda: runtime.doorbell.ring(JOB, community_id))


def _is_enabled() -> Any:
    channel = NotificationChannel
    known = (channel.community_id == Delivery.community_id, channel.id == Delivery.channel_id)
    return exists().where(*known, channel.enabled.is_(True))


def deliver(runtime: Runtime, community_id: UUID, channel_id: UUID) -> int:
    """Send what waits for a channel, message by message, each in a transaction of its own; returns how many.

    For a while: what is left is asked for again by the minute, so that a slow channel holds no worker.
    """
    sent, ends = 0, time.monotonic() + SLICE_S
    while time.monotonic() < ends and _send_next(runtime, community_id, channel_id):
        sent += 1
    return sent


def _send_next(runtime: Runtime, community_id: UUID, channel_id: UUID) -> bool:
    """One message; False when nothing waits, none may be sent now, or it failed."""
    with runtime.db.transaction([community_id]) as session:
        _drop_settled(session, community_id, channel_id)
        waiting = _lock_waiting(session, community_id, channel_id)
        if not waiting or _sent_lately(session, community_id, channel_id) >= MESSAGES_A_MINUTE:
            return False
        outward = open_channel(session, runtime.part(Keyring), community_id, channel_id)
        message_id = uuid5(channel_id, "|".join(str(row.id) for row in waiting))
        ids = [row.id for row in waiting]
        try:
            _send(outward, waiting, message_id, runtime.settings)
        except SendFailed as failed:
            _put_off(session, community_id, ids, failed.why)
            return False
        sent = {"state": "sent", "sent_at": func.clock_timestamp(), "message_id": message_id, "last_error": None}
        session.execute(_rows(community_id, ids).values(sent))
    return True


def _drop_settled(session: Session, community_id: UUID, channel_id: UUID) -> None:
    """What was settled while its message waited is nobody's business any more."""
    is_open = exists().where(
        Hazard.community_id == Delivery.community_id, Hazard.id == Delivery.hazard_id, Hazard.state.in_(OPEN_STATES)
    )
    unsent = delete(Delivery).where(Delivery.community_id == community_id, Delivery.channel_id == channel_id)
    session.execute(unsent.where(Delivery.state != "sent", Delivery.hazard_id.is_not(None), ~is_open))


def _lock_waiting(session: Session, community_id: UUID, channel_id: UUID) -> Sequence[Delivery]:
    """The oldest that are due, held: whoever else is at it takes others. What was tried keeps its own company, so that
    a message is tried again as it was."""
    due = (
        select(Delivery)
        .where(Delivery.community_id == community_id, Delivery.channel_id == channel_id)
        .where(Delivery.state == "queued", Delivery.next_at <= func.now(), _is_enabled())
    )
    tried = due.where(Delivery.attempts > 0).order_by(Delivery.id).limit(LINES)
    fresh = due.where(Delivery.attempts == 0).order_by(Delivery.id).limit(LINES)
    return (
        session.scalars(tried.with_for_update(skip_locked=True)).all()
        or session.scalars(fresh.with_for_update(skip_locked=True)).all()
    )


def _sent_lately(session: Session, community_id: UUID, channel_id: UUID) -> int:
    """How many messages the channel took within the last minute."""
    since = func.clock_timestamp() - text("interval '1 minute'")
    counted = select(func.count(Delivery.message_id.distinct())).where(
        Delivery.community_id == community_id, Delivery.channel_id == channel_id, Delivery.sent_at > since
    )
    return session.scalar(counted) or 0


def _send(outward: Outward, waiting: Sequence[Delivery], message_id: UUID, settings: Settings) -> None:
    subject, body = message_of(outward.community, [(row.kind, row.said) for row in waiting])
    if outward.kind == "email":
        send_mail(settings, outward.config["addresses"], subject, body, message_id)
    else:
        send_to_robot(outward.kind, outward.config, body, settings, clock.now_ms())


def _put_off(session: Session, community_id: UUID, ids: Sequence[UUID], why: str) -> None:
    """Again in 1, 2, 4 … minutes, at most an hour; dead after the tenth time."""
    minutes = func.least(func.power(2, Delivery.attempts), LONGEST_WAIT_MINUTES)
    session.execute(
        _rows(community_id, ids).values(
            attempts=Delivery.attempts + 1,
            last_error=why[:100],
            state=case((Delivery.attempts + 1 >= TRIES, "dead"), else_="queued"),
            next_at=func.now() + text("interval '1 minute'") * minutes,
        )
    )


def _rows(community_id: UUID, ids: Sequence[UUID]) -> Any:
    return update(Delivery).where(Delivery.community_id == community_id, Delivery.id.in_(ids))


def open_channel(session: Session, keyring: Keyring, community_id: UUID, channel_id: UUID) -> Outward:
    """The channel with its secrets opened."""
    channel = session.get_one(NotificationChannel, (community_id, channel_id))
    key = session.get_one(RecordKey, (community_id, channel_id))
    sealed = Sealed(channel.sealed, key.key_version, key.wrapped)
    config = orjson.loads(keyring.sealer(session, community_id).open(channel_id, sealed))
    return Outward(channel_id, channel.kind, config, session.get_one(Community, community_id).short_name)


def seal_config(session: Session, sealer: Sealer, community_id: UUID, channel_id: UUID, config: Any) -> bytes:
    """The sealed configuration of a new channel; its key is kept beside those of records, and rotates with them."""
    sealed = sealer.seal(channel_id, orjson.dumps(config))
    key = {"key_version": sealed.key_version, "wrapped": sealed.wrapped}
    session.execute(insert(RecordKey).values(community_id=community_id, record_id=channel_id, **key))
    return sealed.body


def revive(session: Session, community_id: UUID, channel_ids: Iterable[UUID]) -> int:
    """Queue dead deliveries again, after what killed them was repaired; returns how many."""
    dead = update(Delivery).where(Delivery.community_id == community_id, Delivery.channel_id.in_(list(channel_ids)))
    again = dead.where(Delivery.state == "dead").values(state="queued", attempts=0, next_at=func.now())
    return len(session.execute(again.returning(Delivery.id)).all())
