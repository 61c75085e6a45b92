"""A paper's documents: made by the worker from the frozen content alone, stored once, and the same bytes ever after."""

import hashlib
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.db import after_commit
from backend.documents.docx import render_docx
from backend.documents.pdf import render_pdf
from backend.http.context import Runtime
from backend.jobs import ledger as jobs
from backend.jobs.progress import Progress, find_progress
from backend.ledger.sheet import Heading, write_ledger
from backend.meetings import queries
from backend.meetings.errors import PaperFileNotReady
from backend.meetings.html import paper_page
from backend.meetings.models import Paper, PaperFile
from backend.meetings.pages import DRAFT, day_of, page_blocks
from backend.meetings.paper_blocks import chinese_date
from backend.meetings.paper_ledger import read_rows

JOB: Final = "document"
#: Lines of the ledger that are printed with a paper; all of them are in the sheet.
PRINTED_ROWS: Final = 200


class Format(NamedTuple):
    """A kind of document: its MIME type and what makes it."""

    mime: str
    render: Callable[[Session, Paper], bytes]


def _page(session: Session, paper: Paper, render: Callable[..., bytes]) -> bytes:
    content: Mapping[str, Any] = paper.content or {}
    rows = list(read_rows(session, paper.community_id, paper.id, PRINTED_ROWS))
    return render(
        page_blocks(content, rows, day_of(paper)),
        title=content["title"] + content["number"],
        author=content["community"],
        dated=day_of(paper),
        copies=("",) if paper.state == "issued" else (DRAFT,),
    )


def _pdf(session: Session, paper: Paper) -> bytes:
    return _page(session, paper, render_pdf)


def _docx(session: Session, paper: Paper) -> bytes:
    return _page(session, paper, render_docx)


def _html(session: Session, paper: Paper) -> bytes:
    return paper_page(paper, list(read_rows(session, paper.community_id, paper.id, PRINTED_ROWS))).encode()


def _xlsx(session: Session, paper: Paper) -> bytes:
    content: Mapping[str, Any] = paper.content or {}
    day, out = day_of(paper), io.BytesIO()
    heading = Heading(
        f"{content['community']}隐患排查整治台账{content['number']}",
        f"{content['community']}居民委员会",
        chinese_date(day),
        datetime(day.year, day.month, day.day, tzinfo=UTC),
    )
    write_ledger(out, heading, read_rows(session, paper.community_id, paper.id))
    return out.getvalue()


FORMATS: Final[Mapping[str, Format]] = {
    "html": Format("text/html; charset=utf-8", _html),
    "pdf": Format("application/pdf", _pdf),
    "docx": Format("application/vnd.openxmlformats-officedocument.wordprocessingml.document", _docx),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
}


def want_files(session: Session, runtime: Runtime, community_id: UUID, paper_id: UUID) -> None:
    """Have the documents of a paper made, once this is committed."""
    jobs.want(session, JOB, community_id, [str(paper_id)])
    after_commit(session, lambda: runtime.doorbell.ring(JOB, community_id))


def drop_files(session: Session, community_id: UUID, paper_id: UUID) -> None:
    """Forget the documents of a draft."""
    session.execute(delete(PaperFile).filter_by(community_id=community_id, paper_id=paper_id))


def make_files(session: Session, runtime: Runtime, community_id: UUID, paper_id: UUID) -> None:
    """Make a draft's documents anew, or those that an issued paper does not have yet. Nothing is made of one that is
    being computed."""
    paper = queries.get_paper(session, community_id, paper_id, lock=True)
    if paper.content is None or paper.state == "queued":
        return
    progress = Progress(runtime.db, community_id, JOB, str(paper_id))
    if paper.state != "issued":
        # Those of an earlier draft may have been stored while this one was computed.
        drop_files(session, community_id, paper_id)
    held = {row.format for row in list_files(session, community_id, paper_id)}
    for n, (name, kind) in enumerate(FORMATS.items()):
        progress.say(name, n, len(FORMATS))
        if name not in held:
            body = kind.render(session, paper)
            made = {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "body": body}
            session.execute(
                insert(PaperFile)
                .values(community_id=community_id, paper_id=paper_id, format=name, **made)
                .on_conflict_do_nothing()
            )
    progress.say("made", len(FORMATS), len(FORMATS))


def list_files(session: Session, community_id: UUID, paper_id: UUID) -> list[Any]:
    """``format, sha256, size`` of the documents there are."""
    f = PaperFile
    found = select(f.format, f.sha256, f.size).where(f.community_id == community_id, f.paper_id == paper_id)
    return list(session.execute(found.order_by(f.format)))


def paper_work(session: Session, community_id: UUID, paper_id: UUID) -> dict[str, Any]:
    """How far the making of a paper and of its documents is, and which documents there are."""
    return {
        "making": find_progress(session, community_id, "paper", str(paper_id)),
        "documents": {
            "progress": find_progress(session, community_id, JOB, str(paper_id)),
            "files": [row._asdict() for row in list_files(session, community_id, paper_id)],
        },
    }


def get_file(session: Session, paper: Paper, name: str) -> PaperFile:
    """A document of one of ``FORMATS``; PaperFileNotReady."""
    found = session.get(PaperFile, (paper.community_id, paper.id, name))
    if found is None:
        raise PaperFileNotReady
    return found


def file_name(content: Mapping[str, Any], name: str) -> str:
    """What a browser saves it as."""
    return f"{content['title']}{content['number']}.{name}"
