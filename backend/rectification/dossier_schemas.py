"""Shapes of the dossier of a place (一楼一档)."""

from marshmallow import Schema, fields

from backend.places.kinds import KIND_LABELS
from backend.places.schemas import PlaceDetailSchema
from backend.rectification.schemas import (
    LabelSchema,
    NamedSchema,
    StepLineSchema,
    TaskPlaceSchema,
    TaskSchema,
    moment_field,
    one_of,
)


class BlockAnswersSchema(Schema):
    """One block of answers. Sensitive ones are masked or, by id, in ``left_out``."""

    version = fields.Integer(required=True)
    answers = fields.Dict(keys=fields.String(), required=True)
    left_out = fields.List(fields.String(), required=True)


class FormAnswersSchema(Schema):
    """What the last visit of a form found at the place itself."""

    form = fields.String(required=True)
    title = fields.Nested(LabelSchema, required=True, allow_none=True)
    visit_id = fields.UUID(required=True)
    at = moment_field()
    blocks = fields.List(fields.Nested(BlockAnswersSchema), required=True)


class VisitLineSchema(Schema):
    """One doorstep visit in force."""

    id = fields.UUID(required=True)
    place = fields.Nested(TaskPlaceSchema, required=True)
    at = moment_field()
    outcome = fields.String(required=True)
    forms = fields.List(fields.String(), required=True)
    author = fields.Nested(NamedSchema, required=True)
    time_quality = fields.String(required=True)


class VisitPageSchema(Schema):
    """Visits, newest first."""

    items = fields.List(fields.Nested(VisitLineSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ChildSchema(Schema):
    """A place directly below: its doors, how many of them are finished, and open hazards below it."""

    id = fields.UUID(required=True)
    kind = one_of(KIND_LABELS, required=True)
    name = fields.String(required=True)
    code = fields.String(required=True)
    doors = fields.Integer(required=True)
    finished = fields.Integer(required=True)
    open_hazards = fields.Integer(required=True)
    overdue = fields.Integer(required=True)


class DossierSchema(Schema):
    """Everything about a place and what stands below it. ``hazards_more``: page through all with ``/tasks?place=``;
    ``children_more``: with ``/places?parent_id=``."""

    place = fields.Nested(PlaceDetailSchema, required=True)
    answers = fields.List(fields.Nested(FormAnswersSchema), required=True)
    visits = fields.Nested(VisitPageSchema, required=True)
    hazards = fields.List(fields.Nested(TaskSchema), required=True)
    hazards_more = fields.Boolean(required=True)
    steps = fields.List(fields.Nested(StepLineSchema), required=True)
    children = fields.List(fields.Nested(ChildSchema), required=True)
    children_more = fields.Boolean(required=True)
