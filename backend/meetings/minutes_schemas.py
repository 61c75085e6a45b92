"""Shapes of minutes and decisions."""

from marshmallow import Schema, fields, validate

from backend.clock import LATEST_MS
from backend.http.fields import line, prose, storable
from backend.http.paging import PageQuery
from backend.meetings.decisions import STATES, STEPS

MOST_DECISIONS, MOST_ATTENDEES = 100, 200


class DecisionInputSchema(Schema):
    """A decision as minutes say it. ``owner`` in words; with ``owner_id``, a member of the community, it is that one's
    name. ``hazard_ids``: what it is about."""

    text = prose(2000, required=True)
    owner = line(100, required=True)
    owner_id = fields.UUID(load_default=None, allow_none=True)
    due = fields.Date(required=True)
    hazard_ids = fields.List(fields.UUID(), load_default=list, validate=validate.Length(0, 100))


class MinutesInputSchema(Schema):
    """Minutes to be kept as a draft."""

    held_ms = fields.Integer(required=True, validate=validate.Range(0, LATEST_MS))
    place = line(200, required=True)
    chair = line(100, required=True)
    attendees = fields.List(line(100), required=True, validate=validate.Length(1, MOST_ATTENDEES))
    topics = storable(10_000, load_default="")
    remarks = storable(10_000, load_default="")
    decisions = fields.List(
        fields.Nested(DecisionInputSchema), load_default=list, validate=validate.Length(0, MOST_DECISIONS)
    )


class MinutesSchema(Schema):
    """Minutes over a paper. ``state``: draft, issued. ``content`` is null when it was lawfully erased."""

    id = fields.UUID(required=True)
    paper_id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("draft", "issued")))
    held = fields.String(required=True)
    issued = fields.String(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)
    content = fields.Dict(required=True, allow_none=True)


class DecisionSchema(Schema):
    """A decision as a task. ``late``: open after its date."""

    id = fields.UUID(required=True)
    minutes_id = fields.UUID(required=True)
    n = fields.Integer(required=True)
    text = fields.String(required=True, allow_none=True)
    owner = fields.String(required=True, allow_none=True)
    owner_id = fields.UUID(required=True, allow_none=True)
    hazard_ids = fields.List(fields.String(), required=True)
    due = fields.Date(required=True)
    state = fields.String(required=True, validate=validate.OneOf(tuple(STATES)))
    late = fields.Boolean(required=True)
    settled = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)
    rev = fields.Integer(required=True)


class DecisionQuery(PageQuery):
    """``mine``: only those the caller owns."""

    state = fields.String(load_default=None, validate=validate.OneOf(tuple(STATES)))
    mine = fields.Boolean(load_default=False)


class DecisionStepSchema(Schema):
    """A report on a decision. ``due`` goes with a postponement and with nothing else."""

    kind = fields.String(required=True, validate=validate.OneOf(tuple(STEPS)))
    note = prose(2000, required=True)
    due = fields.Date(load_default=None, allow_none=True)
