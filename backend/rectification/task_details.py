"""One task in full: its rules and their grounds, what striking off needs, who may do what now, and its history."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session, aliased

from backend.forms.catalogue import FormCatalogue
from backend.hazards.lifecycle import MOST_EXTENSIONS, OBSERVED_LABELS, STEP_KINDS, UNDO_WITHIN_MS
from backend.hazards.models import Observation, Transition
from backend.hazards.observing import gravity
from backend.http.context import Actor, RequestContext
from backend.identity.keys import Keyring
from backend.identity.masking import mask_names, mask_party, mask_prose, persons_in
from backend.identity.models import Account
from backend.identity.permissions import may_close, may_extend
from backend.inspections.models import Visit
from backend.rectification.evidence import evidence_of, is_awaited
from backend.rectification.grounds import grounds_in_force
from backend.rectification.models import StepOutcome, TaskStep
from backend.rectification.presenting import RuleTitles, Shape, label, moment, named, step_line, task_line
from backend.rectification.queries import get_task, select_steps
from backend.rectification.step_bodies import StepBody, open_steps
from mobile_contract.rules import Basis, Rule
from mobile_contract.rules.definition import EVIDENCE

#: Fields of a step that are said elsewhere in the answer.
_ENVELOPE = frozenset({"kind", "hazard_id", "place_id"})
_PARTIES = {"responsible_party": mask_party, "refusal_witness": mask_names}
_PROSE = ("measures", "funds", "plan", "interim", "recipient", "letter", "outcome", "note", "reason")


def task_detail(ctx: RequestContext, hazard_id: UUID, scope: Sequence[str]) -> Shape:
    """A task in the shape of TaskDetailSchema; TaskNotFound when it is not within ``scope``."""
    session, community_id = ctx.session, ctx.community_id
    row = get_task(session, community_id, hazard_id, scope)
    catalogue = ctx.runtime.part(FormCatalogue)
    titles = RuleTitles(session, catalogue)
    rules = titles.rules_of(row.form, row.rule_version, row.rules)
    grounds = grounds_in_force(ctx, [row])[row.id]
    closers = _closers(rules, row.closer)
    steps = _steps(session, community_id, hazard_id)
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    opened = {s.step_id for s in steps} | ({row.assign_step_id} - {None})
    bodies = open_steps(session, sealer, community_id, opened)
    transitions = _transitions(session, community_id, hazard_id)
    cited = evidence_of(session, community_id, bodies, [s.step_id for s in steps])
    may_see = sees_persons(ctx.actor, row.place_path, row.assignee_id)
    names = named_in(bodies.values())
    assignment = shown_body(bodies.get(row.assign_step_id), names, may_see) or {}
    return {
        **task_line(row, titles, ctx.now_ms),
        "rule_details": [_rule(rule, grounds[rule.code]) for rule in rules],
        "evidence": _evidence(rules),
        "closers": closers,
        "responsible_party": assignment.get("responsible_party"),
        "measures": assignment.get("measures"),
        "funds": assignment.get("funds"),
        "plan": assignment.get("plan"),
        "revisit_id": row.revisit_id,
        "void_reason": mask_prose(row.void_reason, names) if row.void_reason else row.void_reason,
        "duplicate_of": row.duplicate_of,
        "may": steps_open_to(ctx.actor, row, closers, undoable_by(ctx.actor, transitions, ctx.now_ms)),
        "attachments_awaited": is_awaited(cited.values()),
        "history": {
            "transitions": transitions,
            "steps": [
                {
                    **step_line(s),
                    "content": shown_body(bodies.get(s.step_id), names, may_see),
                    "attachments": cited[s.step_id],
                }
                for s in steps
            ],
            "visits": _sightings(session, community_id, row, catalogue),
        },
    }


def undoable_by(actor: Actor, transitions: Sequence[Shape], now_ms: int) -> bool:
    """Whether the last thing that happened was a step of the actor's own, a short while ago."""
    last = transitions[-1] if transitions else None
    if last is None or last["cause"] != "step" or last["actor"] is None:
        return False
    return bool(last["actor"]["id"] == actor.account_id and now_ms - last["at"]["ms"] <= UNDO_WITHIN_MS)


def steps_open_to(actor: Actor, row: Row[Any], closers: Sequence[str], undoable: bool) -> list[str]:
    """The steps that the actor may take now, as the life cycle and the actor's roles at the place say."""
    may_now: Mapping[str, Callable[[str], bool]] = {
        "close": lambda role: may_close(role, closers) and actor.account_id != row.submitter_id,
        "extend": lambda role: may_extend(role, row.severity) and row.extensions < MOST_EXTENSIONS,
        "undo": lambda role: undoable,
        # Offered where somebody is to look again; it may be taken on any that is closed.
        "relapse": lambda role: row.recheck_ms is not None,
    }
    found = []
    for kind in STEP_KINDS.values():
        role = role_for(actor, kind.kind, row.place_path, closers)
        if role is None or row.state not in kind.starts:
            continue
        if kind.kind not in may_now or may_now[kind.kind](role):
            found.append(kind.kind)
    return found


