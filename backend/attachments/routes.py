"""The office's upload of a photo or a scan, and its way to all that belongs to its places."""

from typing import Any
from uuid import UUID

from flask import Response, request

from backend.attachments import queries
from backend.attachments.declaring import FileState, keep_as_stored
from backend.attachments.errors import AttachmentKindUnknown, AttachmentNotFound, ImageTooLarge
from backend.attachments.examining import find_thumbnail
from backend.attachments.file_store import FileStore, StorageFull, Unavailable
from backend.attachments.kinds import MOST_BYTES
from backend.attachments.models import Attachment
from backend.attachments.schemas import (
    AttachmentDetailSchema,
    AttachmentProgressSchema,
    AttachmentQuery,
    AttachmentSchema,
    DeclaredAttachmentSchema,
)
from backend.attachments.service import find_attachment, keep_attachment
from backend.attachments.stripping import Unstrippable, stripped
from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import BadCursor, decode_cursor, page, page_schema
from backend.identity.audit import audit

blueprint = Blueprint("attachments", __name__, url_prefix="/api/v1", description="附件 · Attachments")
READS = requires("record.read")
PICTURE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A JPEG, a PNG or a PDF of at most 20 MB, as the body itself.",
        "content": dict.fromkeys(("image/jpeg", "image/png", "application/pdf"), PICTURE),
    }
}


@blueprint.post(
    "/attachments",
    guard=requires("attachment.put"),
    max_bytes=MOST_BYTES,
    raises=(AttachmentKindUnknown, ImageTooLarge, Unavailable, StorageFull),
)
@blueprint.doc(**FILE_BODY)
@blueprint.response(201, AttachmentSchema)
def put_attachment(ctx: RequestContext) -> dict[str, Any]:
    """Store a photo or a scan, sealed. The same bytes again are the same attachment."""
    account_id = ctx.actor.account_id
    ctx.runtime.part(FileStore).ensure_room()
    row = keep_attachment(
        ctx.session, ctx.runtime, ctx.community_id, request.get_data(), account_id=account_id, now_ms=ctx.now_ms
    )
    keep_as_stored(ctx.session, row)
    audit(
        *(ctx.session, ctx.community_id, "attachment_stored", f"attachment:{row.id}"),
        account_id=account_id,
        at_ms=ctx.now_ms,
        bytes=row.bytes,
    )
    return {"id": row.id, "sha256": row.sha256.hex(), "mime": row.mime, "bytes": row.bytes}


@blueprint.get("/attachments", guard=READS)
@blueprint.arguments(AttachmentQuery, location="query")
@blueprint.response(200, page_schema(DeclaredAttachmentSchema))
def list_attachments(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """What records of the caller's places declare, and how it stands."""
    key = decode_cursor(query["cursor"], 2)
    rows = queries.list_declared(
        *(ctx.session, ctx.community_id, ctx.actor.scope_paths, query),
        None if key is None else (_uuid(key[0]), _uuid(key[1])),
        query["limit"],
    )
    found = page(rows, query["limit"], lambda row: (row[0].attachment_id, row[0].record_id))
    return {**found, "items": [_declared(row) for row in found["items"]]}


@blueprint.get("/attachments/progress", guard=READS)
@blueprint.response(200, AttachmentProgressSchema)
def get_attachment_progress(ctx: RequestContext) -> dict[str, Any]:
    """How far the photos of the caller's places are, and what the worker has still to look at."""
    return queries.progress_of(ctx.session, ctx.community_id, ctx.actor.scope_paths)


@blueprint.get("/attachments/<uuid:attachment_id>", guard=READS, raises=(AttachmentNotFound,))
@blueprint.response(200, AttachmentDetailSchema)
def get_attachment(ctx: RequestContext, attachment_id: UUID) -> dict[str, Any]:
    """How one attachment stands: declared, coming, stored, refused or erased."""
    state = queries.get_state(ctx, attachment_id)
    row = None if state.file_id is None else ctx.session.get(Attachment, (ctx.community_id, state.file_id))
    return {
        **shown(state),
        "width": row and row.width,
        "height": row and row.height,
        "taken_at": row and row.taken_at,
        "damaged": bool(row and row.damaged),
        "has_thumbnail": bool(row and row.width and not row.damaged),
    }


@blueprint.get("/attachments/<uuid:attachment_id>/content", guard=READS, raises=(AttachmentNotFound, Unavailable))
@blueprint.doc(responses={"200": {"content": dict.fromkeys(FILE_BODY["requestBody"]["content"], PICTURE)}})
@blueprint.response(200)
def get_attachment_content(ctx: RequestContext, attachment_id: UUID) -> Response:
    """The file, every pixel as it was taken, without what the camera wrote beside it (place, time, device)."""
    row = queries.get_content(ctx, attachment_id)
    held = find_attachment(ctx.session, ctx.runtime, ctx.community_id, row.sha256)
    if held is None:
        raise AttachmentNotFound
    _note(ctx, attachment_id)
    try:
        clean = stripped(held[1], held[0])
    except Unstrippable as error:
        raise AttachmentNotFound from error
    return Response(clean, mimetype=held[0])


@blueprint.get("/attachments/<uuid:attachment_id>/thumbnail", guard=READS, raises=(AttachmentNotFound, Unavailable))
@blueprint.doc(responses={"200": {"content": {"image/jpeg": PICTURE}}})
@blueprint.response(200)
def get_attachment_thumbnail(ctx: RequestContext, attachment_id: UUID) -> Response:
    """The small picture, once the worker has made it."""
    row = queries.get_content(ctx, attachment_id)
    small = find_thumbnail(ctx.session, ctx.runtime, ctx.community_id, row.id)
    if small is None:
        raise AttachmentNotFound
    return Response(small, mimetype="image/jpeg")


def shown(state: FileState) -> dict[str, Any]:
    """An attachment's state in the shape of AttachmentStateSchema."""
    return {
        "id": state.id,
        "sha256": state.sha256.hex(),
        "mime": state.mime,
        "bytes": state.bytes,
        "state": state.state,
        "received": state.received,
        "code": state.code,
    }


def _declared(row: Any) -> dict[str, Any]:
    declared = row[0]
    state = FileState(
        *(declared.attachment_id, row.state, declared.sha256, declared.mime, declared.bytes),
        received=row.received or 0,
        code=row.code,
    )
    return {
        **shown(state),
        "record_id": declared.record_id,
        "place_id": declared.place_id,
        "examined": row.examined_at is not None,
    }


def _note(ctx: RequestContext, attachment_id: UUID) -> None:
    audit(
        *(ctx.session, ctx.community_id, "attachment_read", f"attachment:{attachment_id}"),
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
    )


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise BadCursor from error
