"""Shapes of the office API of attachments."""

from marshmallow import Schema, fields, validate

from backend.attachments.declaring import STATES
from backend.http.paging import PageQuery
from mobile_contract.sync.fields import WireInt


class AttachmentSchema(Schema):
    """A stored file. What it belongs to names it by ``sha256``."""

    id = fields.UUID(required=True)
    sha256 = fields.String(required=True)
    mime = fields.String(required=True)
    bytes = WireInt(required=True)


class AttachmentStateSchema(AttachmentSchema):
    """How an attachment stands. ``awaited``: declared by a record, not here yet; ``refused``: ``code`` says why it
    never will be. ``received`` counts bytes."""

    state = fields.String(required=True, metadata={"enum": list(STATES)})
    received = WireInt(required=True)
    code = fields.String(required=True, allow_none=True)


class AttachmentDetailSchema(AttachmentStateSchema):
    """With what the worker found: ``taken_at`` is what the camera's clock showed, ``damaged`` cannot be drawn."""

    width = WireInt(required=True, allow_none=True)
    height = WireInt(required=True, allow_none=True)
    taken_at = fields.String(required=True, allow_none=True)
    damaged = fields.Boolean(required=True)
    has_thumbnail = fields.Boolean(required=True)


class DeclaredAttachmentSchema(AttachmentStateSchema):
    """An attachment as one record (or one step of the console) declares it."""

    record_id = fields.UUID(required=True)
    place_id = fields.UUID(required=True, allow_none=True)
    examined = fields.Boolean(required=True)


class AttachmentQuery(PageQuery):
    """What a list of attachments is narrowed by."""

    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    place = fields.UUID(load_default=None)
    record = fields.UUID(load_default=None)


class AttachmentProgressSchema(Schema):
    """How far the photos are, within the caller's places; ``to_examine`` waits for the worker, in the community."""

    states = fields.Dict(keys=fields.String(), values=WireInt(), required=True)
    bytes_declared = WireInt(required=True)
    bytes_received = WireInt(required=True)
    to_examine = WireInt(required=True)
