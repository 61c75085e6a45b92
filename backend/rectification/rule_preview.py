"""The dry run of a change to rules: which hazards it would open, and which it would no longer see. Nothing is written.

The community's facts are folded twice, by its rules as they are and as they would be, with the last answers of every
place looked at again now; only steps close, so what is no longer seen would be proposed for striking off.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from backend.forms.catalogue import FormCatalogue
from backend.forms.changing import Change, as_if, forms_of
from backend.hazards.lifecycle import STATE_LABELS
from backend.hazards.models import Observation
from backend.hazards.state import HazardState
from backend.http.context import Runtime
from backend.places.models import Place
from backend.rectification.presenting import RuleTitles, label, moment, severity_label
from backend.rectification.projecting import Projection, Projector

EFFECTS: Final[Mapping[str, tuple[str, str]]] = {
    "opened": ("新增隐患", "Would be opened"),
    "proposed": ("不再成立，待复查销号", "No longer seen: proposed for striking off"),
    "changed": ("等级或期限改变", "Severity or time limit would change"),
    "left_open": ("规则停用，仍挂账", "Its rules would be off; it stays open"),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """A page of the dry run. ``lines``: what would change at the places of this page."""

    lines: list[dict[str, Any]]
    judged: int
    total: int
    last: UUID | None


def preview_change(
    session: Session,
    runtime: Runtime,
    community_id: UUID,
    changes: Sequence[Change],
    now_ms: int,
    after: UUID | None,
    limit: int,
) -> Preview:
    """What ``changes`` would do at the next ``limit`` places where a form of their rules was filled."""
    forms = forms_of(session, [change.rule for change in changes])
    places = list(session.scalars(_filled(community_id, forms, after).limit(limit + 1)))
    page = places[:limit]
    projector = Projector.make(session, runtime, community_id)
    imagined = replace(projector, book=as_if(projector.book, changes, forms, now_ms))
    before = projector.project(session, page, lambda _: now_ms)
    then = imagined.project(session, page, lambda _: now_ms)
    off = {change.rule for change in changes if not change.enabled}
    titles = RuleTitles(session, runtime.part(FormCatalogue))
    lines = [
        _line(identity, effect, before, then, titles)
        for identity, effect in _effects(before.hazards, then.hazards, off)
    ]
    _name_places(session, community_id, lines)
    total = session.scalar(select(func.count()).select_from(_filled(community_id, forms, None).subquery())) or 0
    return Preview(lines, len(page), total, page[-1] if len(places) > limit else None)


def _filled(community_id: UUID, forms: Sequence[str], after: UUID | None) -> Select[UUID]:
    found = select(Observation.place_id).where(Observation.community_id == community_id, Observation.form.in_(forms))
    if after is not None:
        found = found.where(Observation.place_id > after)
    return found.distinct().order_by(Observation.place_id)


def _effects(
    before: Mapping[UUID, HazardState], then: Mapping[UUID, HazardState], off: set[str]
) -> Iterator[tuple[UUID, str]]:
    for identity, hazard in then.items():
        effect = _effect(before.get(identity), hazard, off)
        if effect is not None:
            yield identity, effect


def _effect(was: HazardState | None, hazard: HazardState, off: set[str]) -> str | None:
    if was is None or not was.is_open:
        return "opened" if hazard.is_open else None
    if hazard.state == "review" != was.state:
        return "proposed"
    if set(was.rules) <= off:
        return "left_open"
    seen = [(h.severity, h.severity_proposed, h.deadline_ms) for h in (was, hazard)]
    return "changed" if seen[0] != seen[1] else None


def _line(identity: UUID, effect: str, before: Projection, then: Projection, titles: RuleTitles) -> dict[str, Any]:
    was, hazard = before.hazards.get(identity), then.hazards[identity]
    place_id, _, building_id = then.rows["hazard"][(identity,)][:3]
    return {
        "effect": effect,
        "effect_label": label(EFFECTS[effect]),
        "hazard_id": identity,
        "title": titles.title_of(hazard.form, hazard.rule_version, sorted(hazard.rules), hazard.chain),
        "chain": hazard.chain,
        "locus": hazard.locus,
        "place": {"id": place_id},
        "building_id": building_id,
        "before": None if was is None else _state(was),
        "after": _state(hazard),
    }


def _state(hazard: HazardState) -> dict[str, Any]:
    return {
        "state": hazard.state,
        "state_label": label(STATE_LABELS[hazard.state]),
        "severity": hazard.severity,
        "severity_label": severity_label(hazard.severity),
        "severity_proposed": hazard.severity_proposed,
        "deadline": moment(hazard.deadline_ms),
    }


def _name_places(session: Session, community_id: UUID, lines: Sequence[dict[str, Any]]) -> None:
    ids = {line["place"]["id"] for line in lines}
    if not ids:
        return
    found = session.execute(
        select(Place.id, Place.kind, Place.name, Place.field_code).where(
            Place.community_id == community_id, Place.id.in_(ids)
        )
    )
    by_id = {row.id: {"id": row.id, "kind": row.kind, "name": row.name, "code": row.field_code} for row in found}
    for line in lines:
        line["place"] = by_id[line["place"]["id"]]
