"""From visits to observations: each form's answers are judged by the rules in force at the visit's own time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from backend.forms.catalogue import Override, Reassess, RuleBook
from backend.hazards.facts import Block, Finding, Observation, Seen, VisitFact
from mobile_contract.forms import Form
from mobile_contract.rules import (
    CompiledRules,
    Rule,
    RuleResult,
    RuleSet,
    at_ms,
    evaluate,
    locus_of,
)
from mobile_contract.rules.definition import Severity
from mobile_contract.sync.ordering import NIL_INSTALL, OrderKey

GRAVITY = {Severity.BLUE: 0, Severity.YELLOW: 1, Severity.ORANGE: 2, Severity.RED: 3}


def gravity(severity: str) -> int:
    """Rank of a severity: blue < yellow < orange < red."""
    return GRAVITY[Severity(severity)]


def without_misplaced(book: RuleBook, visit: VisitFact, kinds: Mapping[str, str]) -> VisitFact:
    """``visit`` without the blocks whose form may not be filled for the kind of their place (``place_kind_invalid``).

    ``kinds``: place id → kind of the places known by now; what is not known yet, form or place, is left as it is.
    """
    blocks = tuple(block for block in visit.blocks if not _is_misplaced(book, block, kinds))
    return visit if len(blocks) == len(visit.blocks) else replace(visit, blocks=blocks)


def _is_misplaced(book: RuleBook, block: Block, kinds: Mapping[str, str]) -> bool:
    form, kind = book.forms.get((block.form, block.version)), kinds.get(block.place_id)
    return form is not None and kind is not None and not form.fits(kind)


def observe(book: RuleBook, visits: Iterable[VisitFact], places: frozenset[str]) -> list[Observation]:
    """Every observation of ``visits`` at ``places`` (one place and those merged into it), reassessments included.

    Blocks of one form in one visit make one observation. A form version this installation does not know yet, or one
    without rules, observes nothing.
    """
    found: list[Observation] = []
    last_blocks: dict[str, list[tuple[VisitFact, list[Block]]]] = {}
    for visit in visits:
        if visit.outcome != "done":
            continue
        by_form: dict[str, list[Block]] = {}
        for block in visit.blocks:
            if block.place_id in places:
                by_form.setdefault(block.form, []).append(block)
        for form_code, blocks in by_form.items():
            observation = _judge(book, visit, blocks, visit.key, visit.id, None)
            if observation is not None:
                found.append(observation)
            if book.reassessments:
                last_blocks.setdefault(form_code, []).append((visit, blocks))
    for fact in book.reassessments:
        found += _reassess(book, fact, last_blocks.get(fact.form, []))
    return found


def _reassess(book: RuleBook, fact: Reassess, filled: Sequence[tuple[VisitFact, list[Block]]]) -> list[Observation]:
    """The last answers before a reassessment, judged by its rules at its time."""
    earlier = [(visit, blocks) for visit, blocks in filled if visit.key.effective_ms < fact.effective_ms]
    if not earlier:
        return []
    visit, blocks = max(earlier, key=lambda pair: pair[0].key)
    key = OrderKey(fact.effective_ms, NIL_INSTALL, 0, fact.id)
    observation = _judge(book, visit, blocks, key, fact.id, fact.rule_version)
    return [observation] if observation is not None else []


def _judge(
    book: RuleBook,
    visit: VisitFact,
    blocks: Sequence[Block],
    key: OrderKey,
    visit_id: str,
    rule_version: int | None,
) -> Observation | None:
    findings: dict[str, dict[str, Finding]] = {}
    compiled: CompiledRules | None = None
    for block in blocks:
        form = book.forms.get((block.form, block.version))
        if form is None:
            continue
        judge = book.rules_at(form, visit.effective_ms) if rule_version is None else book.rules_of(form, rule_version)
        if judge is None:
            continue
        compiled = book.as_changed(judge, key.effective_ms)
        _add_block(book, findings, compiled, form, block, key.effective_ms)
    if compiled is None:
        return None
    rule_set = compiled.ruleset
    return Observation(
        visit_id,
        key,
        visit.key,
        visit.author_id,
        rule_set.form,
        rule_set.version,
        findings,
        rule_set.chains,
        _switched_off(book, rule_set, key.effective_ms),
    )


def _switched_off(book: RuleBook, rule_set: RuleSet, effective_ms: int) -> frozenset[str]:
    """Chains none of whose rules the community wants judged at that time."""
    if not book.overrides:
        return frozenset()
    return frozenset(
        chain
        for chain, rules in rule_set.chains.items()
        if all((o := book.override_of(rule, effective_ms)) is not None and not o.enabled for rule in rules)
    )


def _add_block(
    book: RuleBook,
    findings: dict[str, dict[str, Finding]],
    judge: CompiledRules,
    form: Form,
    block: Block,
    effective_ms: int,
) -> None:
    results = evaluate(judge, block.answers)
    if not block.fixed and all(result is RuleResult.ABSENT for result in results.values()):
        return
    locus = locus_of(form, block.answers)
    for chain, rules in judge.ruleset.chains.items():
        finding = _finding(book, rules, results, block, effective_ms)
        if finding is not None:
            held = findings.setdefault(chain, {}).get(locus)
            findings[chain][locus] = finding if held is None else together(held, finding)


def _finding(
    book: RuleBook,
    rules: tuple[Rule, ...],
    results: Mapping[str, RuleResult],
    block: Block,
    effective_ms: int,
) -> Finding | None:
    """What a chain's rules say together; None when all of them say absent."""
    found: Finding | None = None
    for rule in rules:
        override = book.override_of(rule, effective_ms) if book.overrides else None
        if override is not None and not override.enabled:
            continue
        # A rule named as fixed on the spot was violated, even if the answers describe the state after the fix.
        is_fixed = rule.code in block.fixed
        result = RuleResult.PRESENT if is_fixed else results[rule.code]
        if result is RuleResult.ABSENT:
            continue
        one = Finding(Seen.UNKNOWN)
        if result is RuleResult.PRESENT:
            since = at_ms(rule, block.answers)
            from_ms = effective_ms if since is None or is_fixed else max(since, effective_ms)
            due = book.calendar.deadline(_due(rule, override), rule.severity, from_ms, effective_ms)
            one = Finding(Seen.PRESENT, (rule,), rule.severity, *due, is_fixed)
            if from_ms > effective_ms:
                one = Finding(Seen.ABSENT, later=((from_ms, one),))
        found = one if found is None else together(found, one)
    return found


