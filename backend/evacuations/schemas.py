"""Shapes of the office API of dangerous houses."""

from marshmallow import Schema, fields, validate

from backend.evacuations.duties import DUTIES
from backend.evacuations.lifecycle import FACT_KINDS, GRADES, HOUSEHOLD_STATES, STAGES
from backend.http.paging import PageQuery
from backend.rectification.schemas import (
    LabelSchema,
    NamedSchema,
    ReasonSchema,
    TaskPlaceSchema,
    label_field,
    moment_field,
    one_of,
)


class HouseQuery(PageQuery):
    """What the list is narrowed by; ``stage`` may be repeated."""

    stage = fields.List(one_of(STAGES))
    grid = fields.UUID()


class DutyQuery(Schema):
    """Whose duties."""

    grid = fields.UUID()


class HouseSchema(Schema):
    """A house that was appraised, and how its case stands."""

    house = fields.Nested(TaskPlaceSchema, required=True)
    stage = one_of(STAGES, required=True)
    stage_label = label_field()
    grade = one_of(GRADES, required=True, allow_none=True)
    dangerous = fields.Boolean(required=True)
    cycle = fields.Integer(required=True)
    grid_id = fields.UUID(required=True, allow_none=True)
    notice_id = fields.UUID(required=True, allow_none=True)
    households = fields.Integer(required=True)
    households_left = fields.Integer(required=True)
    households_refused = fields.Integer(required=True)
    persons = fields.Integer(required=True)
    opened = moment_field(allow_none=True)
    notified = moment_field(allow_none=True)
    served = moment_field(allow_none=True)
    deadline = moment_field(allow_none=True)
    emptied = moment_field(allow_none=True)
    cordoned = moment_field(allow_none=True)
    cleared = moment_field(allow_none=True)
    closed = moment_field(allow_none=True)
    facts_not_applied = fields.Integer(required=True)
    rev = fields.Integer(required=True)


class HouseholdSchema(Schema):
    """A household of the case. ``listed``: who lives there and what help they need, for those who record there."""

    place = fields.Nested(TaskPlaceSchema, required=True)
    state = one_of(HOUSEHOLD_STATES, required=True)
    state_label = label_field()
    persons = fields.Integer(required=True)
    destination = fields.String(required=True, allow_none=True)
    listed = fields.Dict(keys=fields.String(), required=True, allow_none=True)
    told = moment_field(allow_none=True)
    answered = moment_field(allow_none=True)
    revisited = moment_field(allow_none=True)
    reported = moment_field(allow_none=True)
    left = moment_field(allow_none=True)


class DutySchema(Schema):
    """Something to be done. ``day``: of a daily look; one that nobody took stays on the list."""

    kind = one_of(DUTIES, required=True)
    label = label_field()
    house_id = fields.UUID(required=True)
    household_id = fields.UUID(required=True, allow_none=True)
    day = fields.Date(required=True, allow_none=True)
    due = moment_field()
    overdue = fields.Boolean(required=True)


class DutiesSchema(Schema):
    """The duty list, the most urgent first."""

    items = fields.List(fields.Nested(DutySchema), required=True)


class FactLineSchema(Schema):
    """Something that was recorded. ``content`` masked for those who do not record there; null when erased."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    label = label_field()
    household_id = fields.UUID(required=True, allow_none=True)
    at = moment_field()
    recorded = moment_field()
    actor = fields.Nested(NamedSchema, required=True)
    actor_role = fields.String(required=True, allow_none=True)
    applied = fields.Boolean(required=True)
    reason = fields.Nested(ReasonSchema, required=True, allow_none=True)
    content = fields.Dict(keys=fields.String(), required=True, allow_none=True)


class ChainSchema(Schema):
    """A hazard that hangs on the house."""

    chain = fields.String(required=True)
    hazard_id = fields.UUID(required=True)


class CheckSchema(Schema):
    """A day on which somebody looked."""

    day = fields.Date(required=True)
    returned = fields.Boolean(required=True)


class HouseDetailSchema(HouseSchema):
    """A case in full. ``unlisted``: homes of the registry that are not on its list; ``every_household_left``: the
    evidence that closing the hazard asks for."""

    household_list = fields.List(fields.Nested(HouseholdSchema), required=True)
    unlisted = fields.List(fields.Nested(TaskPlaceSchema), required=True)
    every_household_left = fields.Boolean(required=True)
    duties = fields.List(fields.Nested(DutySchema), required=True)
    checks = fields.List(fields.Nested(CheckSchema), required=True)
    hazards = fields.List(fields.Nested(ChainSchema), required=True)
    facts = fields.List(fields.Nested(FactLineSchema), required=True)


class FactKindSchema(Schema):
    """What may be recorded, and the roles that may."""

    kind = one_of(FACT_KINDS, required=True)
    label = label_field()
    permission = fields.String(required=True)
    of_household = fields.Boolean(required=True)
    roles = fields.List(fields.String(), required=True, validate=validate.Length(1))


class FlowSchema(Schema):
    """A dangerous house's way as tables."""

    kinds = fields.List(fields.Nested(FactKindSchema), required=True)
    stages = fields.Dict(keys=fields.String(), values=fields.Nested(LabelSchema), required=True)
    household_states = fields.Dict(keys=fields.String(), values=fields.Nested(LabelSchema), required=True)
    not_applied = fields.Dict(keys=fields.String(), values=fields.Nested(LabelSchema), required=True)
