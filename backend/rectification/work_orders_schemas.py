"""Shapes of the office API of work orders."""

from marshmallow import Schema, fields

from backend.http.fields import matching
from backend.places.kinds import KIND_LABELS
from backend.rectification.schemas import (
    SEVERITIES,
    NamedSchema,
    TaskPlaceSchema,
    TaskSchema,
    label_field,
    moment_field,
    one_of,
)
from mobile_contract.rules.definition import CLOSERS
from mobile_contract.sync.fields import WireInt


class SiteSchema(Schema):
    """The building of an order, or the place itself where there is no building."""

    id = fields.UUID(required=True)
    kind = one_of(KIND_LABELS, required=True)
    name = fields.String(required=True)
    code = fields.String(required=True)
    address_raw = fields.String(required=True, allow_none=True)


class DraftOrderSchema(Schema):
    """A draft: the assigned tasks of one building, one responsible party, one closing role."""

    building = fields.Nested(SiteSchema, required=True)
    responsible_party_key = fields.String(required=True)
    responsible_party = fields.String(required=True, allow_none=True)
    closer = fields.String(required=True)
    tasks = fields.List(fields.Nested(TaskSchema), required=True)


class IssueSchema(Schema):
    """Which draft to issue, as the list of drafts names it."""

    building_id = fields.UUID(required=True)
    responsible_party_key = matching("[0-9a-f]{64}", required=True)
    closer = one_of(CLOSERS, required=True)


class IssuedOrderSchema(Schema):
    """An issued order. Its number is never reused."""

    id = fields.UUID(required=True)
    number = fields.String(required=True, metadata={"example": "福泉-JB-2026-0003"})
    building = fields.Nested(NamedSchema, required=True)
    closer = fields.String(required=True)
    issued = moment_field()
    issued_by = fields.Nested(NamedSchema, required=True)
    tasks = fields.Integer(required=True)


class OrderItemSchema(Schema):
    """One task on an order. ``law``: the grounds that may be printed as law."""

    hazard_id = fields.UUID(required=True)
    number = fields.String(required=True, allow_none=True)
    place = fields.Nested(TaskPlaceSchema, required=True)
    title = label_field()
    severity = one_of(SEVERITIES, required=True)
    deadline_ms = WireInt(required=True)
    measures = fields.String(required=True, allow_none=True)
    law = fields.List(fields.String(), required=True)


class SnapshotSchema(Schema):
    """An order as it was handed over."""

    number = fields.String(required=True)
    building = fields.Nested(SiteSchema, required=True)
    responsible_party = fields.String(required=True, allow_none=True)
    closer = fields.String(required=True)
    issued_ms = WireInt(required=True)
    issued_by = fields.String(required=True)
    items = fields.List(fields.Nested(OrderItemSchema), required=True)


class IssuedOrderDetailSchema(IssuedOrderSchema):
    """An issued order with what was handed over; null once it was lawfully erased."""

    snapshot = fields.Nested(SnapshotSchema, required=True, allow_none=True)
