"""The published forms and rules as this process knows them, and which of them judge a visit.

Forms and rules are read from the database, where published versions live for ever; parsed and compiled once a
process. A visit is judged by the rule set in force at its own time, changed by the community's overrides in force
at that time.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.calendar.queries import NationalDays, load_working_days
from backend.calendar.working_days import WorkingDays
from backend.forms.models import FormVersion, Reassessment, RuleOverride, RuleVersion
from mobile_contract.forms import Form
from mobile_contract.forms.document import parse_form
from mobile_contract.rules import CompiledRules, Rule, RuleSet, compile_rules, parse_rules
from mobile_contract.rules.thresholds import Thresholds, with_thresholds


@dataclass(frozen=True, slots=True)
class Override:
    """A community's change to one rule from ``effective_from_ms`` on."""

    effective_from_ms: int
    enabled: bool
    due: str | None
    thresholds: Thresholds = ()


@dataclass(frozen=True, slots=True)
class Reassess:
    """At ``effective_ms`` the last answers of a form are judged anew by ``rule_version``."""

    id: str
    form: str
    rule_version: int
    effective_ms: int


@dataclass(slots=True)
class RuleBook:
    """Everything that judges one community's visits, as of one moment's facts."""

    forms: Mapping[tuple[str, int], Form]
    rule_sets: Mapping[tuple[str, int], RuleSet]
    in_force: Mapping[str, tuple[tuple[int, int], ...]]
    overrides: Mapping[str, tuple[Override, ...]] = field(default_factory=dict)
    reassessments: tuple[Reassess, ...] = ()
    calendar: WorkingDays = field(default_factory=WorkingDays)

    def rules_at(self, form: Form, effective_ms: int) -> CompiledRules | None:
        """The rules that judge a block of ``form`` filled at ``effective_ms``; None when the form has none.

        The newest rule set then in force that can judge this version of the form.
        """
        versions = self.in_force.get(form.code, ())
        newest = bisect_right(versions, (effective_ms, 2**31))
        for _, version in reversed(versions[:newest]):
            found = self.rules_of(form, version)
            if found is not None:
                return found
        return None

    def rules_of(self, form: Form, rule_version: int) -> CompiledRules | None:
        """Rule set ``rule_version`` compiled for ``form``, or None when it cannot judge that version of the form."""
        rule_set = self.rule_sets.get((form.code, rule_version))
        if rule_set is None or form.version not in rule_set.form_versions:
            return None
        return compile_rules(form, rule_set)

    def override_of(self, rule: Rule, effective_ms: int) -> Override | None:
        """The community's change to ``rule`` in force at ``effective_ms``."""
        found = None
        for override in self.overrides.get(rule.code, ()):
            if override.effective_from_ms <= effective_ms:
                found = override
        return found

    def as_changed(self, judge: CompiledRules, effective_ms: int) -> CompiledRules:
        """``judge`` with the numbers that the community had set in its conditions at ``effective_ms``."""
        if not self.overrides:
            return judge
        changes = tuple(
            (rule.code, override.thresholds)
            for rule in judge.ruleset.rules
            if rule.parameters
            and (override := self.override_of(rule, effective_ms)) is not None
            and override.thresholds
        )
        return _changed(judge, changes) if changes else judge

    def category_of(self, form_code: str) -> str:
        """The ledger's 隐患类别 of a form."""
        versions = self.in_force.get(form_code, ())
        return self.rule_sets[form_code, versions[-1][1]].category if versions else "other"

    def rule(self, form_code: str, rule_version: int, rule_code: str) -> Rule | None:
        """One rule of a published version."""
        rule_set = self.rule_sets.get((form_code, rule_version))
        return rule_set.by_code.get(rule_code) if rule_set else None


@lru_cache(maxsize=256)
def _changed(judge: CompiledRules, changes: tuple[tuple[str, Thresholds], ...]) -> CompiledRules:
    """Made once a process for each set of numbers: judges stay the same objects."""
    numbers = {code: dict(thresholds) for code, thresholds in changes}
    return CompiledRules(judge.form, with_thresholds(judge.ruleset, numbers))


