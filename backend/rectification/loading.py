"""Loads all facts about a set of places: opened records resolved to what is in force, and steps."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.hazards.facts import Block, StepFact, VisitFact
from backend.hazards.lifecycle import STEP_KINDS
from backend.hazards.models import LedgerNumber
from backend.identity.frozen_scopes import roles_at, scope_places
from backend.identity.keys import Sealed, Sealer
from backend.identity.permissions import permissions_of
from backend.inspections.archive import ArchivedRecord, load_places_records
from backend.inspections.models import RecordKey
from backend.inspections.supervising import revisions
from backend.places.queries import stood_under
from backend.rectification.models import RecheckItem, TaskStep
from mobile_contract.sync.ordering import Effective, OrderKey, console_key, effective_versions


@dataclass(slots=True)
class PlaceFacts:
    """The facts of a set of places. ``refused``: corrections that do not count, with their reason; ``drawn``: when a
    hazard was drawn for a re-check."""

    visits: list[VisitFact] = field(default_factory=list)
    visits_at: dict[str, list[VisitFact]] = field(default_factory=lambda: defaultdict(list))
    steps_at: dict[str, list[StepFact]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[str, str] = field(default_factory=dict)
    drawn: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))

    def change_visits(self, change: Callable[[VisitFact], VisitFact]) -> None:
        """Put ``change(visit)`` in the stead of each visit. Each stays filed under every place it named at first."""
        changed = {visit.id: change(visit) for visit in self.visits}
        self.visits = list(changed.values())
        for filed in self.visits_at.values():
            filed[:] = [changed[visit.id] for visit in filed]


def load_facts(session: Session, community_id: UUID, sealer: Sealer, place_ids: Sequence[UUID]) -> PlaceFacts:
    """Everything that may bear on ``place_ids``: records that name them, all corrections of those, steps."""
    facts = PlaceFacts()
    if not place_ids:
        return facts
    records = load_places_records(session, sealer, community_id, place_ids, types=("visit", "task_step"))
    by_id = {str(record.id): record for record in records}
    versions = effective_versions(revisions(session, community_id, records))
    facts.refused = dict(versions.refused)
    phone_steps: list[tuple[Effective, ArchivedRecord, dict[str, Any]]] = []
    for version in versions.effective:
        record = by_id.get(version.content_id) if version.content_id is not None else None
        if record is None or record.payload is None:
            continue
        if record.type == "visit":
            # The time is the root's, so its quality is too.
            quality = by_id[version.root_id].time_quality
            _add_visit(facts, _visit(version.root_id, version.key, quality, record, record.payload["visit"]))
        else:
            phone_steps.append((version, record, record.payload["step"]))
    _add_phone_steps(session, community_id, phone_steps, facts)
    _add_console_steps(session, community_id, sealer, place_ids, facts)
    _add_draws(session, community_id, place_ids, facts)
    return facts


def _add_phone_steps(
    session: Session,
    community_id: UUID,
    steps: Sequence[tuple[Effective, ArchivedRecord, dict[str, Any]]],
    facts: PlaceFacts,
) -> None:
    """Each as its author's strongest role over the step's place that may take it: places are known by now, if ever."""
    scoped = {UUID(body["place_id"]) for _, record, body in steps if scope_places(record.actor_scopes)}
    above = stood_under(session, community_id, scoped)
    for version, record, body in steps:
        place = UUID(body["place_id"])
        held = roles_at(record.actor_scopes, above.get(place, {place}))
        kind = STEP_KINDS.get(body["kind"])
        fitting = [role for role in held if kind is not None and kind.permission in permissions_of(role)]
        role = next(iter(fitting or held), None)
        written = record.schema_version
        step = _step(version.root_id, version.key, body, str(record.author_id), role, written)
        facts.steps_at[body["place_id"].lower()].append(step)


def _add_console_steps(
    session: Session, community_id: UUID, sealer: Sealer, place_ids: Sequence[UUID], facts: PlaceFacts
) -> None:
    rows = session.execute(
        select(TaskStep, RecordKey)
        .join(
            RecordKey,
            (RecordKey.community_id == TaskStep.community_id) & (RecordKey.record_id == TaskStep.id),
        )
        .where(TaskStep.community_id == community_id, TaskStep.place_id == func.any(list(place_ids)))
        .where(TaskStep.from_record.is_(False), TaskStep.sealed.is_not(None))
    )
    for row, key in rows:
        body = open_step(sealer, row, key)
        key_of = console_key(row.effective_ms, row.id)
        fact = _step(str(row.id), key_of, body, str(row.actor_id), row.actor_role, row.schema_version)
        facts.steps_at[str(row.place_id)].append(fact)


def _add_draws(session: Session, community_id: UUID, place_ids: Sequence[UUID], facts: PlaceFacts) -> None:
    drawn = (
        select(RecheckItem.hazard_id, RecheckItem.drawn_ms)
        .join(
            LedgerNumber,
            (LedgerNumber.community_id == RecheckItem.community_id) & (LedgerNumber.hazard_id == RecheckItem.hazard_id),
        )
        .where(RecheckItem.community_id == community_id, LedgerNumber.place_id == func.any(list(place_ids)))
    )
    for hazard_id, drawn_ms in session.execute(drawn):
        facts.drawn[hazard_id].append(drawn_ms)


def open_step(sealer: Sealer, row: TaskStep, key: RecordKey) -> dict[str, Any]:
    """The body of a console step (its own fields, with hazard_id, place_id and kind)."""
    sealed = Sealed(row.sealed or b"", key.key_version, key.wrapped)
    body: dict[str, Any] = orjson.loads(sealer.open(row.id, sealed))["step"]
    return body


def _visit(root_id: str, key: OrderKey, time_quality: str, record: ArchivedRecord, visit: dict[str, Any]) -> VisitFact:
    header = visit["header"]
    blocks = tuple(
        Block(
            block["form"],
            int(block["version"]),
            block["place_id"].lower(),
            block.get("answers") or {},
            frozenset(_fixed_rules(block.get("fixed") or ())),
        )
        for block in visit.get("blocks") or ()
    )
    return VisitFact(
        id=root_id,
        key=key,
        record_id=str(record.id),
        author_id=str(record.author_id),
        place_id=header["place_id"].lower(),
        outcome=header["outcome"],
        blocks=blocks,
        time_quality=time_quality,
        witnessed=_is_witnessed(header),
    )


def _is_witnessed(header: dict[str, Any]) -> bool:
    """Two people saw it, or somebody of the property office said so."""
    seen_by = {str(visitor).strip() for visitor in header.get("visitors") or ()} - {""}
    confirmed_by = header.get("vacancy_confirmed_by")
    return len(seen_by) >= 2 or (isinstance(confirmed_by, str) and bool(confirmed_by.strip()))


def _fixed_rules(fixed: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Rules put right on the spot; without a photo before and one after it is no 立行立改."""
    return (item["rule"] for item in fixed if item.get("before") and item.get("after"))


def _add_visit(facts: PlaceFacts, visit: VisitFact) -> None:
    facts.visits.append(visit)
    for place_id in {visit.place_id, *(block.place_id for block in visit.blocks)}:
        facts.visits_at[place_id].append(visit)


def _step(step_id: str, key: OrderKey, body: dict[str, Any], actor_id: str, role: str | None, version: int) -> StepFact:
    return StepFact(step_id, key, body["hazard_id"].lower(), body["kind"], actor_id, role, body, version)
