"""The rows behind a number, in words: what an official can check one by one, without rooms and names."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.clock import iso
from backend.meetings import queries
from backend.meetings.figures import Figure, base_key
from backend.meetings.labels import ORIGIN_ZH, OUTCOME_ZH, PLACE_KIND_ZH, SEVERITY_ZH, STATE_ZH, Labels
from backend.meetings.models import PaperFigure, PaperFigureRow
from backend.places.public_names import find_places

KEY = re.compile(r"[a-z0-9_.]{1,120}")
#: What ``state`` means for each kind of row.
STATES = {
    "hazard": STATE_ZH,
    "place": OUTCOME_ZH | ORIGIN_ZH | {"left": "已撤离"},
    "visit": OUTCOME_ZH | {"unknown": "待核"},
    "notice": {"served": "已送达"},
    "case": {},
}


def describe_rows(
    session: Session, community_id: UUID, figure: PaperFigure, rows: Sequence[PaperFigureRow], labels: Labels
) -> list[dict[str, Any]]:
    """Each row with its hazard's number and title or its place, and labels. ``at`` is ISO 8601 in Shanghai time."""
    ids = [row.row_id for row in rows]
    hazards = queries.find_hazards(session, community_id, ids) if figure.row_kind == "hazard" else {}
    places_by: dict[str, Callable[[], dict[UUID, UUID]]] = {
        "hazard": lambda: {line.id: line.place_id for line in hazards.values()},
        "visit": lambda: queries.find_visit_places(session, community_id, ids),
        "place": lambda: {place_id: place_id for place_id in ids},
        "notice": lambda: queries.find_notice_places(session, community_id, ids),
        "case": lambda: {},
    }
    place_of = places_by[figure.row_kind]()
    places = find_places(session, community_id, set(place_of.values()))
    described = []
    for row in rows:
        place = places.get(place_of[row.row_id]) if row.row_id in place_of else None
        hazard = hazards.get(row.row_id)
        described.append(
            {
                "n": row.n,
                "row_kind": figure.row_kind,
                "row_id": row.row_id,
                "at": iso(row.at_ms),
                "number": hazard.number if hazard else None,
                "title": labels.hazard(hazard.rules) if hazard else None,
                "place": place.name if place else None,
                "place_kind": PLACE_KIND_ZH.get(place.kind) if place else None,
                "field_code": place.field_code if place else None,
                "category": labels.part(row.category),
                "severity": SEVERITY_ZH.get(row.severity or ""),
                "state": STATES[figure.row_kind].get(row.state or "", row.state),
                "deadline": iso(hazard.deadline_ms) if hazard else None,
                "detail": _detail(figure, row, labels),
                "amount": row.amount,
            }
        )
    return described


def _detail(figure: PaperFigure, row: PaperFigureRow, labels: Labels) -> str | None:
    """What could not be seen (the rule's title and where), for a row of 待核; else as stored."""
    if figure.row_kind != "visit" or row.detail is None:
        return row.detail
    chain, _, locus = row.detail.partition(" ")
    return f"{labels.rules.get(chain, chain)} {locus}".rstrip()


def figure_label(figures: Sequence[Figure], labels: Labels, key: str) -> str:
    """``新增隐患（电动车违规充电·重大）`` for ``new.ebike_charging.red``."""
    label = definition_of(figures, key).label
    parts = [labels.part(name) for name in key.split(".")[1:]]
    return label + (f"（{'·'.join(parts)}）" if parts else "")


def definition_of(figures: Sequence[Figure], key: str) -> Figure:
    """The figure that ``key`` belongs to; FigureNotFound."""
    for figure in figures:
        if figure.key == base_key(key) and KEY.fullmatch(key):
            return figure
    raise queries.FigureNotFound
