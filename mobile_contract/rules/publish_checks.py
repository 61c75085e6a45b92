"""What a form or rule set must pass before it is published. Published versions are immutable, so nothing
slips.

Both functions return every problem; an empty list means the definition may be published.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mobile_contract.forms.condition_syntax import (
    ConditionInvalid,
    fields_read,
    parse_condition,
)
from mobile_contract.forms.definition import Field, FieldType, Form, Label
from mobile_contract.forms.visibility_schema import shown_schema
from mobile_contract.rules.condition_types import Finding, type_findings
from mobile_contract.rules.definition import (
    ACTIONS,
    AUTHORITY_ROLES,
    CLOSERS,
    COMMUNITY_ROLES,
    DEPARTMENTS,
    ENFORCEMENT,
    EVIDENCE,
    Action,
    Basis,
    BasisMark,
    Rule,
    RuleSet,
)
from mobile_contract.rules.evaluate import CompiledRules
from mobile_contract.rules.scenarios import TooManyScenarios, reach_findings

_LOCUS_TYPES = frozenset({FieldType.TEXT, FieldType.ONE_OF, FieldType.INTEGER, FieldType.YES_NO})
_POWER_WORDS = re.compile(
    r"罚款|处罚|查封|扣押|断电|停电|断水|拘留|强制|fine[ds]?\b|penalt|seal(?!ed)|power cut", re.IGNORECASE
)
_READ_SOURCES = frozenset({"law", "standard"})


@dataclass(frozen=True, slots=True)
class PublishProblem:
    """`where`: the field or rule; `code`: stable word for the kind of problem; `message`: for the author."""

    where: str
    code: str
    message: str


def check_form(form: Form) -> list[PublishProblem]:
    """Conditions allowed, typed, on earlier fields; every field can be shown; the locus and what it opens are sound."""
    found: list[PublishProblem] = []
    earlier: set[str] = set()
    for field in form.fields:
        if field.visible_when is not None:
            # Being shown tells what the condition found: only personal data may hang on personal data.
            personal = field.sensitive is not None
            found += _condition(form, field.visible_when, f"fields.{field.id}", frozenset(earlier), personal)
        earlier.add(field.id)
    for name in form.locus:
        found += [PublishProblem(f"locus.{name}", "bad_locus", why) for why in _locus_faults(form, name)]
    found += [problem for field in form.fields for problem in _field_faults(field)]
    for opening in form.opens:
        found += _condition(form, opening.when, f"opens.{opening.form}", frozenset(form.by_id))
        if opening.form == form.code:
            found.append(PublishProblem(f"opens.{opening.form}", "wrong_form", "a form cannot open itself"))
    if not found:
        for field in form.fields:
            # Fine for CEL and still without a JSON Schema: two fields compared with each other.
            try:
                shown_schema(form, field.id)
            except ConditionInvalid as error:
                found.append(PublishProblem(f"fields.{field.id}", "condition_syntax", str(error)))
    return found


def check_rules(form: Form, ruleset: RuleSet) -> list[PublishProblem]:
    """What `check_form` asks of conditions, and that each rule can fire, cite, be closed, stay lawful."""
    found: list[PublishProblem] = []
    if ruleset.form != form.code or form.version not in ruleset.form_versions:
        found.append(PublishProblem("rules", "wrong_form", f"these rules are not for {form.code} v{form.version}"))
    codes = {rule.code for rule in ruleset.rules}
    for rule in ruleset.rules:
        where = f"rules.{rule.code}"
        found += _rule_conditions(form, rule, where)
        found += [PublishProblem(where, code, message) for code, message in _rule_lint(rule, codes)]
    for chain, rules in ruleset.chains.items():
        if len({rule.is_hazard for rule in rules}) > 1:
            message = "mixes hazards with service gaps, which no figure may count together"
            found.append(PublishProblem(f"rules.{chain}", "mixed_group", message))
    if not found:
        try:
            CompiledRules(form, ruleset)
        except (ConditionInvalid, ValueError) as error:
            found.append(PublishProblem("rules", "condition_syntax", str(error)))
    return found


def _condition(
    form: Form, text: str, where: str, known: frozenset[str], personal: bool = False
) -> list[PublishProblem]:
    try:
        node = parse_condition(text)
    except ConditionInvalid as error:
        return [PublishProblem(where, "condition_syntax", str(error))]
    findings: list[Finding] = list(dict.fromkeys(type_findings(form, node, known, personal)))
    if not findings:
        try:
            findings = reach_findings(form, node)
        except TooManyScenarios as error:
            findings = [("too_complex", str(error))]
        except ConditionInvalid as error:
            findings = [("condition_syntax", f"a field it hangs on: {error}")]
    return [PublishProblem(where, code, message) for code, message in findings]


def _rule_conditions(form: Form, rule: Rule, where: str) -> Iterator[PublishProblem]:
    known = frozenset(form.by_id)
    if rule.when is not None:
        yield from _condition(form, rule.when, where, known)
    if rule.at is not None:
        field = form.by_id.get(rule.at.field)
        if field is None:
            yield PublishProblem(where, "unknown_field", f"at: form {form.code} has no field {rule.at.field}")
        elif field.type is not FieldType.DATE:
            yield PublishProblem(where, "wrong_type", f"at: {field.id} is {field.type}, not a date")
        elif field.sensitive is not None:
            yield PublishProblem(where, "sensitive_field", f"at: {field.id} is personal data")
    if rule.hidden_unknown and not _reads_hideable(form, rule):
        yield PublishProblem(where, "pointless", "hidden: unknown, but no field it reads is ever hidden")
    for basis in rule.basis:
        if basis.when is not None:
            yield from _condition(form, basis.when, f"{where}.basis", known)


def _reads_hideable(form: Form, rule: Rule) -> bool:
    try:
        names = fields_read(parse_condition(rule.when)) if rule.when is not None else frozenset()
    except ConditionInvalid:
        return True
    return any(name in form.by_id and form.by_id[name].visible_when is not None for name in names)


def _rule_lint(rule: Rule, codes: Iterable[str]) -> Iterator[Finding]:
    for action in rule.actions:
        yield from _action_lint(action)
    for code in rule.evidence:
        if code not in EVIDENCE:
            yield "unknown_evidence", f"{code!r} is not one of {', '.join(EVIDENCE)}"
    if not rule.evidence:
        yield "unknown_evidence", "names no evidence that closes it"
    for role in rule.closers:
        if role not in CLOSERS:
            yield "unknown_closer", f"{role!r} is not one of {', '.join(CLOSERS)}"
    if not rule.closers:
        yield "unknown_closer", "names nobody who may close it"
    if rule.group is not None and rule.group in codes:
        yield "group_is_code", f"group {rule.group} is also the code of a rule; their hazards would be one"
    for basis in rule.basis:
        yield from _basis_lint(basis)
    # A title names what is wrong ("no power cut-off"); only what is to be done is held against the words.
    if rule.due_note is not None and _speaks_of_power(rule.due_note):
        yield "unlawful_action", f"{rule.due_note.zh!r} speaks of an act of public power"


def _action_lint(action: Action) -> Iterator[Finding]:
    if action.do in ENFORCEMENT:
        if action.by not in AUTHORITY_ROLES:
            yield "unlawful_action", f"{action.do} is an act of public power; the community has none"
    elif action.do not in ACTIONS:
        yield "unknown_action", f"{action.do!r} is not one of {', '.join(ACTIONS)}"
    if action.by not in ("community", *COMMUNITY_ROLES, *AUTHORITY_ROLES):
        yield "unknown_role", f"{action.by!r} is no role that acts"
    if action.to is not None and action.to not in DEPARTMENTS:
        yield "unknown_department", f"{action.to!r} is not one of {', '.join(DEPARTMENTS)}"
    if action.note is not None and action.by not in AUTHORITY_ROLES and _speaks_of_power(action.note):
        yield "unlawful_action", f"{action.note.zh!r} speaks of an act of public power"


def _speaks_of_power(label: Label) -> bool:
    return _POWER_WORDS.search(f"{label.zh} {label.en}") is not None


def _basis_lint(basis: Basis) -> Iterator[Finding]:
    if basis.mark is BasisMark.VERIFIED:
        if basis.source is None:
            yield "unverified_law", "marked V without a source that was read"
        elif basis.source.force not in _READ_SOURCES:
            yield "unverified_law", f"{basis.source.id} is {basis.source.force}: it can never be marked V"
    elif "《" in basis.text and re.search(r"第[一二三四五六七八九十百\d]+条", basis.text):
        yield "unverified_law", f"cites an article but is marked {basis.mark}; it would read as law"


def _locus_faults(form: Form, name: str) -> Iterator[str]:
    field = form.by_id[name]
    if field.visible_when is not None:
        yield "can be hidden; an identity must not depend on another answer"
    if field.sensitive is not None:
        yield "is personal data"
    if field.type not in _LOCUS_TYPES:
        yield f"of type {field.type} cannot name a locus"


def _field_faults(field: Field) -> Iterator[PublishProblem]:
    exclusive = [choice.code for choice in field.choices if choice.exclusive]
    if exclusive and field.type is not FieldType.MANY_OF:
        yield PublishProblem(f"fields.{field.id}", "wrong_type", "exclusive choices belong to many_of")
