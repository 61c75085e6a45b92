"""The office's upload of a photo or a scan. Reading goes through what the file belongs to."""

from typing import Any

from flask import request

from backend.attachments.errors import AttachmentKindUnknown
from backend.attachments.schemas import AttachmentSchema
from backend.attachments.service import MOST_BYTES, keep_attachment
from backend.http import Blueprint, RequestContext, requires
from backend.identity.audit import audit

blueprint = Blueprint("attachments", __name__, url_prefix="/api/v1", description="附件 · Attachments")
FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A JPEG, a PNG or a PDF of at most 20 MB, as the body itself.",
        "content": {
            mime: {"schema": {"type": "string", "format": "binary"}}
            for mime in ("image/jpeg", "image/png", "application/pdf")
        },
    }
}


@blueprint.post("/attachments", guard=requires("attachment.put"), max_bytes=MOST_BYTES, raises=(AttachmentKindUnknown,))
@blueprint.doc(**FILE_BODY)
@blueprint.response(201, AttachmentSchema)
def put_attachment(ctx: RequestContext) -> dict[str, Any]:
    """Store a photo or a scan, sealed. The same bytes again are the same attachment."""
    account_id = ctx.actor.account_id
    row = keep_attachment(
        ctx.session, ctx.runtime, ctx.community_id, request.get_data(), account_id=account_id, now_ms=ctx.now_ms
    )
    audit(
        *(ctx.session, ctx.community_id, "attachment_stored", f"attachment:{row.id}"),
        account_id=account_id,
        at_ms=ctx.now_ms,
        bytes=row.bytes,
    )
    return {"id": row.id, "sha256": row.sha256.hex(), "mime": row.mime, "bytes": row.bytes}
