"""Shapes of the papers' API."""

from datetime import date

from marshmallow import Schema, fields, validate

from backend.http.paging import PageQuery
from backend.http.schemas import ProgressSchema
from backend.meetings.periods import KINDS


class PaperSchema(Schema):
    """A paper in a list. ``state``: queued, draft, issued. ``number`` as printed."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    year = fields.Integer(required=True)
    issue = fields.Integer(required=True)
    number = fields.String(required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    state = fields.String(required=True)
    cutoff = fields.String(required=True, allow_none=True)
    issued = fields.String(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)


class PaperFileSchema(Schema):
    """A document of a paper; of an issued paper it never changes."""

    format = fields.String(required=True)
    sha256 = fields.String(required=True)
    size = fields.Integer(required=True)


class PaperDocumentsSchema(Schema):
    """The documents there are, and how far the making of the others is (null: none was asked for)."""

    progress = fields.Nested(ProgressSchema, required=True, allow_none=True)
    files = fields.List(fields.Nested(PaperFileSchema), required=True)


class PaperDetailSchema(PaperSchema):
    """A paper with its content as printed: figures, sections, sentences; null until it was made once."""

    content = fields.Dict(required=True, allow_none=True)
    seal_holds = fields.Boolean(required=True, allow_none=True)
    making = fields.Nested(ProgressSchema, required=True, allow_none=True)
    documents = fields.Nested(PaperDocumentsSchema, required=True)


class PaperPlanSchema(Schema):
    """When papers are made. ``starts_on``: ISO weekday on which weeks begin; ``month_starts_on``: day of the month on
    which months do; ``hour``: from when on the day after the period (Shanghai time)."""

    kinds = fields.List(
        fields.String(validate=validate.OneOf(KINDS)), required=True, validate=validate.Length(0, len(KINDS))
    )
    starts_on = fields.Integer(load_default=1, validate=validate.Range(1, 7))
    month_starts_on = fields.Integer(load_default=1, validate=validate.Range(1, 28))
    hour = fields.Integer(load_default=6, validate=validate.Range(0, 23))


class PaperQuery(PageQuery):
    kind = fields.String(load_default=None, validate=validate.OneOf(KINDS))


class PaperRequestSchema(Schema):
    """``period_start``: any day of the period that is meant."""

    kind = fields.String(load_default="weekly", validate=validate.OneOf(KINDS))
    period_start = fields.Date(required=True, validate=validate.Range(date(2000, 1, 1), date(2199, 12, 31)))


class ReceiptSchema(Schema):
    """A row behind a figure. ``row_id`` is a hazard's, a place's, a visit's or a notice's, as ``row_kind`` says; a
    case's (somebody's health, need or home) is a pseudonym. ``amount``: for how many it stands; null: one."""

    n = fields.Integer(required=True)
    row_kind = fields.String(required=True)
    row_id = fields.UUID(required=True)
    at = fields.String(required=True)
    number = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, allow_none=True)
    place = fields.String(required=True, allow_none=True)
    place_kind = fields.String(required=True, allow_none=True)
    field_code = fields.String(required=True, allow_none=True)
    category = fields.String(required=True)
    severity = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, allow_none=True)
    deadline = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    amount = fields.Integer(required=True, allow_none=True)


class ReceiptPageSchema(Schema):
    """``value`` is the figure as printed; a reader bound to some grids is shown only the rows there."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    unit = fields.String(required=True)
    meaning = fields.String(required=True)
    value = fields.Integer(required=True)
    items = fields.List(fields.Nested(ReceiptSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
