"""Shapes of the office API of 回头看 draws."""

from marshmallow import Schema, fields, validate

from backend.clock import LATEST_MS
from mobile_contract.sync.fields import WireInt

_MOMENT = validate.Range(0, LATEST_MS)


class DrawSchema(Schema):
    """What to draw from: struck off between two times; how many; a seed, if it was drawn by lot elsewhere."""

    closed_from_ms = WireInt(required=True, validate=_MOMENT)
    closed_to_ms = WireInt(required=True, validate=_MOMENT)
    count = fields.Integer(required=True, validate=validate.Range(1, 1000))
    seed = WireInt(load_default=None, allow_none=True, validate=validate.Range(0, 2**52 - 1))


class DrawLineSchema(Schema):
    """A draw. ``seed`` is a text, as it may have more digits than a browser's numbers hold."""

    id = fields.UUID(required=True)
    seed = fields.String(required=True)
    drawn_ms = WireInt(required=True)
    drawn_by = fields.UUID(required=True)
    closed_from_ms = WireInt(required=True)
    closed_to_ms = WireInt(required=True)
    population_size = fields.Integer(required=True)


class DrawnSchema(DrawLineSchema):
    """A draw in full: what was drawn from, ascending, and what was drawn, in order. ``reproducible``: drawn again, the
    same."""

    population = fields.List(fields.UUID(), required=True)
    drawn = fields.List(fields.UUID(), required=True)
    reproducible = fields.Boolean(required=True)
