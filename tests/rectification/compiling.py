"""Looks into a town after its places were compiled, and things done to it."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.hazards.models import Hazard, LedgerNumber
from backend.places.events import PlaceFact
from backend.places.service import PlaceListeners, record_place_events
from backend.rectification.models import RectificationTask
from backend.rectification.steps import take_step
from backend.sync.models import SyncChange
from tests.hazards.delivering import NOW_MS, Town
from tests.hazards.histories import PLACES
from tests.hazards.oracle import DAY, hazard_of
from tests.hazards.story import HEAD, ROUTE

HOME_ID, OTHER_ID = UUID(PLACES[0]), UUID(PLACES[1])


def hazard_id(town: Town, place: str = PLACES[0]) -> UUID:
    return UUID(hazard_of(str(town.community_id), (place, *ROUTE[1:])))


def hazard_row(town: Town, place: str = PLACES[0]) -> Hazard:
    with town.transaction() as session:
        return session.get_one(Hazard, (town.community_id, hazard_id(town, place)))


def number_of(town: Town, place: str = PLACES[0]) -> str:
    with town.transaction() as session:
        return session.get_one(LedgerNumber, (town.community_id, hazard_id(town, place))).number


def feed_length(town: Town) -> int:
    with town.transaction() as session:
        counted = select(func.count()).select_from(SyncChange).where(SyncChange.entity == "task")
        return session.scalar(counted.where(SyncChange.community_id == town.community_id)) or 0


def place_event(town: Town, fact: PlaceFact) -> None:
    with town.transaction() as session:
        record_place_events(session, town.community_id, [fact], town.runtime.part(PlaceListeners))
    while town.work():
        pass


def take_assign(town: Town, session: Session, hazard: UUID) -> UUID:
    """Assign a hazard at the console, on its present revision."""
    body = {"assignee_account_id": None, "responsible_party": "王建国", "measures": "移走"}
    return take_step(
        session,
        town.runtime,
        town.community_id,
        hazard,
        "assign",
        {**body, "severity": "orange", "deadline_ms": NOW_MS + DAY},
        actor_id=UUID(HEAD),
        actor_role="grid_head",
        rev=session.get_one(RectificationTask, (town.community_id, hazard)).rev,
        now_ms=NOW_MS,
    )