def _due(rule: Rule, override: Override | None) -> str:
    return override.due if override is not None and override.due is not None else rule.due


_RANK = {Seen.PRESENT: 3, Seen.UNKNOWN: 2, Seen.ABSENT: 1, Seen.UNJUDGED: 0}


def together(one: Finding, other: Finding) -> Finding:
    """Two findings on one chain at one locus in one visit: present before unknown before absent; when both are
    present, the highest severity and the earliest deadline (red waits for no holiday), fixed only if both are."""
    later: dict[int, Finding] = dict(one.later)
    for from_ms, coming in other.later:
        later[from_ms] = together(later[from_ms], coming) if from_ms in later else coming
    both = one.seen is Seen.PRESENT and other.seen is Seen.PRESENT
    rules = {rule.code: rule for rule in (*one.rules, *other.rules)}
    best = max(one, other, key=lambda finding: (_RANK[finding.seen], gravity(finding.severity)))
    strict_ms = min(one.strict_ms, other.strict_ms) if both else best.strict_ms
    is_red = best.severity == Severity.RED
    return Finding(
        best.seen,
        tuple(rules[code] for code in sorted(rules)) if both else best.rules,
        best.severity,
        (strict_ms if is_red else min(one.due_ms, other.due_ms)) if both else best.due_ms,
        strict_ms,
        one.fixed and other.fixed if both else best.fixed,
        tuple(sorted(later.items())),
    )
