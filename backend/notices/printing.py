"""A notice on paper, out of its snapshot alone: PDF to print, DOCX to lay beside it in WPS or Word."""

from typing import Any, Final

from sqlalchemy import Row

from backend import clock
from backend.attachments.service import find_attachment
from backend.documents.docx import render_docx
from backend.documents.pdf import render_pdf
from backend.documents.pictures import for_print
from backend.http.context import RequestContext
from backend.notices.errors import NoticeErased
from backend.notices.queries import open_snapshot
from backend.notices.wording import COPIES, KINDS

PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_RENDERERS: Final = {PDF: render_pdf, DOCX: render_docx}


def print_notice(ctx: RequestContext, row: Row[Any], mime: str) -> bytes:
    """Both copies in one file; NoticeErased. Photos that are not here yet are empty frames with their hash."""
    snapshot = open_snapshot(ctx, row)
    if snapshot is None:
        raise NoticeErased
    content, blocks = snapshot["content"], snapshot["blocks"]
    hashes = {photo["sha256"] for block in blocks for photo in block.get("photos", ())}
    return _RENDERERS[mime](
        blocks,
        title=KINDS[row.kind].title,
        author=content["issuers"][0],
        dated=clock.local_day(row.issued_ms),
        copies=COPIES,
        images=_images(ctx, hashes),
    )


def _images(ctx: RequestContext, hashes: set[str]) -> dict[str, bytes]:
    found = {}
    for sha256 in hashes:
        held = find_attachment(ctx.session, ctx.runtime, ctx.community_id, bytes.fromhex(sha256))
        picture = None if held is None else for_print(held[1])
        if picture is not None:
            found[sha256] = picture
    return found


def file_name(row: Row[Any], suffix: str) -> str:
    """What a browser saves it as."""
    return f"{KINDS[row.kind].title}{row.number}.{suffix}"
