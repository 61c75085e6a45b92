"""Shapes of the inbox's and the channels' API."""

from marshmallow import Schema, fields, validate

from backend.http.fields import TrueOrFalse, line, matching
from backend.http.paging import PageQuery
from backend.notifications.escalation import KINDS
from mobile_contract.sync.fields import WireInt

CHANNEL_KINDS = ("email", "wecom", "dingtalk")
ADDRESS = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
WEB_ADDRESS = r"https?://[!-~]{1,900}"
SECRET = r"[!-~]{1,200}"


class NoticeLabelSchema(Schema):
    """A sentence in both languages."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class NotificationSchema(Schema):
    """Something the caller was told. ``kind``: due, late, watch, chase."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    hazard_id = fields.UUID(required=True)
    text = fields.Nested(NoticeLabelSchema, required=True)
    told_ms = WireInt(required=True)
    read_ms = WireInt(required=True, allow_none=True)


class InboxQuery(PageQuery):
    """``state``: unread, read or all."""

    state = fields.String(load_default="all", validate=validate.OneOf(("all", "unread", "read")))


class UnreadSchema(Schema):
    """How many are unread."""

    unread = fields.Integer(required=True)


class MarkReadSchema(Schema):
    """The notifications that were read; null: all there are."""

    ids = fields.List(
        fields.UUID(), required=True, allow_none=True, validate=validate.Length(1, 500), metadata={"example": None}
    )


class NewChannelSchema(Schema):
    """An e-mail list (``addresses``) or a group's robot (``url``; ``secret`` for 钉钉's 加签)."""

    kind = fields.String(required=True, validate=validate.OneOf(CHANNEL_KINDS))
    name = line(40, required=True, metadata={"example": "安全工作群"})
    kinds = fields.List(
        fields.String(validate=validate.OneOf(KINDS)), load_default=list(KINDS), validate=validate.Length(1, 10)
    )
    place_id = fields.UUID(load_default=None, allow_none=True)
    url = matching(WEB_ADDRESS, load_default=None, allow_none=True)
    secret = matching(SECRET, load_default=None, allow_none=True)
    addresses = fields.List(matching(ADDRESS), load_default=[], validate=validate.Length(0, 50))


class ChannelSchema(Schema):
    """A channel as shown: addresses and secrets are never shown again, only where they lead (``target``).

    ``waiting`` and ``dead`` count what was not sent yet, and what was given up; ``last_error`` is a code.
    """

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    enabled = fields.Boolean(required=True)
    kinds = fields.List(fields.String(), required=True)
    place_id = fields.UUID(required=True, allow_none=True)
    target = fields.String(required=True)
    waiting = fields.Integer(required=True)
    dead = fields.Integer(required=True)
    sent = fields.Integer(required=True)
    last_error = fields.String(required=True, allow_none=True)
    last_sent_at = fields.AwareDateTime(required=True, allow_none=True)


class ChannelsSchema(Schema):
    items = fields.List(fields.Nested(ChannelSchema), required=True)


class DeadDeliverySchema(Schema):
    """A message that was given up after ``attempts`` times. ``last_error`` is a code, ``hazard_id`` null for a test."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    hazard_id = fields.UUID(required=True, allow_none=True)
    text = fields.Nested(NoticeLabelSchema, required=True)
    attempts = fields.Integer(required=True)
    last_error = fields.String(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class DeadDeliveriesSchema(Schema):
    """The newest hundred."""

    items = fields.List(fields.Nested(DeadDeliverySchema), required=True)


class SwitchSchema(Schema):
    enabled = TrueOrFalse(required=True)


class RetriedSchema(Schema):
    """How many deliveries were queued again."""

    queued = fields.Integer(required=True)
