"""Shapes of the office API of tasks."""

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema, fields, validate

from backend.attachments.declaring import STATES as ATTACHMENT_STATES
from backend.hazards.lifecycle import STATES, STEP_KINDS
from backend.http.fields import matching
from backend.http.paging import PageQuery
from backend.places.kinds import KIND_LABELS
from mobile_contract.rules.definition import Severity
from mobile_contract.sync.fields import WireInt

SEVERITIES = tuple(str(severity) for severity in Severity)
UUID_PATTERN = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ME = "me"
#: In a filter: every state that is not settled.
OPEN = "open"


def one_of(choices: Iterable[str], **options: Any) -> fields.String:
    """A text out of ``choices``."""
    return fields.String(validate=validate.OneOf(tuple(choices)), **options)


class LabelSchema(Schema):
    """A text in Chinese and English."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class MomentSchema(Schema):
    """A time: epoch milliseconds, and ISO 8601 with the offset of Shanghai."""

    ms = WireInt(required=True)
    iso = fields.String(required=True, metadata={"example": "2026-11-20T23:59:59.999+08:00"})


class NamedSchema(Schema):
    """An id with its name."""

    id = fields.UUID(required=True)
    name = fields.String(required=True, allow_none=True)


class TaskPlaceSchema(Schema):
    """A place in a line of a list."""

    id = fields.UUID(required=True)
    kind = one_of(KIND_LABELS, required=True)
    name = fields.String(required=True)
    code = fields.String(required=True)


def moment_field(**options: Any) -> fields.Nested:
    """A required time."""
    return fields.Nested(MomentSchema, required=True, **options)


def label_field(**options: Any) -> fields.Nested:
    """A required text in both languages."""
    return fields.Nested(LabelSchema, required=True, **options)


class TaskSchema(Schema):
    """A rectification task: a hazard, or a gap in services (``service_gap``). ``overdue`` is computed now."""

    id = fields.UUID(required=True)
    number = fields.String(required=True, allow_none=True, metadata={"example": "福泉-ebike_charging-2026-0007"})
    title = label_field()
    form = fields.String(required=True)
    chain = fields.String(required=True)
    locus = fields.String(required=True)
    rules = fields.List(fields.String(), required=True)
    service_gap = fields.Boolean(required=True)
    severity = one_of(SEVERITIES, required=True)
    severity_label = label_field()
    severity_proposed = one_of(SEVERITIES, required=True, allow_none=True)
    state = one_of(STATES, required=True)
    state_label = label_field()
    cycle = fields.Integer(required=True)
    place = fields.Nested(TaskPlaceSchema, required=True)
    building = fields.Nested(NamedSchema, required=True, allow_none=True)
    grid_id = fields.UUID(required=True, allow_none=True)
    registered = moment_field()
    deadline = moment_field()
    closed = moment_field(allow_none=True)
    overdue = fields.Boolean(required=True)
    assignee = fields.Nested(NamedSchema, required=True, allow_none=True)
    closer = fields.String(required=True)
    extensions = fields.Integer(required=True)
    referred = moment_field(allow_none=True)
    chase_due = moment_field(allow_none=True)
    recheck = moment_field(allow_none=True)
    contradicted = fields.Boolean(required=True)
    steps_not_applied = fields.Integer(required=True)
    rev = fields.Integer(required=True)


class SourceSchema(Schema):
    """What a ground cites."""

    id = fields.String(required=True)
    title = label_field()


class BasisSchema(Schema):
    """A ground of a rule that holds in this case (``when`` is met). Only one with ``is_law`` may be printed as law."""

    mark = fields.String(required=True)
    text = fields.String(required=True)
    source = fields.Nested(SourceSchema, required=True, allow_none=True)
    when = fields.String(required=True, allow_none=True)
    is_law = fields.Boolean(required=True)


class TaskRuleSchema(Schema):
    """A rule that fired in the cycle shown."""

    code = fields.String(required=True)
    title = label_field()
    severity = one_of(SEVERITIES, required=True)
    basis = fields.List(fields.Nested(BasisSchema), required=True)


class EvidenceSchema(Schema):
    """What striking off needs."""

    code = fields.String(required=True)
    label = label_field()


class ReasonSchema(LabelSchema):
    """Why a step took no effect."""

    code = fields.String(required=True)


class StepLineSchema(Schema):
    """A step. ``wall`` is what the phone's clock showed, which may be wrong; ``received_at`` the server's time."""

    id = fields.UUID(required=True)
    hazard_id = fields.UUID(required=True)
    number = fields.String(required=True, allow_none=True)
    place = fields.Nested(TaskPlaceSchema, required=True)
    kind = fields.String(required=True)
    label = label_field()
    applied = fields.Boolean(required=True)
    reason = fields.Nested(ReasonSchema, required=True, allow_none=True)
    actor = fields.Nested(NamedSchema, required=True)
    actor_role = fields.String(required=True, allow_none=True)
    from_phone = fields.Boolean(required=True)
    effective = moment_field()
    wall = moment_field(allow_none=True)
    received_at = fields.AwareDateTime(required=True)


class StepAttachmentSchema(Schema):
    """A file that a step cites. ``state`` ``awaited`` or ``receiving``: its bytes are still to come; hash, type and
    size are null while no record declares it."""

    id = fields.UUID(required=True)
    sha256 = fields.String(required=True, allow_none=True)
    mime = fields.String(required=True, allow_none=True)
    bytes = WireInt(required=True, allow_none=True)
    state = one_of(ATTACHMENT_STATES, required=True)


class StepDetailSchema(StepLineSchema):
    """A step with what it says; null when it was lawfully erased."""

    content = fields.Dict(keys=fields.String(), required=True, allow_none=True)
    attachments = fields.List(fields.Nested(StepAttachmentSchema), required=True)


class TransitionSchema(Schema):
    """A change of state. ``cause`` is ``visit`` or ``step``, ``cause_id`` its id."""

    n = fields.Integer(required=True)
    cycle = fields.Integer(required=True)
    step = fields.String(required=True)
    label = label_field()
    from_state = one_of(STATES, required=True, allow_none=True)
    to_state = one_of(STATES, required=True)
    severity = one_of(SEVERITIES, required=True)
    at = moment_field()
    cause = one_of(("visit", "step"), required=True)
    cause_id = fields.UUID(required=True)
    actor = fields.Nested(NamedSchema, required=True, allow_none=True)


class SightingSchema(Schema):
    """What a visit saw of this hazard. ``reassessment``: no visit, but old answers judged by a newer rule."""

    visit_id = fields.UUID(required=True)
    seen = one_of(("present", "absent", "unknown"), required=True)
    at = moment_field()
    author = fields.Nested(NamedSchema, required=True, allow_none=True)
    time_quality = fields.String(required=True, allow_none=True)
    reassessment = fields.Boolean(required=True)


class HistorySchema(Schema):
    """Everything that happened to a task; each list oldest first."""

    transitions = fields.List(fields.Nested(TransitionSchema), required=True)
    steps = fields.List(fields.Nested(StepDetailSchema), required=True)
    visits = fields.List(fields.Nested(SightingSchema), required=True)


class TaskDetailSchema(TaskSchema):
    """A task in full. ``rev`` is also the answer's ETag. ``may``: the steps that the caller may take now.

    ``attachments_awaited``: bytes of files that its steps cite are still to come; they change nothing but what is seen.
    """

    rule_details = fields.List(fields.Nested(TaskRuleSchema), required=True)
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True)
    closers = fields.List(fields.String(), required=True)
    responsible_party = fields.String(required=True, allow_none=True)
    measures = fields.String(required=True, allow_none=True)
    funds = fields.String(required=True, allow_none=True)
    plan = fields.String(required=True, allow_none=True)
    revisit_id = fields.UUID(required=True, allow_none=True)
    void_reason = fields.String(required=True, allow_none=True)
    duplicate_of = fields.UUID(required=True, allow_none=True)
    may = fields.List(one_of(STEP_KINDS), required=True)
    attachments_awaited = fields.Boolean(required=True)
    history = fields.Nested(HistorySchema, required=True)


class TaskQuery(PageQuery):
    """What a list of tasks is narrowed by; ``severity`` and ``state`` may be repeated."""

    grid = fields.UUID()
    building = fields.UUID()
    place = fields.UUID(metadata={"description": "There or anywhere below"})
    form = matching("[a-z][a-z0-9_]{0,39}")
    severity = fields.List(one_of(SEVERITIES))
    state = fields.List(one_of((*STATES, OPEN)), metadata={"description": "`open`: every state but closed and void"})
    overdue = fields.Boolean()
    assignee = matching(f"{ME}|{UUID_PATTERN}", metadata={"description": "`me`, or an account's id"})
    service_gap = fields.Boolean()
    contradicted = fields.Boolean()
    chase_due = fields.Boolean(metadata={"description": "Referred, and last written about a week ago"})
    recheck = fields.Boolean(metadata={"description": "Drawn for a re-check (回头看) that nobody made yet"})


class StateSchema(Schema):
    """A state of the life cycle."""

    state = one_of(STATES, required=True)
    label = label_field()
    open = fields.Boolean(required=True)


class StepKindSchema(Schema):
    """A step of the life cycle. ``to`` null: back to where the task stood. ``roles`` may take it (or close by rule)."""

    kind = one_of(STEP_KINDS, required=True)
    label = label_field()
    starts = fields.List(one_of(STATES), required=True)
    to = one_of(STATES, required=True, allow_none=True)
    permission = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    needs = label_field()
    due = fields.String(required=True)


class LifeCycleSchema(Schema):
    """The life cycle as one table."""

    states = fields.List(fields.Nested(StateSchema), required=True)
    steps = fields.List(fields.Nested(StepKindSchema), required=True)
    observed = fields.Dict(keys=fields.String(), values=fields.Nested(LabelSchema), required=True)
    not_applied = fields.Dict(keys=fields.String(), values=fields.Nested(LabelSchema), required=True)
