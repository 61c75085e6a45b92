"""The ledger attached to a paper: every hazard the period touched, frozen line by line, sealed by one hash."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from backend.forms.catalogue import FormCatalogue
from backend.hazards.models import Hazard
from backend.http.context import Runtime
from backend.identity.keys import Keyring
from backend.jobs.progress import Progress
from backend.ledger.columns import KEYS, Cells
from backend.ledger.rows import BATCH, Ledger
from backend.meetings.models import PaperFigureRow, PaperLedgerRow

#: Figures whose hazards are in the paper's ledger.
TOUCHED: Final = ("open_start", "new", "rebound", "closed", "void", "open_end")


def store_ledger(
    session: Session, runtime: Runtime, community_id: UUID, paper_id: UUID, progress: Progress
) -> dict[str, Any]:
    """Freeze the ledger of a paper whose figures are stored: ``{"rows", "sha256"}``."""
    of_paper = {"community_id": community_id, "paper_id": paper_id}
    session.execute(delete(PaperLedgerRow).filter_by(**of_paper))
    touched = _touched(session, community_id, paper_id)
    sealer = runtime.part(Keyring).sealer(session, community_id)
    ledger = Ledger(session, sealer, runtime.part(FormCatalogue), community_id)
    n, digest, lines = 0, hashlib.sha256(), ledger.lines_of(touched)
    while batch := list(islice(lines, BATCH)):
        rows = []
        for line in batch:
            n += 1
            cells = [line.cells[key] for key in KEYS]
            digest.update(_line(line.hazard_id, cells))
            rows.append({**of_paper, "n": n, "hazard_id": line.hazard_id, "cells": cells})
        session.execute(insert(PaperLedgerRow), rows)
        progress.say("ledger", n, len(touched))
    return {"rows": n, "sha256": digest.hexdigest()}


def _touched(session: Session, community_id: UUID, paper_id: UUID) -> list[UUID]:
    """The hazards behind the paper's figures, by time of registration."""
    r = PaperFigureRow
    rows = select(r.row_id).where(r.community_id == community_id, r.paper_id == paper_id, r.key.in_(TOUCHED))
    found = rows.distinct().subquery("touched")
    hazards = select(Hazard.id).join(found, found.c.row_id == Hazard.id).where(Hazard.community_id == community_id)
    return list(session.scalars(hazards.order_by(Hazard.registered_ms, Hazard.id)))


def _line(hazard_id: UUID, cells: list[str]) -> bytes:
    return orjson.dumps([str(hazard_id), *cells]) + b"\n"


def read_rows(session: Session, community_id: UUID, paper_id: UUID, limit: int | None = None) -> Iterator[Cells]:
    """The frozen lines in order, a batch in memory at a time."""
    for row in _stored(session, community_id, paper_id, limit):
        yield dict(zip(KEYS, row.cells, strict=True))


def ledger_digest(session: Session, community_id: UUID, paper_id: UUID) -> str:
    """The seal of the lines as they are stored now."""
    digest = hashlib.sha256()
    for row in _stored(session, community_id, paper_id, None):
        digest.update(_line(row.hazard_id, row.cells))
    return digest.hexdigest()


def _stored(session: Session, community_id: UUID, paper_id: UUID, limit: int | None) -> Iterator[Any]:
    r, after, left = PaperLedgerRow, 0, limit
    while left is None or left > 0:
        size = BATCH if left is None else min(BATCH, left)
        rows = session.execute(
            select(r.n, r.hazard_id, r.cells)
            .where(r.community_id == community_id, r.paper_id == paper_id, r.n > after)
            .order_by(r.n)
            .limit(size)
        ).all()
        yield from rows
        if len(rows) < size:
            return
        after, left = rows[-1].n, None if left is None else left - len(rows)
