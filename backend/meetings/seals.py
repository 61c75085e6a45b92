"""The seal of an issued paper: SHA-256 of its content, which holds the SHA-256 of the rows behind its figures."""

import hashlib
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import collate, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from backend.meetings.models import Paper, PaperFigureRow
from backend.meetings.paper_ledger import ledger_digest


def verify_paper(session: Session, paper: Paper) -> bool:
    """True when an issued paper, the rows behind its figures and its ledger are what was sealed."""
    return (
        paper.content is not None
        and paper.sha256 == seal_of(paper.content)
        and paper.content["receipts_sha256"] == receipts_digest(session, paper.community_id, paper.id)
        and _ledger_holds(session, paper)
    )


def _ledger_holds(session: Session, paper: Paper) -> bool:
    """Papers issued before ledgers were attached have none."""
    attached = (paper.content or {}).get("ledger")
    return attached is None or attached["sha256"] == ledger_digest(session, paper.community_id, paper.id)


def seal_of(content: dict[str, Any]) -> str:
    """SHA-256 of the content as JSON with sorted keys, UTF-8, no spaces."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def receipts_digest(session: Session, community_id: UUID, paper_id: UUID) -> str:
    """SHA-256 over all rows behind a paper's figures, one line each, by key (bytewise) and n.

    What is null is left out of a line: rows of papers that were sealed before there were amounts read the same.
    """
    r = PaperFigureRow
    line = func.concat_ws("|", r.key, r.n, r.row_id, r.at_ms, r.category, r.severity, r.state, r.detail, r.amount)
    lines = func.string_agg(line, aggregate_order_by(literal("\n"), collate(r.key, "C"), r.n))
    digest = func.encode(func.sha256(func.convert_to(func.coalesce(lines, ""), "UTF8")), "hex")
    found = session.scalar(select(digest).where(r.community_id == community_id, r.paper_id == paper_id))
    return str(found)
