"""The office's API of channels: where a community's reminders go outside the system."""

from typing import Any
from uuid import UUID

from backend.http import Blueprint, RequestContext, requires
from backend.identity.keys import Keyring
from backend.identity.office import PlaceUnknown
from backend.notifications import channels
from backend.notifications.channels import ChannelNotFound, ChannelTargetMissing, NoMailServer, TooManyChannels
from backend.notifications.schemas import (
    ChannelSchema,
    ChannelsSchema,
    DeadDeliveriesSchema,
    NewChannelSchema,
    RetriedSchema,
    SwitchSchema,
)
from backend.notifications.web import WebhookRefused

blueprint = Blueprint("channels", __name__, url_prefix="/api/v1", description="通知渠道 · Channels of notifications")
MANAGES = requires("channel.manage")


@blueprint.get("/notification-channels", guard=MANAGES)
@blueprint.response(200, ChannelsSchema)
def list_channels(ctx: RequestContext) -> dict[str, Any]:
    """All channels, and what waits for them or was given up."""
    return {"items": _all(ctx)}


@blueprint.post(
    "/notification-channels",
    guard=MANAGES,
    raises=(WebhookRefused, ChannelTargetMissing, NoMailServer, PlaceUnknown, TooManyChannels),
)
@blueprint.arguments(NewChannelSchema)
@blueprint.response(201, ChannelSchema)
def make_channel(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """A new channel. Its addresses and secrets are sealed and never shown again."""
    return _one(ctx, channels.make_channel(ctx, body))


@blueprint.post("/notification-channels/<uuid:channel_id>/switch", guard=MANAGES, raises=(ChannelNotFound,))
@blueprint.arguments(SwitchSchema)
@blueprint.response(200, ChannelSchema)
def switch_channel(ctx: RequestContext, body: dict[str, Any], channel_id: UUID) -> dict[str, Any]:
    """On or off; what waits is kept."""
    channels.switch_channel(ctx, channel_id, body["enabled"])
    return _one(ctx, channel_id)


@blueprint.post("/notification-channels/<uuid:channel_id>/test", guard=MANAGES, raises=(ChannelNotFound,))
@blueprint.response(202, ChannelSchema)
def try_channel(ctx: RequestContext, channel_id: UUID) -> dict[str, Any]:
    """Send a test message through this channel."""
    channels.try_channel(ctx, channel_id)
    return _one(ctx, channel_id)


@blueprint.get("/notification-channels/<uuid:channel_id>/dead", guard=MANAGES, raises=(ChannelNotFound,))
@blueprint.response(200, DeadDeliveriesSchema)
def list_dead(ctx: RequestContext, channel_id: UUID) -> dict[str, Any]:
    """What was given up, and why."""
    return {"items": channels.list_dead(ctx.session, ctx.community_id, channel_id)}


@blueprint.post("/notification-channels/<uuid:channel_id>/retry", guard=MANAGES, raises=(ChannelNotFound,))
@blueprint.response(200, RetriedSchema)
def retry_channel(ctx: RequestContext, channel_id: UUID) -> dict[str, Any]:
    """Queue again what was given up."""
    return {"queued": channels.retry_channel(ctx, channel_id)}


@blueprint.delete("/notification-channels/<uuid:channel_id>", guard=MANAGES, raises=(ChannelNotFound,))
@blueprint.response(204)
def remove_channel(ctx: RequestContext, channel_id: UUID) -> None:
    """Remove a channel with its secrets and all that waited for it."""
    channels.remove_channel(ctx, channel_id)


def _all(ctx: RequestContext) -> list[dict[str, Any]]:
    return channels.list_channels(ctx.session, ctx.runtime.part(Keyring), ctx.community_id)


def _one(ctx: RequestContext, channel_id: UUID) -> dict[str, Any]:
    return next(channel for channel in _all(ctx) if channel["id"] == channel_id)
