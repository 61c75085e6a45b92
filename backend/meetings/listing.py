"""Hazards as a paper's lists print them."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from backend.clock import local_day
from backend.identity.keys import Sealer
from backend.meetings import queries
from backend.meetings.assignments import Assignment, find_assignments
from backend.meetings.labels import SEVERITY_ZH, STATE_ZH, Labels
from backend.meetings.models import PaperFigureRow


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


TIME_UNKNOWN: Final = "时间不详"
#: 2000-01-01 in Shanghai.
YEAR_2000_MS: Final = 946_656_000_000
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
    places = queries.find_places(session, community_id, {h.place_id for h in hazards.values()})
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


def short_date(at_ms: int) -> str:
    """``2026-11-22`` in Shanghai; 时间不详 for what no clock was read for (it counts from 0 in the order)."""
    return TIME_UNKNOWN if is_unknown(at_ms) else local_day(at_ms).isoformat()


def is_unknown(at_ms: int) -> bool:
    """Whether a time is only a place in the order: no phone was about before the year 2000."""
    return at_ms < YEAR_2000_MS
