"""Publishing forms and rules, and a community's own changes to them. Published versions never change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import new_id
from backend.errors import Conflict, FieldError, InvalidInput
from backend.forms.models import FormVersion, Reassessment, RuleOverride, RuleVersion
from mobile_contract.forms import Form, digest, form_document, header_form, list_forms
from mobile_contract.rules import Parameter, Rule, RuleSet, list_rules, rules_document
from mobile_contract.rules.definition import DUE
from mobile_contract.rules.publish_checks import check_form, check_rules


class PublishedVersionChanged(Conflict):
    """A version that is published cannot get other contents; make a new version."""


class DefinitionRefused(InvalidInput):
    """A form or rule set fails the publishing checks."""


class RuleUnknown(InvalidInput):
    pass


@dataclass(frozen=True, slots=True)
class Published:
    """One thing that was published: a version of a form, or of its rules.

    ``judges_from_ms``: rules judge the visits made then or later (0 for a form's first rule set: all of them).
    """

    code: str
    version: int
    is_form: bool
    judges_from_ms: int | None = None

    def __str__(self) -> str:
        return f"{'form' if self.is_form else 'rules'} {self.code}/{self.version}"


def publish_shipped(session: Session, now_ms: int) -> list[Published]:
    """Publish every form and rule set of this release that the database does not have yet; returns what is new.

    The first rule set of a form judges all times; a later one judges the visits from ``now_ms`` on. Raises
    PublishedVersionChanged when a published file was edited.
    """
    shipped = [header_form(), *list_forms()]
    new = [Published(form.code, form.version, True) for form in shipped if publish_form(session, form)]
    forms = {(form.code, form.version): form for form in shipped}
    for rule_set in list_rules():
        judged = [forms[rule_set.form, v] for v in rule_set.form_versions if (rule_set.form, v) in forms]
        since_ms = now_ms if has_rules(session, rule_set.form) else 0
        if publish_rules(session, rule_set, judged, now_ms):
            new.append(Published(rule_set.form, rule_set.version, False, since_ms))
    return new


def publish_form(session: Session, form: Form) -> bool:
    """Publish one form version; False when it is there already with the same contents."""
    _refuse_problems(f"form {form.code}/{form.version}", check_form(form))
    document = form_document(form)
    sha = bytes.fromhex(digest(document))
    found = session.get(FormVersion, (form.code, form.version))
    if found is not None:
        _refuse_other_contents(found.sha256, sha, f"{form.code}/{form.version}")
        return False
    session.add(FormVersion(code=form.code, version=form.version, definition=document, sha256=sha))
    session.flush()
    return True


def publish_rules(session: Session, rule_set: RuleSet, forms: Iterable[Form], now_ms: int) -> bool:
    """Publish one rule set, checked against every form version it judges; False when it is there already."""
    for form in forms:
        _refuse_problems(f"rules {rule_set.form}/{rule_set.version}", check_rules(form, rule_set))
    document = rules_document(rule_set)
    sha = bytes.fromhex(digest(document))
    found = session.get(RuleVersion, (rule_set.form, rule_set.version))
    if found is not None:
        _refuse_other_contents(found.sha256, sha, f"{rule_set.form}/{rule_set.version}")
        return False
    is_first = not has_rules(session, rule_set.form)
    session.add(
        RuleVersion(
            form_code=rule_set.form,
            version=rule_set.version,
            definition=document,
            sha256=sha,
            effective_from_ms=0 if is_first else now_ms,
        )
    )
    session.flush()
    return True


def has_rules(session: Session, form_code: str) -> bool:
    """Whether any rule set of the form is published."""
    found = select(RuleVersion.version).where(RuleVersion.form_code == form_code)
    return session.scalar(found.limit(1)) is not None


def override_rule(
    session: Session,
    community_id: UUID,
    rule_code: str,
    *,
    effective_from_ms: int,
    enabled: bool,
    due: str | None,
    actor_id: UUID | None,
    thresholds: Mapping[str, float] | None = None,
    change_id: UUID | None = None,
    pointer: str = "",
) -> UUID:
    """From ``effective_from_ms`` on, switch a rule off, give it another deadline (``0``, ``24h``, ``7d``), or other
    numbers in its condition. It says all that is changed: what the override before it said no longer holds."""
    refuse_change(rule_code, due, thresholds or {}, pointer)
    override = RuleOverride(
        community_id=community_id,
        id=new_id(),
        rule_code=rule_code,
        effective_from_ms=effective_from_ms,
        enabled=enabled,
        due=due,
        thresholds=dict(thresholds) if thresholds else None,
        actor_id=actor_id,
        change_id=change_id,
    )
    session.add(override)
    session.flush()
    return override.id


def refuse_change(rule_code: str, due: str | None, thresholds: Mapping[str, float], pointer: str = "") -> None:
    """RuleUnknown, or InvalidInput with a pointer below ``pointer``: what no rule can be changed to."""
    rules = [rule_set.by_code[rule_code] for rule_set in list_rules() if rule_code in rule_set.by_code]
    if not rules:
        raise RuleUnknown(rule=rule_code)
    _refuse_thresholds(rules[-1], thresholds, pointer)
    if due is not None and not DUE.fullmatch(due):
        raise InvalidInput(errors=[FieldError(f"{pointer}/due", "invalid_value", {"why": "0, 24h, 7d, 5wd"})])


def _refuse_thresholds(rule: Rule, thresholds: Mapping[str, float], pointer: str) -> None:
    bounds = {parameter.field: parameter for parameter in rule.parameters}
    errors = [
        FieldError(f"{pointer}/thresholds/{name}", "invalid_value", {"why": _bounds(bounds.get(name))})
        for name, number in thresholds.items()
        if name not in bounds or not bounds[name].minimum <= number <= bounds[name].maximum
    ]
    if errors:
        raise InvalidInput(errors=errors)


def _bounds(parameter: Parameter | None) -> str:
    return "no parameter of this rule" if parameter is None else f"{parameter.minimum}..{parameter.maximum}"


def reassess(
    session: Session,
    community_id: UUID,
    form_code: str,
    rule_version: int,
    *,
    effective_ms: int,
    actor_id: UUID | None,
    change_id: UUID | None = None,
) -> UUID:
    """Judge the last answers of every place anew, as of ``effective_ms``, by ``rule_version``."""
    if session.get(RuleVersion, (form_code, rule_version)) is None:
        raise RuleUnknown(rule=f"{form_code}/{rule_version}")
    fact = Reassessment(
        community_id=community_id,
        id=new_id(),
        form_code=form_code,
        rule_version=rule_version,
        effective_ms=effective_ms,
        actor_id=actor_id,
        change_id=change_id,
    )
    session.add(fact)
    session.flush()
    return fact.id


def _refuse_problems(what: str, problems: Iterable[object]) -> None:
    found = [FieldError("", "invalid_value", {"why": str(problem)}) for problem in problems]
    if found:
        raise DefinitionRefused(errors=found, what=what)


def _refuse_other_contents(held: bytes, offered: bytes, what: str) -> None:
    if bytes(held) != offered:
        raise PublishedVersionChanged(what=what)
