"""Shapes of the office API of forms and rules."""

from marshmallow import Schema, fields, validate

from backend.http.fields import TrueOrFalse, matching, prose
from mobile_contract.rules.definition import DUE
from mobile_contract.sync.fields import WireInt


class FormLabelSchema(Schema):
    """A text in Chinese and English."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class FormSchema(Schema):
    """A published form version. ``rules``: versions of the rule sets that judge it."""

    code = fields.String(required=True, metadata={"example": "ebike_charging"})
    version = fields.Integer(required=True)
    current = fields.Boolean(required=True)
    title = fields.Nested(FormLabelSchema, required=True)
    place_kinds = fields.List(fields.String(), required=True)
    rules = fields.List(fields.Integer(), required=True)
    published_at = fields.AwareDateTime(required=True)


class FormsSchema(Schema):
    """All published form versions, the common header included."""

    items = fields.List(fields.Nested(FormSchema), required=True)


class RuleSetSchema(Schema):
    """A rule set; judges the visits from ``effective_from_ms`` on."""

    version = fields.Integer(required=True)
    effective_from_ms = WireInt(required=True)
    definition = fields.Dict(required=True)


class OverrideSchema(Schema):
    """A community's change to one rule, from ``effective_from_ms`` on."""

    id = fields.UUID(required=True)
    rule = fields.String(required=True)
    effective_from_ms = WireInt(required=True)
    enabled = fields.Boolean(required=True)
    due = fields.String(required=True, allow_none=True)
    thresholds = fields.Dict(keys=fields.String(), values=fields.Float(), required=True, allow_none=True)
    actor_id = fields.UUID(required=True, allow_none=True)


class FormDetailSchema(FormSchema):
    """A form: its definition, the JSON Schema of its answers, its rule sets, and the community's changes to them."""

    definition = fields.Dict(required=True)
    schema = fields.Dict(required=True)
    rule_sets = fields.List(fields.Nested(RuleSetSchema), required=True)
    overrides = fields.List(fields.Nested(OverrideSchema), required=True)


class NewOverrideSchema(Schema):
    """Switch a rule off (or on again), give it another deadline (``0`` today, ``24h``, ``7d``), or other numbers in its
    condition (field → number, within the rule's parameters). From now on when ``effective_from_ms`` is null."""

    enabled = TrueOrFalse(required=True)
    due = matching(DUE.pattern, load_default=None, allow_none=True, metadata={"example": "7d"})
    thresholds = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        load_default=None,
        allow_none=True,
        metadata={"example": {"open_w": 0.7}},
    )
    effective_from_ms = WireInt(load_default=None, allow_none=True, validate=validate.Range(0))


class ChangedRuleSchema(NewOverrideSchema):
    """All that a community has otherwise about one rule; what its change before said no longer holds."""

    class Meta:
        exclude = ("effective_from_ms",)

    rule = matching(r"[A-Z]{3}-[0-9]{2}[A-Z]?", required=True, metadata={"example": "ATW-05"})


class ChangesSchema(Schema):
    """Changes to rules that are looked at together, one a rule."""

    changes = fields.List(fields.Nested(ChangedRuleSchema), required=True, validate=validate.Length(1, 50))


class NewRuleChangeSchema(ChangesSchema):
    """Publish changes as the community's next version. With ``reassess`` the last answers of every place are looked at
    again, as the dry run showed; it then holds from now on (``effective_from_ms`` is null)."""

    reassess = TrueOrFalse(required=True)
    reason = prose(500, required=True)
    effective_from_ms = WireInt(load_default=None, allow_none=True, validate=validate.Range(0))


class NewReassessmentSchema(Schema):
    """Judge the last answers of every place anew by ``rule_version``, as of now."""

    rule_version = WireInt(required=True, validate=validate.Range(1, 2**31 - 1))


class ReassessmentSchema(Schema):
    """A decision to look at old answers with another rule set."""

    id = fields.UUID(required=True)
    form = fields.String(required=True)
    rule_version = fields.Integer(required=True)
    effective_ms = WireInt(required=True)


class RuleParameterSchema(Schema):
    """A number in a rule's condition that a community may set. ``value`` is what holds now."""

    field = fields.String(required=True, metadata={"example": "open_w"})
    label = fields.Nested(FormLabelSchema, required=True)
    minimum = fields.Float(required=True)
    maximum = fields.Float(required=True)
    default = fields.Float(required=True)
    value = fields.Float(required=True)


class RuleInForceSchema(Schema):
    """A rule as it judges this community's visits now. ``override``: the community's change in force, if any."""

    code = fields.String(required=True, metadata={"example": "ATW-05"})
    form = fields.String(required=True)
    rule_version = fields.Integer(required=True)
    title = fields.Nested(FormLabelSchema, required=True)
    severity = fields.String(required=True)
    enabled = fields.Boolean(required=True)
    due = fields.String(required=True)
    when = fields.String(required=True, allow_none=True)
    parameters = fields.List(fields.Nested(RuleParameterSchema), required=True)
    override = fields.Nested(OverrideSchema, required=True, allow_none=True)


class RulesInForceSchema(Schema):
    """All rules, by form and in the order of the ledger."""

    items = fields.List(fields.Nested(RuleInForceSchema), required=True)


class RuleChangeSchema(Schema):
    """A version of the community's rules: what it changed, and which forms were looked at again."""

    id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    effective_from_ms = WireInt(required=True)
    published_ms = WireInt(required=True)
    reason = fields.String(required=True, allow_none=True)
    actor_id = fields.UUID(required=True, allow_none=True)
    overrides = fields.List(fields.Nested(OverrideSchema), required=True)
    reassessments = fields.List(fields.Nested("ReassessmentSchema"), required=True)


class OverridesSchema(Schema):
    """A community's changes to one rule, oldest first; the last whose time has come is in force."""

    items = fields.List(fields.Nested(OverrideSchema), required=True)