class FormCatalogue:
    """Parses published versions once; a part of the runtime. Thread-safe."""

    def __init__(self) -> None:
        self._forms: dict[tuple[str, int], Form] = {}
        self._rule_sets: dict[tuple[str, int], RuleSet] = {}
        self._national = NationalDays()
        self._lock = Lock()

    def rule_book(self, session: Session, community_id: UUID) -> RuleBook:
        """The book of ``community_id`` now: which versions exist, from when, and the community's own changes."""
        form_keys = session.execute(select(FormVersion.code, FormVersion.version)).all()
        rule_rows = session.execute(
            select(RuleVersion.form_code, RuleVersion.version, RuleVersion.effective_from_ms).order_by(
                RuleVersion.form_code, RuleVersion.effective_from_ms, RuleVersion.version
            )
        ).all()
        self._learn_forms(session, [(code, version) for code, version in form_keys])
        self._learn_rules(session, [(code, version) for code, version, _ in rule_rows])
        in_force: dict[str, tuple[tuple[int, int], ...]] = {}
        for code, version, since_ms in rule_rows:
            in_force[code] = (*in_force.get(code, ()), (since_ms, version))
        return RuleBook(
            self._forms,
            self._rule_sets,
            in_force,
            load_overrides(session, community_id),
            load_reassessments(session, community_id),
            load_working_days(session, community_id, self._national),
        )

    def form(self, session: Session, code: str, version: int) -> Form | None:
        """One published form, or None when this installation does not know it (yet)."""
        if (code, version) not in self._forms:
            self._learn_forms(session, [(code, version)])
        return self._forms.get((code, version))

    def rule_set(self, session: Session, form_code: str, version: int) -> RuleSet | None:
        """One published rule set, or None when this installation does not know it (yet)."""
        if (form_code, version) not in self._rule_sets:
            self._learn_rules(session, [(form_code, version)])
        return self._rule_sets.get((form_code, version))

    def _learn_forms(self, session: Session, keys: Iterable[tuple[str, int]]) -> None:
        missing = [key for key in keys if key not in self._forms]
        if not missing:
            return
        codes = {code for code, _ in missing}
        with self._lock:
            for row in session.scalars(select(FormVersion).where(FormVersion.code.in_(codes))):
                key = (row.code, row.version)
                if key not in self._forms:
                    self._forms[key] = parse_form(row.definition, f"form_version {row.code}/{row.version}")

    def _learn_rules(self, session: Session, keys: Iterable[tuple[str, int]]) -> None:
        missing = {code for code, version in keys if (code, version) not in self._rule_sets}
        if not missing:
            return
        with self._lock:
            for row in session.scalars(select(RuleVersion).where(RuleVersion.form_code.in_(missing))):
                key = (row.form_code, row.version)
                if key not in self._rule_sets:
                    self._rule_sets[key] = parse_rules(row.definition, f"rule_version {row.form_code}/{row.version}")


def load_overrides(session: Session, community_id: UUID) -> dict[str, tuple[Override, ...]]:
    """A community's overrides by rule code, oldest first."""
    rows = session.scalars(
        select(RuleOverride)
        .where(RuleOverride.community_id == community_id)
        .order_by(RuleOverride.effective_from_ms, RuleOverride.id)
    )
    found: dict[str, tuple[Override, ...]] = {}
    for row in rows:
        thresholds = tuple(sorted((row.thresholds or {}).items()))
        made = Override(row.effective_from_ms, row.enabled, row.due, thresholds)
        found[row.rule_code] = (*found.get(row.rule_code, ()), made)
    return found


def load_reassessments(session: Session, community_id: UUID) -> tuple[Reassess, ...]:
    """A community's reassessments, oldest first."""
    rows = session.scalars(
        select(Reassessment)
        .where(Reassessment.community_id == community_id)
        .order_by(Reassessment.effective_ms, Reassessment.id)
    )
    return tuple(Reassess(str(r.id), r.form_code, r.rule_version, r.effective_ms) for r in rows)
