"""Shapes of the office API of places."""

from marshmallow import Schema, fields, validate

from backend.http.fields import line
from backend.http.paging import PageQuery
from backend.places.coordinates import DATUMS
from backend.places.kinds import KIND_LABELS

KINDS = tuple(KIND_LABELS)
EXAMPLE_ID = "0190a1b2-0000-7000-8000-00000000c0de"


class LocationSchema(Schema):
    """Where a place is, in the datum that is named; a location without one is not accepted."""

    lat = fields.Float(required=True, validate=validate.Range(-90, 90), metadata={"example": 25.79})
    lon = fields.Float(required=True, validate=validate.Range(-180, 180), metadata={"example": 113.03})
    accuracy_m = fields.Float(
        allow_none=True, load_default=None, validate=validate.Range(0, 100_000), metadata={"example": 12.0}
    )
    datum = fields.String(required=True, validate=validate.OneOf(DATUMS), metadata={"example": "wgs84"})


class StoredLocationSchema(Schema):
    """WGS-84, with the accuracy in metres and the datum it was measured in."""

    lat = fields.Float(required=True)
    lon = fields.Float(required=True)
    accuracy_m = fields.Float(required=True, allow_none=True)
    source_datum = fields.String(required=True, validate=validate.OneOf(DATUMS))


class PlaceSchema(Schema):
    """A place. ``merged_into``: the survivor, when it was merged away; ``withdrawn``: its proposal was voided."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    parent_id = fields.UUID(required=True, allow_none=True)
    grid_id = fields.UUID(required=True, allow_none=True)
    building_id = fields.UUID(required=True, allow_none=True)
    name = fields.String(required=True, metadata={"example": "3栋"})
    field_code = fields.String(required=True, metadata={"example": "7K3M9-QXT2P"})
    address_raw = fields.String(required=True, allow_none=True)
    address = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    location = fields.Nested(StoredLocationSchema, required=True, allow_none=True)
    found_in_field = fields.Boolean(required=True)
    registered_ms = fields.Integer(required=True)
    merged_into = fields.UUID(required=True, allow_none=True)
    withdrawn = fields.Boolean(required=True)
    rev = fields.Integer(required=True)


class AncestorSchema(Schema):
    """A place above another one."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    name = fields.String(required=True)


class PlaceDetailSchema(PlaceSchema):
    """A place and all above it, from the community down."""

    ancestors = fields.List(fields.Nested(AncestorSchema), required=True)


class PlaceQuery(PageQuery):
    """What a list of places is narrowed by. ``q`` looks into names, pinyin and field codes."""

    kind = fields.String(validate=validate.OneOf(KINDS))
    parent_id = fields.UUID()
    under = fields.UUID(metadata={"description": "Anywhere below this place"})
    grid_id = fields.UUID()
    q = line(100, metadata={"example": "fuquan"})
    merged = fields.Boolean(load_default=False, metadata={"description": "With places merged away or withdrawn"})


class NewPlaceSchema(Schema):
    """A place to register. Without ``field_code`` it gets one."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS[1:]), metadata={"example": "building"})
    parent_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})
    name = line(200, required=True, metadata={"example": "3栋"})
    field_code = line(40, allow_none=True, load_default=None, metadata={"example": "FQ-03"})
    address_raw = line(1000, allow_none=True, load_default=None, metadata={"example": "槐荫路8号福泉小区3栋"})
    location = fields.Nested(LocationSchema, allow_none=True, load_default=None)


class MoveSchema(Schema):
    """The new parent."""

    parent_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})


class MergeSchema(Schema):
    """The survivor: a place of the same kind."""

    into_id = fields.UUID(required=True, metadata={"example": EXAMPLE_ID})


class RosterErrorSchema(Schema):
    """One thing wrong in one cell. ``row`` counts as a spreadsheet does: the headings are row 1."""

    row = fields.Integer(required=True, metadata={"example": 17})
    column = fields.String(required=True, allow_none=True, metadata={"example": "上级编码"})
    code = fields.String(required=True, metadata={"example": "row_parent_unknown"})
    zh = fields.String(required=True)
    en = fields.String(required=True)


class RosterReportSchema(Schema):
    """What an import would do or did. ``imported`` only when the rows are in the registry now."""

    imported = fields.Boolean(required=True)
    rows = fields.Integer(required=True, metadata={"example": 20000})
    added = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    moved = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    bad_rows = fields.Integer(required=True)
    errors = fields.List(fields.Nested(RosterErrorSchema), required=True)
