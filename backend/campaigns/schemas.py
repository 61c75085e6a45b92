"""Shapes of the office API of campaigns."""

from collections.abc import Iterable

from marshmallow import Schema, fields, validate

from backend.campaigns.coverage import STATES
from backend.campaigns.rounds import CADENCES
from backend.http.fields import line, matching, prose
from backend.http.paging import PageQuery
from backend.places.kinds import KIND_LABELS
from mobile_contract.sync.fields import WireInt

CODE = "[A-Za-z0-9_-]{1,64}"
TIME_OF_DAY = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
BUILDING_STATES = ("open", "declared", "approved", "reopened")


def _one_of(choices: Iterable[str], **options: object) -> fields.String:
    return fields.String(validate=validate.OneOf(tuple(choices)), **options)  # type: ignore[arg-type]


class RoundSchema(Schema):
    """A round: visits in ``[from_ms, to_ms)`` count in it."""

    n = fields.Integer(required=True)
    from_ms = WireInt(required=True)
    to_ms = WireInt(required=True)


class CampaignRequestSchema(Schema):
    """A campaign to be. ``scope``: places below which its doors stand (empty: the community). ``rules``: when not
    empty, only places that have an open hazard of one of them when it starts (C/D houses: SBH-01, SBH-02)."""

    name = line(100, required=True)
    scope = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=2000))
    forms = fields.List(matching(CODE), required=True, validate=validate.Length(1, 20))
    kinds = fields.List(_one_of(KIND_LABELS), required=True, validate=validate.Length(1, 8))
    rules = fields.List(matching(CODE), load_default=list, validate=validate.Length(max=50))
    cadence = _one_of(CADENCES, load_default="once")
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)


class CampaignSchema(Schema):
    """A campaign. ``state``: draft, running or over; ``rounds`` are there once it was started."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    state = _one_of(("draft", "running", "over"), required=True)
    scope = fields.List(fields.UUID(), required=True)
    forms = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)
    kinds = fields.List(fields.String(), required=True)
    rules = fields.List(fields.String(), required=True)
    cadence = _one_of(CADENCES, required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    started = fields.String(required=True, allow_none=True)
    ended = fields.String(required=True, allow_none=True)
    rounds = fields.List(fields.Nested(RoundSchema), required=True)


class RoundQuery(Schema):
    """Which round; the one that runs now when it is left out."""

    round = fields.Integer(load_default=None, validate=validate.Range(1, 1000))


class BoardQuery(RoundQuery):
    """``day``: whose visits and hazards are counted; today when it is left out."""

    day = fields.Date(load_default=None)


class PlaceNameSchema(Schema):
    """A place with its name."""

    id = fields.UUID(required=True)
    name = fields.String(required=True, allow_none=True)


class BoardLineSchema(Schema):
    """target = base + found = settled + outstanding. ``settled``: done, vacant or not applicable; 无人应答 never is."""

    target = fields.Integer(required=True)
    base = fields.Integer(required=True)
    found = fields.Integer(required=True)
    settled = fields.Integer(required=True)
    outstanding = fields.Integer(required=True)
    ratio = fields.Float(required=True, allow_none=True)
    states = fields.Dict(keys=_one_of(STATES), values=fields.Integer(), required=True)
    for_head = fields.Integer(required=True)
    visits_today = fields.Integer(required=True)
    hazards_today = fields.Integer(required=True)


class GridLineSchema(BoardLineSchema):
    """A grid's line; ``grid`` null: what no grid holds."""

    grid = fields.Nested(PlaceNameSchema, required=True, allow_none=True)


class DenominatorSchema(Schema):
    """frozen + found − merged − withdrawn = target."""

    frozen = fields.Integer(required=True)
    found = fields.Integer(required=True)
    merged = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True)
    target = fields.Integer(required=True)


class BoardSchema(Schema):
    """The daily board. ``denominator`` is told to readers of the whole community."""

    round = fields.Nested(RoundSchema, required=True)
    day = fields.Date(required=True)
    grids = fields.List(fields.Nested(GridLineSchema), required=True)
    total = fields.Nested(BoardLineSchema, required=True)
    denominator = fields.Nested(DenominatorSchema, required=True, allow_none=True)


class DoorQuery(PageQuery, RoundQuery):
    """``missed``: only what is still to be visited (or only what is not); ``for_head``: tried in vain in three
    different time slots."""

    grid = fields.UUID(load_default=None)
    building = fields.UUID(load_default=None)
    state = _one_of(STATES, load_default=None)
    missed = fields.Boolean(load_default=None)
    for_head = fields.Boolean(load_default=None)


class DoorSchema(Schema):
    """A door of a round and how it stands. ``reason``: why it is missed, in words; null when it is not."""

    place_id = fields.UUID(required=True)
    kind = _one_of(KIND_LABELS, required=True)
    name = fields.String(required=True)
    whole_name = fields.String(required=True, metadata={"example": "1栋 2单元 301室"})
    code = fields.String(required=True)
    grid_id = fields.UUID(required=True, allow_none=True)
    building_id = fields.UUID(required=True, allow_none=True)
    found_in_field = fields.Boolean(required=True)
    state = _one_of(STATES, required=True)
    reason = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    slots = fields.Integer(required=True)
    for_head = fields.Boolean(required=True)
    forms_left = fields.List(fields.String(), required=True)
    visit_id = fields.UUID(required=True, allow_none=True)
    visited = fields.String(required=True, allow_none=True)


class BuildingSchema(Schema):
    """A building in a round. ``contradicted``: approved, and yet doors are to be visited."""

    building = fields.Nested(PlaceNameSchema, required=True)
    doors = fields.Integer(required=True)
    settled = fields.Integer(required=True)
    outstanding = fields.Integer(required=True)
    state = _one_of(BUILDING_STATES, required=True)
    contradicted = fields.Boolean(required=True)
    since_ms = WireInt(required=True, allow_none=True)
    by = fields.UUID(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)


class MatrixDoorSchema(Schema):
    place_id = fields.UUID(required=True)
    name = fields.String(required=True)
    kind = _one_of(KIND_LABELS, required=True)
    state = _one_of(STATES, required=True)
    found = fields.Boolean(required=True)


class FloorSchema(Schema):
    """``floor`` null: the names of these doors tell none."""

    floor = fields.Integer(required=True, allow_none=True)
    doors = fields.List(fields.Nested(MatrixDoorSchema), required=True)


class UnitSchema(Schema):
    unit = fields.Nested(PlaceNameSchema, required=True)
    floors = fields.List(fields.Nested(FloorSchema), required=True)


class MatrixSchema(BuildingSchema):
    """Building × floor × unit, a state a door; floors from the top down."""

    units = fields.List(fields.Nested(UnitSchema), required=True)


class BuildingStepSchema(Schema):
    """``round``: the one that runs now when it is left out; ``note``: why, for the record."""

    round = WireInt(load_default=None, allow_none=True, validate=validate.Range(1, 1000))
    note = prose(2000, load_default=None, allow_none=True)


class GuardSchema(Schema):
    """How often and when residents may be asked for their time, over all campaigns together."""

    cool_down_days = WireInt(required=True, validate=validate.Range(0, 365))
    quiet_from = matching(TIME_OF_DAY, required=True)
    quiet_until = matching(TIME_OF_DAY, required=True)
