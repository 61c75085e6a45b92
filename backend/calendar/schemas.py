"""Shapes of the calendar's API."""

from marshmallow import Schema, fields, validate

from backend.calendar.year_file import LONGEST_NAME
from backend.http.fields import TrueOrFalse, line
from mobile_contract.forms.definition import SAFE_INTEGER
from mobile_contract.sync.fields import WireInt

FIRST_YEAR, LAST_YEAR = 2000, 2199


class CalendarLabelSchema(Schema):
    """A text in both languages."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class SpecialDaySchema(Schema):
    """A day that is worked, or is not, whatever weekday it is. ``source``: nation or community."""

    day = fields.Date(required=True)
    works = fields.Boolean(required=True)
    name = fields.String(required=True)
    source = fields.String(required=True, validate=validate.OneOf(("nation", "community")))


class CalendarChangeSchema(Schema):
    """The community's own word on a day; ``works`` null took it back."""

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    works = fields.Boolean(required=True, allow_none=True)
    name = fields.String(required=True)
    effective_from_ms = WireInt(required=True)


class CalendarYearSchema(Schema):
    """A year as it is known now. ``official`` false: nobody has told this year's holidays yet, so that weekends are
    all there is; ``mark`` says so."""

    year = fields.Integer(required=True)
    official = fields.Boolean(required=True)
    mark = fields.Nested(CalendarLabelSchema, required=True, allow_none=True)
    working_days = fields.Integer(required=True)
    days = fields.List(fields.Nested(SpecialDaySchema), required=True)
    changes = fields.List(fields.Nested(CalendarChangeSchema), required=True)


class NewDaySchema(Schema):
    """``works`` false: a holiday; true: worked (调休); null: as the nation has it. Counts for what is found from
    ``effective_from_ms`` on, from now on when that is null: deadlines given before do not move."""

    day = fields.Date(required=True, metadata={"example": "2027-02-06"})
    works = TrueOrFalse(required=True, allow_none=True)
    name = line(LONGEST_NAME, load_default="")
    effective_from_ms = WireInt(load_default=None, allow_none=True, validate=validate.Range(0, SAFE_INTEGER))


class YearQuery(Schema):
    """``effective_from_ms``: as for a single day. ``dry_run``: only say what would happen."""

    effective_from_ms = fields.Integer(load_default=None, validate=validate.Range(0, SAFE_INTEGER))
    dry_run = fields.Boolean(load_default=False)


class CalendarErrorSchema(Schema):
    """One thing wrong in one cell. ``row`` counts as a spreadsheet does: the headings are row 1."""

    row = fields.Integer(required=True)
    column = fields.String(required=True)
    code = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class YearReportSchema(Schema):
    """What an import would do or did."""

    year = fields.Integer(required=True)
    imported = fields.Boolean(required=True)
    rows = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    bad_rows = fields.Integer(required=True)
    errors = fields.List(fields.Nested(CalendarErrorSchema), required=True)