def role_for(actor: Actor, kind: str, place_path: str, closers: Sequence[str]) -> str | None:
    """As what the actor takes the step at the place: its strongest role that may; for closing rather one that the rule
    names. None when none of its roles there may take such a step."""
    held = [m.role for m in actor.active_memberships(STEP_KINDS[kind].permission) if m.covers(place_path)]
    named_by_rule = [role for role in held if may_close(role, closers)] if kind == "close" else []
    return next(iter(named_by_rule or held), None)


def sees_persons(actor: Actor, place_path: str, assignee_id: UUID | None) -> bool:
    """Whether names of persons are shown in full: to those who assign here, and to whoever has the task."""
    return actor.may("task.assign", place_path) or actor.account_id == assignee_id


def named_in(bodies: Iterable[StepBody]) -> list[str]:
    """Every person that steps name where persons are named; their prose may speak of them too."""
    parties = [str(body.get(field) or "") for body in bodies for field in _PARTIES]
    return [name for party in parties for name in persons_in(party)]


def shown_body(body: StepBody | None, names: Sequence[str], in_full: bool) -> StepBody | None:
    """What a step says, with persons masked unless ``in_full``; None when it cannot be opened (any more)."""
    if body is None:
        return None
    said = {name: value for name, value in body.items() if name not in _ENVELOPE}
    if in_full:
        return said
    return masked_body(said, names)


def masked_body(said: StepBody, names: Sequence[str]) -> StepBody:
    """Fields of a step with persons masked; text of which it is not known whether it names somebody is left out."""
    shown = {}
    for name, value in said.items():
        if name in _PARTIES and isinstance(value, str):
            shown[name] = _PARTIES[name](value)
        elif name in _PROSE and isinstance(value, str):
            shown[name] = mask_prose(value, names)
        elif not isinstance(value, str) or name in ("severity", "revisit_id", "duplicate_of"):
            shown[name] = value
    return shown


def closers_of(titles: RuleTitles, row: Row[Any]) -> list[str]:
    """Who may strike the task off: the closers of the gravest rule of its cycle."""
    return _closers(titles.rules_of(row.form, row.rule_version, row.rules), row.closer)


def _closers(rules: Sequence[Rule], closer: str) -> list[str]:
    if not rules:
        return [closer]
    return list(max(rules, key=lambda rule: (gravity(rule.severity), rule.code)).closers)


def _rule(rule: Rule, grounds: Sequence[Basis]) -> Shape:
    return {
        "code": rule.code,
        "title": label(rule.title),
        "severity": str(rule.severity),
        "basis": [_basis(basis) for basis in grounds],
    }


def _basis(basis: Basis) -> Shape:
    source = basis.source
    return {
        "mark": str(basis.mark),
        "text": basis.text,
        "source": None if source is None else {"id": source.id, "title": label(source.title)},
        "when": basis.when,
        "is_law": basis.is_law,
    }


def _evidence(rules: Sequence[Rule]) -> list[Shape]:
    codes = dict.fromkeys(code for rule in rules for code in rule.evidence)
    return [{"code": code, "label": label(EVIDENCE[code])} for code in codes if code in EVIDENCE]


def _steps(session: Session, community_id: UUID, hazard_id: UUID) -> Sequence[Row[Any]]:
    found = select_steps(community_id).where(StepOutcome.hazard_id == hazard_id)
    return session.execute(found.order_by(TaskStep.effective_ms, TaskStep.install_id, TaskStep.seq, TaskStep.id)).all()


def _transitions(session: Session, community_id: UUID, hazard_id: UUID) -> list[Shape]:
    actor = aliased(Account)
    rows = session.execute(
        select(Transition, actor.name)
        .outerjoin(actor, actor.id == Transition.actor_id)
        .where(Transition.community_id == community_id, Transition.hazard_id == hazard_id)
        .order_by(Transition.n)
    )
    return [
        {
            "n": change.n,
            "cycle": change.cycle,
            "step": change.step,
            "label": label(OBSERVED_LABELS.get(change.step) or STEP_KINDS[change.step].label),
            "from_state": change.from_state,
            "to_state": change.to_state,
            "severity": change.severity,
            "at": moment(change.effective_ms),
            "cause": change.cause,
            "cause_id": change.cause_id,
            "actor": named(change.actor_id, name),
        }
        for change, name in rows
    ]


def _sightings(session: Session, community_id: UUID, task: Row[Any], catalogue: FormCatalogue) -> list[Shape]:
    """Every look at the hazard's form at its place whose rules know the chain, oldest first."""
    rows = session.execute(
        select(Observation, Visit.id.label("visit"), Visit.author_id, Visit.time_quality, Account.name)
        .outerjoin(Visit, and_(Visit.community_id == Observation.community_id, Visit.id == Observation.visit_id))
        .outerjoin(Account, Account.id == Visit.author_id)
        .where(Observation.community_id == community_id, Observation.place_id == task.place_id)
        .where(Observation.form == task.form)
        .order_by(Observation.effective_ms, Observation.visit_id)
    )
    found = []
    for seen, visit, author_id, time_quality, name in rows:
        rule_set = catalogue.rule_set(session, seen.form, seen.rule_version)
        if rule_set is None or task.chain not in rule_set.chains:
            continue
        found.append(
            {
                "visit_id": seen.visit_id,
                "seen": seen.results.get(task.chain, {}).get(task.locus, "absent"),
                "at": moment(seen.effective_ms),
                "author": named(author_id, name),
                "time_quality": time_quality,
                "reassessment": visit is None,
            }
        )
    return found
