"""Shapes of the dry run of a change to rules."""

from marshmallow import Schema, fields

from backend.rectification.rule_preview import EFFECTS
from backend.rectification.schemas import SEVERITIES, LabelSchema, TaskPlaceSchema, moment_field, one_of


class PreviewStateSchema(Schema):
    """How a hazard stands."""

    state = fields.String(required=True)
    state_label = fields.Nested(LabelSchema, required=True)
    severity = one_of(SEVERITIES, required=True)
    severity_label = fields.Nested(LabelSchema, required=True)
    severity_proposed = fields.String(required=True, allow_none=True)
    deadline = moment_field()


class PreviewLineSchema(Schema):
    """What a change to rules would do to one hazard. ``before`` is null when nobody ever saw it."""

    effect = one_of(EFFECTS, required=True)
    effect_label = fields.Nested(LabelSchema, required=True)
    hazard_id = fields.UUID(required=True)
    title = fields.Nested(LabelSchema, required=True)
    chain = fields.String(required=True)
    locus = fields.String(required=True)
    place = fields.Nested(TaskPlaceSchema, required=True)
    building_id = fields.UUID(required=True, allow_none=True)
    before = fields.Nested(PreviewStateSchema, required=True, allow_none=True)
    after = fields.Nested(PreviewStateSchema, required=True)


class PreviewSchema(Schema):
    """A page of the dry run: ``places_judged`` of ``places`` places where a form of these rules was filled."""

    items = fields.List(fields.Nested(PreviewLineSchema), required=True)
    places_judged = fields.Integer(required=True)
    places = fields.Integer(required=True)
    next_cursor = fields.String(required=True, allow_none=True)
