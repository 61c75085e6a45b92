"""Shapes of the office API of attachments."""

from marshmallow import Schema, fields

from mobile_contract.sync.fields import WireInt


class AttachmentSchema(Schema):
    """A stored file. What it belongs to names it by ``sha256``."""

    id = fields.UUID(required=True)
    sha256 = fields.String(required=True)
    mime = fields.String(required=True)
    bytes = WireInt(required=True)
