"""Hazards as a paper's lists print them."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from backend.identity.keys import Sealer
from backend.ledger.assignments import Assignment, find_assignments
from backend.ledger.rows import short_date
from backend.meetings import queries
from backend.meetings.labels import SEVERITY_ZH, STATE_ZH, Labels
from backend.meetings.models import PaperFigureRow
from backend.places.public_names import find_places


class HazardEntry(NamedTuple):
    """One line: text only, without rooms and given names. ``progress`` is the state at the period's end."""

    number: str
    place: str
    title: str
    severity: str
    responsible: str
    measures: str
    deadline: str
    progress: str


NOBODY = Assignment("待明确", "待明确")


def list_entries(
    session: Session,
    sealer: Sealer | None,
    community_id: UUID,
    rows: Sequence[PaperFigureRow],
    labels: Labels,
) -> list[HazardEntry]:
    """The hazards behind ``rows``, in their order. Without a sealer nobody's name is looked for."""
    hazards = queries.find_hazards(session, community_id, [row.row_id for row in rows])
    places = find_places(session, community_id, {h.place_id for h in hazards.values()})
    assigned = find_assignments(session, sealer, community_id, hazards) if sealer else {}
    entries = []
    for row in rows:
        hazard = hazards[row.row_id]
        place = places.get(hazard.place_id)
        who = assigned.get(row.row_id, NOBODY)
        entries.append(
            HazardEntry(
                number=hazard.number or "（未编号）",
                place=place.name if place else "",
                title=labels.hazard(hazard.rules),
                severity=SEVERITY_ZH.get(row.severity or "", ""),
                responsible=who.responsible or NOBODY.responsible,
                measures=who.measures or NOBODY.measures,
                deadline=short_date(hazard.deadline_ms),
                progress=STATE_ZH.get(row.state or "", ""),
            )
        )
    return entries
