"""Reads for papers and their receipts: papers, rows behind figures, hazards and places as a meeting may see them."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, func, select, tuple_
from sqlalchemy.orm import Session

from backend.errors import NotFound
from backend.hazards.models import Hazard, LedgerNumber
from backend.inspections.models import Visit
from backend.meetings.models import Paper, PaperFigure, PaperFigureRow
from backend.notices.models import Notice
from backend.places.models import Place
from backend.places.queries import in_scope


class PaperNotFound(NotFound):
    pass


class FigureNotFound(NotFound):
    """The paper has no figure of that key (or it is 0 and has no rows)."""


def get_paper(
    session: Session, community_id: UUID, paper_id: UUID, *, lock: bool = False, issued_only: bool = False
) -> Paper:
    """One paper; PaperNotFound. ``issued_only``: for readers who may not see drafts."""
    found = select(Paper).where(Paper.community_id == community_id, Paper.id == paper_id)
    if issued_only:
        found = found.where(Paper.state == "issued")
    if lock:
        found = found.with_for_update()
    paper = session.scalar(found.execution_options(populate_existing=True))
    if paper is None:
        raise PaperNotFound
    return paper


def list_papers(
    session: Session,
    community_id: UUID,
    *,
    kind: str | None,
    issued_only: bool,
    after: tuple[int, UUID] | None,
    limit: int,
) -> list[Paper]:
    """Up to ``limit + 1`` papers, newest period first, after the key ``(period_start_ms, id)``."""
    found = select(Paper).where(Paper.community_id == community_id)
    if kind is not None:
        found = found.where(Paper.kind == kind)
    if issued_only:
        found = found.where(Paper.state == "issued")
    if after is not None:
        found = found.where(tuple_(Paper.period_start_ms, Paper.id) < tuple_(*after))
    return list(session.scalars(found.order_by(Paper.period_start_ms.desc(), Paper.id.desc()).limit(limit + 1)))


def list_issued_before(session: Session, community_id: UUID, kind: str, start_ms: int, limit: int) -> list[Paper]:
    """The last ``limit`` issued papers of a kind whose period ended by ``start_ms``, newest first."""
    return list(
        session.scalars(
            select(Paper)
            .where(Paper.community_id == community_id, Paper.kind == kind, Paper.state == "issued")
            .where(Paper.period_end_ms <= start_ms)
            .order_by(Paper.period_start_ms.desc())
            .limit(limit)
        )
    )


def get_figure(session: Session, community_id: UUID, paper_id: UUID, key: str) -> PaperFigure:
    """One stored number; FigureNotFound."""
    figure = session.get(PaperFigure, (community_id, paper_id, key))
    if figure is None:
        raise FigureNotFound
    return figure


def list_figure_rows(
    session: Session,
    figure: PaperFigure,
    *,
    scope: Sequence[str] = (),
    after_n: int = 0,
    limit: int = 50,
) -> list[PaperFigureRow]:
    """Up to ``limit + 1`` rows after the ``after_n``-th; only those at places within ``scope``."""
    r = PaperFigureRow
    found = select(r).where(
        r.community_id == figure.community_id, r.paper_id == figure.paper_id, r.key == figure.key, r.n > after_n
    )
    if scope:
        found = found.where(_row_in_scope(figure.row_kind, scope))
    return list(session.scalars(found.order_by(r.n).limit(limit + 1)))


def _row_in_scope(row_kind: str, scope: Sequence[str]) -> ColumnElement[bool]:
    r = PaperFigureRow
    here = and_(Place.community_id == r.community_id, in_scope(scope))
    if row_kind == "place":
        return exists().where(here, Place.id == r.row_id)
    if row_kind == "case":
        return false()  # whose case it is says no door, so it is within nobody's places but the whole community's
    source: Any = {"hazard": Hazard, "visit": Visit, "notice": Notice}[row_kind]
    return exists().where(
        source.community_id == r.community_id, source.id == r.row_id, here, Place.id == source.place_id
    )


class HazardLine(NamedTuple):
    """A hazard as its receipts show it; what changes with time is taken from the figure's row instead."""

    id: UUID
    number: str | None
    place_id: UUID
    rules: list[str]
    deadline_ms: int


def find_hazards(session: Session, community_id: UUID, ids: Iterable[UUID]) -> dict[UUID, HazardLine]:
    """Hazards by id, with their ledger numbers."""
    rows = session.execute(
        select(Hazard.id, LedgerNumber.number, Hazard.place_id, Hazard.rules, Hazard.deadline_ms)
        .outerjoin(
            LedgerNumber,
            (LedgerNumber.community_id == Hazard.community_id) & (LedgerNumber.hazard_id == Hazard.id),
        )
        .where(Hazard.community_id == community_id, Hazard.id == func.any(list(ids)))
    )
    return {row.id: HazardLine(*row) for row in rows}


def find_visit_places(session: Session, community_id: UUID, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Visit → the place at its header."""
    rows = session.execute(
        select(Visit.id, Visit.place_id).where(Visit.community_id == community_id, Visit.id == func.any(list(ids)))
    )
    return {row[0]: row[1] for row in rows}


def find_notice_places(session: Session, community_id: UUID, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Notice → the place it is about."""
    rows = session.execute(
        select(Notice.id, Notice.place_id).where(Notice.community_id == community_id, Notice.id == func.any(list(ids)))
    )
    return {row[0]: row[1] for row in rows}
