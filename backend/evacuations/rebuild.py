"""Rebuilding the projections of dangerous houses from the facts, or proving that they are what the facts say."""

from uuid import UUID

from sqlalchemy import CompoundSelect, select

from backend.db import Database
from backend.evacuations.models import Evacuation, EvacuationFact
from backend.evacuations.projecting import TABLES, project, refold
from backend.http.context import Runtime
from backend.identity.keys import Keyring
from backend.rectification.projection_tables import differ
from backend.rectification.rebuild import RebuildReport


def check(runtime: Runtime, community_id: UUID, report: RebuildReport) -> None:
    """Add to ``report`` what differs from the facts; writes nothing."""
    with runtime.db.transaction([community_id], isolation="REPEATABLE READ") as session:
        houses = list(session.scalars(_houses(community_id)))
        projection = project(session, runtime.part(Keyring), community_id, houses)
        for table in TABLES:
            report.add(table.name, differ(table.load(session, community_id, houses)[0], projection[table.name]))


def rebuild(db: Database, runtime: Runtime, community_id: UUID, report: RebuildReport) -> None:
    """Bring them to what the facts say, and add to ``report`` what differed."""
    check(runtime, community_id, report)
    with db.transaction([community_id]) as session:
        refold(session, runtime.part(Keyring), community_id, list(session.scalars(_houses(community_id))))


def _houses(community_id: UUID) -> CompoundSelect[UUID]:
    recorded = select(EvacuationFact.house_id).where(EvacuationFact.community_id == community_id)
    return recorded.union(select(Evacuation.house_id).where(Evacuation.community_id == community_id))
