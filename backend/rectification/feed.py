"""Tasks in the feed, as phones need them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import Session

from backend.forms.catalogue import FormCatalogue
from backend.hazards.models import Hazard, LedgerNumber, Observation, Transition, is_retracted
from backend.http.context import Actor
from backend.identity.keys import Keyring
from backend.identity.masking import mask_party, mask_prose, persons_in
from backend.places.models import Place
from backend.rectification.models import RectificationTask
from backend.rectification.presenting import RuleTitles
from backend.rectification.step_bodies import open_steps
from backend.rectification.task_details import sees_persons
from backend.sync.feed import area_scope
from backend.sync.feed_entities import FeedEntity, FeedRow

NAME: Final = "task"
Sights = dict[tuple[UUID, str], list[tuple[int, UUID]]]
"""(place, form) → (time, id) of every look at it, in order."""


class TaskFeed:
    """Loads tasks for the feed: a fixed number of statements, whatever the number of tasks."""

    def __init__(self, keyring: Keyring, catalogue: FormCatalogue) -> None:
        self._keyring, self._catalogue = keyring, catalogue

    def load(self, session: Session, community_id: UUID, ids: Sequence[str]) -> dict[str, FeedRow]:
        """The rows of these tasks, by id."""
        wanted = Hazard.id == func.any([UUID(hazard_id) for hazard_id in ids])
        return {row.id: row for row in self._rows(session, community_id, _select(community_id).where(wanted))}

    def after(
        self, session: Session, community_id: UUID, scope_id: str, after_id: str | None, limit: int
    ) -> list[FeedRow]:
        """The next tasks of an area, by id."""
        found = _select(community_id).where(_in_area(community_id, scope_id))
        if after_id is not None:
            found = found.where(Hazard.id > UUID(after_id))
        return self._rows(session, community_id, found.order_by(Hazard.id).limit(limit))

    def _rows(self, session: Session, community_id: UUID, found: Select[Any]) -> list[FeedRow]:
        tasks = session.execute(found).all()
        if not tasks:
            return []
        sealer = self._keyring.sealer(session, community_id)
        assigned = {task.assign_step_id for task in tasks if task.assign_step_id is not None}
        bodies = open_steps(session, sealer, community_id, assigned)
        sights = _sights(session, community_id, {task.place_id for task in tasks})
        titles = RuleTitles(session, self._catalogue)
        return [
            FeedRow(
                str(task.id),
                task.rev,
                area_scope(task.grid_id or community_id),
                _wire(task, titles, bodies.get(task.assign_step_id) or {}, sights),
                str(task.place_path),
            )
            for task in tasks
        ]


def task_entity(keyring: Keyring, catalogue: FormCatalogue) -> FeedEntity:
    """The feed's entity ``task``."""
    feed = TaskFeed(keyring, catalogue)
    return FeedEntity(NAME, "area", feed.load, feed.after, seen_by)


def seen_by(row: FeedRow, actor: Actor) -> FeedRow:
    """The task with persons masked, but for those who assign there and for whoever has it; an area may be wider than
    the places of a role."""
    data = row.data
    if row.path is None or sees_persons(actor, row.path, data["assignee_account_id"]):
        return row
    party, measures = data["responsible_party"], data["measures"]
    masked = {
        "responsible_party": party and mask_party(party),
        "measures": measures and mask_prose(measures, persons_in(party or "")),
    }
    return row._replace(data={**data, **masked})


def _select(community_id: UUID) -> Select[Any]:
    h, t = Hazard, RectificationTask
    first = and_(Transition.community_id == h.community_id, Transition.hazard_id == h.id, Transition.n == 1)
    columns: tuple[Any, ...] = (
        *(h.id, h.place_id, h.grid_id, h.form, h.chain, h.rules, h.rule_version, h.locus, h.severity, h.state),
        *(h.extensions, t.recheck_ms),
        *(h.cycle, h.deadline_ms, h.registered_ms, t.rev, t.assignee_id, t.assign_step_id, LedgerNumber.number),
        Place.name.label("place_name"),
        Place.path.label("place_path"),
        func.coalesce(Transition.effective_ms, h.registered_ms).label("first_seen_ms"),
    )
    return (
        select(*columns)
        .select_from(h)
        .join(t, and_(t.community_id == h.community_id, t.hazard_id == h.id))
        .join(Place, and_(Place.community_id == h.community_id, Place.id == h.place_id))
        .outerjoin(Transition, first)
        .outerjoin(LedgerNumber, and_(LedgerNumber.community_id == h.community_id, LedgerNumber.hazard_id == h.id))
        .where(h.community_id == community_id, ~is_retracted())
    )


def _in_area(community_id: UUID, scope_id: str) -> ColumnElement[bool]:
    area = UUID(scope_id.partition(":")[2])
    return Hazard.grid_id.is_(None) if area == community_id else Hazard.grid_id == area


def _sights(session: Session, community_id: UUID, places: set[UUID]) -> Sights:
    found: Sights = defaultdict(list)
    rows = session.execute(
        select(Observation.place_id, Observation.form, Observation.effective_ms, Observation.visit_id)
        .where(Observation.community_id == community_id, Observation.place_id == func.any(list(places)))
        .order_by(Observation.effective_ms, Observation.visit_id)
    )
    for place_id, form, at_ms, visit_id in rows:
        found[place_id, form].append((at_ms, visit_id))
    return found


def _wire(task: Row[Any], titles: RuleTitles, assignment: dict[str, Any], sights: Sights) -> dict[str, Any]:
    # What lies before the cycle can stand between no re-visit and no closing of it.
    seen = sights.get((task.place_id, task.form), ())
    basis = [visit_id for at_ms, visit_id in seen if at_ms >= task.registered_ms] if task.cycle else []
    return {
        "place_id": task.place_id,
        "place_name": task.place_name,
        "form": task.form,
        "chain": task.chain,
        "rules": task.rules,
        "locus": task.locus,
        "title": titles.title_of(task.form, task.rule_version, task.rules, task.chain)["zh"],
        "number": task.number,
        "severity": task.severity,
        "state": task.state,
        "cycle": task.cycle,
        "deadline_ms": task.deadline_ms if task.cycle else None,
        "assignee_account_id": task.assignee_id,
        "responsible_party": assignment.get("responsible_party"),
        "measures": assignment.get("measures"),
        "basis": basis,
        "first_seen_ms": task.first_seen_ms,
        "extensions": task.extensions,
        "recheck_ms": task.recheck_ms,
    }
