"""Shapes of the office API of notices."""

from typing import Any

from marshmallow import Schema, fields, validate

from backend.clock import LATEST_MS
from backend.http.fields import line, matching, prose
from backend.http.paging import PageQuery
from backend.notices.wording import KINDS, MODES, RESULTS
from backend.rectification.schemas import NamedSchema, TaskPlaceSchema, label_field, moment_field, one_of
from mobile_contract.sync.fields import WireInt

SHORT, LONG = 200, 1000
MOST_HAZARDS, MOST_PHOTOS = 50, 6


def sha256_field(**options: Any) -> fields.String:
    """A SHA-256 in lower-case hex."""
    return matching("[0-9a-f]{64}", **options)


class HazardsSchema(Schema):
    """The hazards that a notice is to be about."""

    hazard_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MOST_HAZARDS))


class NoticeHazardSchema(Schema):
    """A hazard as it is printed. ``law``: verified articles that hold here; ``photos``: hashes to choose from."""

    hazard_id = fields.UUID(required=True)
    number = fields.String(required=True, allow_none=True)
    place = fields.String(required=True)
    title = fields.String(required=True)
    law = fields.List(fields.String(), required=True)
    photos = fields.List(fields.String(), required=True)


class NoticeDraftSchema(Schema):
    """What to start from. Nothing is stored yet."""

    place_id = fields.UUID(required=True)
    address = fields.String(required=True)
    hazards = fields.List(fields.Nested(NoticeHazardSchema), required=True)
    deadline_ms = WireInt(required=True)
    requirement = fields.String(required=True)
    interim = fields.String(required=True)


class ChosenPhotosSchema(Schema):
    """The photos printed with one hazard; without an entry the first two are."""

    hazard_id = fields.UUID(required=True)
    sha256 = fields.List(sha256_field(), required=True, validate=validate.Length(0, MOST_PHOTOS))


class NewNoticeSchema(HazardsSchema):
    """A 隐患整改告知书. Sentences are printed as “请于…前{requirement}。” and “…临时防范措施：{interim}。”"""

    addressee = line(SHORT, required=True)
    address = line(SHORT, load_default=None, allow_none=True)
    inspected_on = fields.Date(required=True)
    inspectors = fields.List(line(40), required=True, validate=validate.Length(1, 10))
    requirement = prose(LONG, required=True)
    interim = prose(LONG, required=True)
    deadline_ms = WireInt(required=True, validate=validate.Range(0, LATEST_MS))
    contact = line(SHORT, required=True)
    photos = fields.List(
        fields.Nested(ChosenPhotosSchema), load_default=list, validate=validate.Length(0, MOST_HAZARDS)
    )
    replaces = fields.UUID(load_default=None, allow_none=True)


class DeclaredFileSchema(Schema):
    """A file by its hash; it may be uploaded before or after."""

    sha256 = sha256_field(required=True)
    bytes = WireInt(required=True, validate=validate.Range(1, 2**31))
    mime = one_of(("image/jpeg", "image/png", "application/pdf"), required=True)


class NewServiceSchema(Schema):
    """How a notice was served. Posted on a door: with a photo; refused: with a witness; by letter: with its number."""

    mode = one_of(MODES, required=True)
    result = one_of(RESULTS, required=True)
    served_ms = WireInt(required=True, validate=validate.Range(0, LATEST_MS))
    served_by = line(SHORT, required=True)
    household_id = fields.UUID(load_default=None, allow_none=True)
    signatory = line(SHORT, load_default=None, allow_none=True)
    relation = line(40, load_default=None, allow_none=True)
    witness = line(SHORT, load_default=None, allow_none=True)
    tracking_no = line(60, load_default=None, allow_none=True)
    note = prose(LONG, load_default=None, allow_none=True)
    copy = fields.Nested(DeclaredFileSchema, load_default=None, allow_none=True)


class ServiceSchema(Schema):
    """A record of service; names are masked for those who do not serve notices there."""

    id = fields.UUID(required=True)
    household_id = fields.UUID(required=True, allow_none=True)
    mode = one_of(MODES, required=True)
    mode_label = label_field()
    result = one_of(RESULTS, required=True)
    result_label = label_field()
    served = moment_field()
    served_by = fields.String(required=True, allow_none=True)
    signatory = fields.String(required=True, allow_none=True)
    relation = fields.String(required=True, allow_none=True)
    witness = fields.String(required=True, allow_none=True)
    tracking_no = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    copy_sha256 = fields.String(required=True, allow_none=True)
    recorded = moment_field()
    recorded_by = fields.Nested(NamedSchema, required=True)


class NoticeSchema(Schema):
    """A line of the register. ``overdue_to_serve`` is computed now."""

    id = fields.UUID(required=True)
    kind = one_of(KINDS, required=True)
    label = label_field()
    number = fields.String(required=True, metadata={"example": "〔2026〕07号"})
    place = fields.Nested(TaskPlaceSchema, required=True)
    addressee = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    hazards = fields.Integer(required=True)
    deadline = moment_field()
    issued = moment_field()
    issued_by = fields.Nested(NamedSchema, required=True)
    served = fields.Boolean(required=True)
    overdue_to_serve = fields.Boolean(required=True)
    replaces = fields.UUID(required=True, allow_none=True)
    replaced_by = fields.UUID(required=True, allow_none=True)


class NoticeDetailSchema(NoticeSchema):
    """A notice in full. ``text``: every line as printed, in order; null for those who do not serve notices there, and
    when it was lawfully erased."""

    text = fields.List(fields.String(), required=True, allow_none=True)
    services = fields.List(fields.Nested(ServiceSchema), required=True)


class NoticeFilterSchema(Schema):
    """What the register is narrowed by."""

    kind = one_of(KINDS)
    year = fields.Integer(validate=validate.Range(2000, 9999))
    place = fields.UUID()
    hazard = fields.UUID()
    served = fields.Boolean()
    replaced = fields.Boolean()


class NoticeQuery(NoticeFilterSchema, PageQuery):
    """A page of the register."""
