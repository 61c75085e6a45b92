"""A community's changes to its rules: as they would judge, and published as the community's next version.

A version says what it changes about one or several rules, from when, why, and whether the last answers of every place
are looked at again (a new rule sees old visits in no other way). Versions are facts: numbered 1, 2, 3… a community,
never edited; what is changed back is a further version.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from backend.db import new_id
from backend.errors import FieldError, InvalidInput
from backend.forms import service
from backend.forms.catalogue import Override, Reassess, RuleBook
from backend.forms.models import RuleChange, RuleVersion
from mobile_contract.rules.thresholds import Thresholds

_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('rule_change:' || :community, 0))")
#: The id of a reassessment that nobody ordered: it only shows what one would find.
_IMAGINED = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Change:
    """All that a community has otherwise about one rule: what its change before said no longer holds."""

    rule: str
    enabled: bool
    due: str | None = None
    thresholds: Thresholds = ()


def forms_of(session: Session, rule_codes: Iterable[str]) -> list[str]:
    """The forms whose rules hold any of ``rule_codes`` (one rule may judge several), sorted; RuleUnknown."""
    held = [
        (form, {rule["code"] for rule in definition["rules"]})
        for form, definition in session.execute(select(RuleVersion.form_code, RuleVersion.definition))
    ]
    found: set[str] = set()
    for code in rule_codes:
        forms = {form for form, codes in held if code in codes}
        if not forms:
            raise service.RuleUnknown(rule=code)
        found |= forms
    return sorted(found)


def refuse_wrong(changes: Sequence[Change]) -> None:
    """InvalidInput or RuleUnknown for a change that no rule takes, or two changes to one rule."""
    named: set[str] = set()
    for n, change in enumerate(changes):
        if change.rule in named:
            raise InvalidInput(errors=[FieldError(f"/changes/{n}/rule", "invalid_value", {"why": "named twice"})])
        named.add(change.rule)
        service.refuse_change(change.rule, change.due, dict(change.thresholds), f"/changes/{n}")


def as_if(book: RuleBook, changes: Sequence[Change], forms: Iterable[str], at_ms: int) -> RuleBook:
    """``book`` with ``changes`` from ``at_ms`` on, and the last answers of ``forms`` looked at again then."""
    overrides = dict(book.overrides)
    for change in changes:
        made = Override(at_ms, change.enabled, change.due, change.thresholds)
        overrides[change.rule] = (*(o for o in overrides.get(change.rule, ()) if o.effective_from_ms <= at_ms), made)
    looks = (Reassess(_IMAGINED, form, version, at_ms) for form, version in newest_rules(book, forms, at_ms))
    return replace(book, overrides=overrides, reassessments=(*book.reassessments, *looks))


def newest_rules(book: RuleBook, forms: Iterable[str], at_ms: int) -> list[tuple[str, int]]:
    """(form, rule version) of the rule sets in force at ``at_ms``; forms without one are left out."""
    begun = ((form, [v for since_ms, v in book.in_force.get(form, ()) if since_ms <= at_ms]) for form in forms)
    return [(form, versions[-1]) for form, versions in begun if versions]


def publish_change(
    session: Session,
    community_id: UUID,
    changes: Sequence[Change],
    *,
    effective_from_ms: int,
    reassessed: Sequence[tuple[str, int]] = (),
    reason: str | None,
    actor_id: UUID | None,
    now_ms: int,
) -> RuleChange:
    """Publish ``changes`` as the community's next version. ``reassessed``: (form, rule version) to be looked at again.

    Versions of one community are made one by one, so they have no gap. RuleUnknown, InvalidInput: nothing is stored.
    """
    session.execute(_ONE_BY_ONE, {"community": str(community_id)})
    last = session.scalar(select(func.max(RuleChange.version)).where(RuleChange.community_id == community_id))
    made = RuleChange(
        community_id=community_id,
        id=new_id(),
        version=(last or 0) + 1,
        effective_from_ms=effective_from_ms,
        reason=reason,
        actor_id=actor_id,
        published_ms=now_ms,
    )
    session.add(made)
    session.flush()
    for n, change in enumerate(changes):
        service.override_rule(
            *(session, community_id, change.rule),
            effective_from_ms=effective_from_ms,
            enabled=change.enabled,
            due=change.due,
            thresholds=dict(change.thresholds),
            actor_id=actor_id,
            change_id=made.id,
            pointer=f"/changes/{n}" if len(changes) > 1 else "",
        )
    for form, rule_version in reassessed:
        service.reassess(
            *(session, community_id, form, rule_version),
            effective_ms=effective_from_ms,
            actor_id=actor_id,
            change_id=made.id,
        )
    return made
