"""A community's channels outward: made, switched, tried out and removed; what they hold is shown to nobody again."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.db import new_id
from backend.errors import DomainError, FieldError, NotFound
from backend.http.context import RequestContext
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.identity.keys import Keyring
from backend.identity.office import PlaceUnknown
from backend.identity.queries import find_place_paths
from backend.inspections.models import RecordKey
from backend.jobs import ledger
from backend.notifications import delivering
from backend.notifications.escalation import TEST
from backend.notifications.models import Delivery, NotificationChannel
from backend.notifications.texts import text_of
from backend.notifications.web import check_address

#: Enough for any community, and few enough that nobody floods anything.
MOST = 20
DEAD_SHOWN = 100


class ChannelNotFound(NotFound):
    pass


class TooManyChannels(DomainError):
    status = 422


class ChannelTargetMissing(DomainError):
    """An e-mail list without addresses, or a robot without its address."""

    status = 422


class NoMailServer(DomainError):
    """The installation names no mail server."""

    status = 422


add_messages(
    {
        "channel_not_found": ("没有找到该通知渠道。", "There is no such channel."),
        "too_many_channels": ("最多 {most} 个通知渠道。", "At most {most} channels."),
        "channel_target_missing": (
            "请填写邮箱地址（邮件）或机器人地址（企业微信、钉钉）。",
            "Give addresses (e-mail) or the robot's address (企业微信, 钉钉).",
        ),
        "no_mail_server": (
            "本系统未配置邮件服务器（SAOLOU_SMTP_URL、SAOLOU_MAIL_FROM），请联系管理员。",
            "This installation has no mail server (SAOLOU_SMTP_URL, SAOLOU_MAIL_FROM); ask its administrator.",
        ),
    }
)


def make_channel(ctx: RequestContext, body: Mapping[str, Any]) -> UUID:
    """A new channel; WebhookRefused, ChannelTargetMissing, NoMailServer, PlaceUnknown, TooManyChannels."""
    session, community_id, channel_id = ctx.session, ctx.community_id, new_id()
    if _count(session, community_id) >= MOST:
        raise TooManyChannels(most=MOST)
    place_id = body["place_id"]
    if place_id is not None and not find_place_paths(session, community_id, [place_id]):
        raise PlaceUnknown(errors=[FieldError("/place_id", "place_unknown")])
    config = _config(ctx, body)
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    session.add(
        NotificationChannel(
            community_id=community_id,
            id=channel_id,
            kind=body["kind"],
            name=body["name"],
            enabled=True,
            kinds=sorted(set(body["kinds"])),
            place_id=place_id,
            sealed=delivering.seal_config(session, sealer, community_id, channel_id, config),
        )
    )
    session.flush()
    _audit(ctx, "channel_made", channel_id, kind=body["kind"])
    return channel_id


def _config(ctx: RequestContext, body: Mapping[str, Any]) -> dict[str, Any]:
    if not (body["addresses"] if body["kind"] == "email" else body["url"]):
        raise ChannelTargetMissing
    if body["kind"] == "email":
        if ctx.settings.smtp_url is None or ctx.settings.mail_from is None:
            raise NoMailServer
        return {"addresses": sorted(set(body["addresses"]))}
    check_address(body["url"], ctx.settings)
    return {"url": body["url"], "secret": body["secret"]}


def switch_channel(ctx: RequestContext, channel_id: UUID, enabled: bool) -> None:
    """On, or off: what waits is kept and sent when it is on again."""
    channel = get_channel(ctx.session, ctx.community_id, channel_id)
    channel.enabled = enabled
    ctx.session.flush()
    _audit(ctx, "channel_switched", channel_id, enabled=enabled)
    _wake(ctx)


def remove_channel(ctx: RequestContext, channel_id: UUID) -> None:
    """With its key, and all that waited for it."""
    session, of_community = ctx.session, {"community_id": ctx.community_id}
    get_channel(session, ctx.community_id, channel_id)
    session.execute(delete(Delivery).filter_by(**of_community, channel_id=channel_id))
    session.execute(delete(NotificationChannel).filter_by(**of_community, id=channel_id))
    session.execute(delete(RecordKey).filter_by(**of_community, record_id=channel_id))
    _audit(ctx, "channel_removed", channel_id)


def try_channel(ctx: RequestContext, channel_id: UUID) -> None:
    """Queue a test message for this channel alone."""
    get_channel(ctx.session, ctx.community_id, channel_id)
    keys = {"community_id": ctx.community_id, "id": new_id(), "channel_id": channel_id}
    ctx.session.add(Delivery(**keys, slot=f"{TEST}:{keys['id']}", kind=TEST, said={}))
    ctx.session.flush()
    _wake(ctx)


def retry_channel(ctx: RequestContext, channel_id: UUID) -> int:
    """Queue again what was given up; returns how many."""
    get_channel(ctx.session, ctx.community_id, channel_id)
    queued = delivering.revive(ctx.session, ctx.community_id, [channel_id])
    ledger.revive(ctx.session, delivering.JOB, ctx.community_id, [str(channel_id)])
    _audit(ctx, "channel_retried", channel_id, queued=queued)
    _wake(ctx)
    return queued


def get_channel(session: Session, community_id: UUID, channel_id: UUID) -> NotificationChannel:
    """The channel; ChannelNotFound."""
    channel = session.get(NotificationChannel, (community_id, channel_id))
    if channel is None:
        raise ChannelNotFound
    return channel


def list_channels(session: Session, keyring: Keyring, community_id: UUID) -> list[dict[str, Any]]:
    """All channels with how they fare, the oldest first."""
    found = select(NotificationChannel).where(NotificationChannel.community_id == community_id)
    fares = _fares(session, community_id)
    return [
        {
            **{name: getattr(channel, name) for name in ("id", "kind", "name", "enabled", "kinds", "place_id")},
            "target": _target(session, keyring, community_id, channel),
            **fares.get(channel.id, {"waiting": 0, "dead": 0, "sent": 0, "last_error": None, "last_sent_at": None}),
        }
        for channel in session.scalars(found.order_by(NotificationChannel.id))
    ]


def list_dead(session: Session, community_id: UUID, channel_id: UUID) -> list[dict[str, Any]]:
    """What was given up of this channel, the newest first; ChannelNotFound."""
    get_channel(session, community_id, channel_id)
    dead = select(Delivery).where(
        Delivery.community_id == community_id, Delivery.channel_id == channel_id, Delivery.state == "dead"
    )
    names = ("id", "kind", "hazard_id", "attempts", "last_error", "created_at")
    return [
        {**{name: getattr(row, name) for name in names}, "text": text_of(row.kind, row.said)}
        for row in session.scalars(dead.order_by(Delivery.id.desc()).limit(DEAD_SHOWN))
    ]


def _target(session: Session, keyring: Keyring, community_id: UUID, channel: NotificationChannel) -> str:
    """Where it leads, without what opens it."""
    config = delivering.open_channel(session, keyring, community_id, channel.id).config
    if channel.kind == "email":
        return "、".join(f"{address[0]}***@{address.rpartition('@')[2]}" for address in config["addresses"])
    return urlsplit(str(config["url"])).hostname or ""


def _fares(session: Session, community_id: UUID) -> dict[UUID, dict[str, Any]]:
    d = Delivery
    rows = session.execute(
        select(
            d.channel_id,
            func.count().filter(d.state == "queued").label("waiting"),
            func.count().filter(d.state == "dead").label("dead"),
            func.count().filter(d.state == "sent").label("sent"),
            func.max(d.last_error).filter(d.state != "sent").label("last_error"),
            func.max(d.sent_at).label("last_sent_at"),
        )
        .where(d.community_id == community_id)
        .group_by(d.channel_id)
    )
    return {row.channel_id: {k: v for k, v in row._mapping.items() if k != "channel_id"} for row in rows}


def _count(session: Session, community_id: UUID) -> int:
    counted = select(func.count()).select_from(NotificationChannel)
    return session.scalar(counted.where(NotificationChannel.community_id == community_id)) or 0


def _wake(ctx: RequestContext) -> None:
    delivering.want_due_deliveries(ctx.session, ctx.runtime, ctx.community_id)


def _audit(ctx: RequestContext, action: str, channel_id: UUID, **details: Any) -> None:
    audit(
        ctx.session,
        ctx.community_id,
        action,
        f"channel:{channel_id}",
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        **details,
    )
