"""Shapes of unmasking, of a resident's request, of erasure and of retention."""

from marshmallow import Schema, fields, validate

from backend.http.fields import TrueOrFalse, line, matching
from backend.identity.looking import REFERENCE
from backend.identity.schemas import LookReasonSchema
from backend.privacy.erasing import EVERYTHING, GROUNDS, PERSONS
from backend.privacy.retention import YEARS_3
from backend.privacy.sources import SOURCES
from backend.privacy.unmasking import TASK, VISIT
from backend.rectification.schemas import LabelSchema, MomentSchema, TaskPlaceSchema
from mobile_contract.sync.fields import WireInt


def _one_of(codes: tuple[str, ...]) -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(codes))


def _days(unless_said: int | None = None) -> WireInt:
    """Days; must be said when there is no default."""
    if unless_said is None:
        return WireInt(required=True, validate=validate.Range(1, 36_500))
    return WireInt(load_default=unless_said, validate=validate.Range(1, 36_500))


class FormDaysSchema(Schema):
    """Days for visits with this form only."""

    form = matching("[a-z][a-z0-9_]*", longest=100, required=True)
    days = _days()


class UnmaskSchema(LookReasonSchema):
    """Whose persons: those of a visit (the id of its record) or of a task."""

    what = _one_of((VISIT, TASK))
    id = fields.UUID(required=True)


class ItemRefSchema(Schema):
    """A sealed row."""

    source = _one_of(tuple(SOURCES))
    id = fields.UUID(required=True)


class SearchSchema(LookReasonSchema):
    """Who is looked for; at least one of these."""

    name = line(100, load_default=None, allow_none=True)
    phone = line(40, load_default=None, allow_none=True)
    id_number = line(40, load_default=None, allow_none=True)


class ReportSchema(SearchSchema):
    """Whose report; ``items``: only these of what was found."""

    items = fields.List(
        fields.Nested(ItemRefSchema), load_default=None, allow_none=True, validate=validate.Length(1, 500)
    )


class EraseSchema(Schema):
    """What is erased: rows that a search found. The values named are taken out of prose as well."""

    items = fields.List(fields.Nested(ItemRefSchema), required=True, validate=validate.Length(1, 500))
    ground = _one_of(GROUNDS)
    reference = matching(REFERENCE, load_default=None, allow_none=True)
    extent = fields.String(load_default=PERSONS, validate=validate.OneOf((PERSONS, EVERYTHING)))
    name = line(100, load_default=None, allow_none=True)
    phone = line(40, load_default=None, allow_none=True)
    id_number = line(40, load_default=None, allow_none=True)


class ErasedItemSchema(Schema):
    """A sealed row out of which persons were taken."""

    source = fields.String(required=True)
    id = fields.UUID(required=True)


class ErasedSchema(Schema):
    """The rows that were erased; the others were not there (any more)."""

    erased = fields.List(fields.Nested(ErasedItemSchema), required=True)


class DatumSchema(Schema):
    """A personal value: where it stands, of what class, and as the caller may see it."""

    where = fields.String(required=True)
    label = fields.Nested(LabelSchema, required=True)
    kind = fields.String(required=True)
    value = fields.Raw(required=True)


class UnmaskedItemSchema(Schema):
    """A sealed row with its personal values."""

    source = fields.String(required=True)
    id = fields.UUID(required=True)
    type = fields.String(required=True)
    at = fields.Nested(MomentSchema, required=True, allow_none=True)
    data = fields.List(fields.Nested(DatumSchema), required=True)


class UnmaskedSchema(Schema):
    """Persons in full."""

    items = fields.List(fields.Nested(UnmaskedItemSchema), required=True)


class FoundItemSchema(UnmaskedItemSchema):
    """A row that names the person; ``matched`` says by what."""

    matched = fields.List(fields.String(), required=True)
    place = fields.Nested(TaskPlaceSchema, required=True, allow_none=True)


class FoundSchema(Schema):
    """What names the person, oldest first (at most 500 of ``total``). ``pending``: ask again soon, not all of the
    archive has been looked at yet."""

    items = fields.List(fields.Nested(FoundItemSchema), required=True)
    total = WireInt(required=True)
    pending = fields.Boolean(required=True)


class PersonReportSchema(FoundSchema):
    """The answer to a resident who asks what is held about them."""

    watermark = fields.String(required=True)


class RetentionChangeSchema(Schema):
    """Days that persons are kept, by class; ``forms``: shorter ones by form. Nothing is erased unless ``enabled``."""

    enabled = TrueOrFalse(required=True)
    visits = _days()
    steps = _days()
    orders = _days()
    notices = _days(YEARS_3)
    services = _days(YEARS_3)
    evacuations = _days(YEARS_3)
    quarantine = _days()
    forms = fields.List(fields.Nested(FormDaysSchema), required=True, validate=validate.Length(max=100))


class KeptFormSchema(Schema):
    """A form's own days."""

    form = fields.String(required=True)
    days = fields.Integer(required=True)


class RetentionSchema(Schema):
    """The settings as they stand."""

    enabled = fields.Boolean(required=True)
    visits = fields.Integer(required=True)
    steps = fields.Integer(required=True)
    orders = fields.Integer(required=True)
    notices = fields.Integer(required=True)
    services = fields.Integer(required=True)
    evacuations = fields.Integer(required=True)
    quarantine = fields.Integer(required=True)
    forms = fields.List(fields.Nested(KeptFormSchema), required=True)


class DueClassSchema(Schema):
    """A class of data with the first rows that are due, and whether there are more."""

    name = fields.String(required=True)
    ids = fields.List(fields.UUID(), required=True)
    more = fields.Boolean(required=True)


class DueSchema(Schema):
    """What the job would take the persons out of now, if it ran with these settings."""

    settings = fields.Nested(RetentionSchema, required=True)
    due = fields.List(fields.Nested(DueClassSchema), required=True)
