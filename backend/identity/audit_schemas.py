"""Shapes of the audit trail."""

from marshmallow import Schema, fields, validate

from backend.http.fields import line, matching
from backend.http.paging import PageQuery
from mobile_contract.sync.fields import WireInt


class AuditEventSchema(Schema):
    """Who (null: the installation itself) did what to what, and when."""

    id = fields.UUID(required=True)
    at_ms = WireInt(required=True)
    account_id = fields.UUID(required=True, allow_none=True)
    action = fields.String(required=True)
    subject = fields.String(required=True)
    details = fields.Dict(required=True)
    request_id = fields.String(required=True, allow_none=True)


class AuditFilter(Schema):
    """Which events: by actor, action and object, and by time (``from_ms`` ≤ at < ``to_ms``)."""

    account_id = fields.UUID(load_default=None)
    action = line(100, load_default=None)
    subject = line(200, load_default=None)
    from_ms = fields.Int(load_default=None, validate=validate.Range(0, 2**53))
    to_ms = fields.Int(load_default=None, validate=validate.Range(0, 2**53))


class AuditQuery(PageQuery, AuditFilter):
    """A page of them."""


class ChainQuery(Schema):
    """A link that was kept elsewhere."""

    known_n = fields.Int(load_default=None, validate=validate.Range(1, 2**53))
    known_hash = matching("[0-9a-fA-F]{64}", load_default=None)


class LinkSchema(Schema):
    """A link of the chain: its number, and SHA-256 over the link before it and its event."""

    n = WireInt(required=True)
    hash = fields.String(required=True)


class BrokenLinkSchema(Schema):
    """A link that does not follow from what is before it, or whose event was changed or removed."""

    n = WireInt(required=True)
    event_id = fields.UUID(required=True)


class AuditChainSchema(Schema):
    """Whether the trail is what it was when it was written."""

    is_whole = fields.Boolean(required=True)
    head = fields.Nested(LinkSchema, required=True, allow_none=True)
    broken = fields.List(fields.Nested(BrokenLinkSchema), required=True)
    unlinked = fields.List(fields.UUID(), required=True)
    known_holds = fields.Boolean(required=True, allow_none=True)
