"""The phones' uploads: tus 1.0 with creation, creation-with-upload, checksum, expiration and termination."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, request

from backend.attachments import errors, tus
from backend.attachments.declaring import RECEIVING, REFUSED
from backend.attachments.file_store import StorageFull, Unavailable
from backend.attachments.finishing import FileBeginsAnew, finish
from backend.attachments.kinds import MOST_BYTES
from backend.attachments.models import Upload
from backend.attachments.uploads import Desk, announce, append, find_upload, terminate
from backend.http import Blueprint, RequestContext, requires
from backend.http.errors import problem

blueprint = Blueprint("uploads", __name__, url_prefix="/sync/v1", description="照片续传 · Resumable uploads (tus 1.0)")
#: Whoever may push what waits on a phone may bring its files.
BRINGS = requires("sync.push")
_FINDS = (errors.TusVersionUnknown, errors.UploadUnknown, errors.UploadExpired)
_WRITES = (
    *(errors.TusVersionUnknown, errors.UploadInvalid, errors.ChunkTypeUnknown, errors.UploadLocked),
    *(errors.OffsetMismatch, errors.ChecksumMismatch, errors.FileTooLarge, FileBeginsAnew),
    *(errors.AttachmentKindUnknown, errors.ImageTooLarge, errors.FileHashMismatch, Unavailable),
)
_ANNOUNCES = (errors.DeclaredOtherwise, errors.AttachmentIdReused, errors.UploadQuota, StorageFull)
CHUNK: dict[str, Any] = {
    "required": False,
    "description": "Bytes of the file, from `Upload-Offset` on. What came of a request that was cut is kept.",
    "content": {tus.CHUNK_TYPE: {"schema": {"type": "string", "format": "binary"}}},
}


def _header(name: str, example: str, description: str, *, required: bool = True) -> dict[str, Any]:
    schema = {"type": "string", "example": example}
    return {"in": "header", "name": name, "required": required, "description": description, "schema": schema}


_TUS = _header("Tus-Resumable", tus.VERSION, "The protocol spoken")
_OFFSET = _header("Upload-Offset", "0", "Where the bytes begin; as HEAD told")
_CHECKSUM = _header(
    "Upload-Checksum", "sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "Of this body", required=False
)
_LENGTH = _header("Upload-Length", "204800", "Of the whole file in bytes")
_METADATA = _header(
    "Upload-Metadata", "id MDE5…,sha256 ZTNi…,mime aW1hZ2UvanBlZw==,kind cGhvdG8=", "`id,sha256,mime,kind`"
)


@blueprint.post(
    "/files", guard=BRINGS, notes=False, keep_cut_body=True, max_bytes=MOST_BYTES, raises=(*_WRITES, *_ANNOUNCES)
)
@blueprint.doc(parameters=[_TUS, _LENGTH, _METADATA, _CHECKSUM], requestBody=CHUNK)
@blueprint.response(201)
def announce_file(ctx: RequestContext) -> Response:
    """Announce a file, perhaps with its first bytes. The same id again gives the same Location and where it stands."""
    tus.require_version()
    desk = desk_of(ctx)
    row = announce(desk, tus.read_announcement())
    chunk = _chunk(required=False)
    refused = _receive(desk, row, 0, chunk) if chunk and row.state == RECEIVING and row.received == 0 else None
    if refused is not None:
        return refused
    return tus.tell(row, 201, location=f"{blueprint.url_prefix}/files/{row.id}")


@blueprint.route("/files/<uuid:upload_id>", methods=["HEAD"], guard=BRINGS, raises=_FINDS)
@blueprint.doc(parameters=[_TUS])
@blueprint.response(200)
def tell_file(ctx: RequestContext, upload_id: UUID) -> Response:
    """Where an upload stands: offset, length, state. One that was refused for ever is 410, `Upload-Code` says why."""
    tus.require_version()
    row = find_upload(desk_of(ctx), upload_id)
    return tus.tell(row, 410 if row.state == REFUSED else 200, in_full=True)


@blueprint.route(
    "/files/<uuid:upload_id>",
    methods=["PATCH"],
    guard=BRINGS,
    notes=False,
    keep_cut_body=True,
    max_bytes=MOST_BYTES,
    raises=(*_FINDS, *_WRITES),
)
@blueprint.doc(parameters=[_TUS, _OFFSET, _CHECKSUM], requestBody=CHUNK)
@blueprint.response(204)
def append_to_file(ctx: RequestContext, upload_id: UUID) -> Response:
    """Add bytes. With the last of them the whole file is checked against its SHA-256 and kept."""
    tus.require_version()
    offset, chunk, desk = tus.whole_number("Upload-Offset"), _chunk(required=True), desk_of(ctx)
    row = find_upload(desk, upload_id, to_write=True)
    return _receive(desk, row, offset, chunk) or tus.tell(row, 204)


@blueprint.delete(
    "/files/<uuid:upload_id>", guard=BRINGS, notes=False, raises=(*_FINDS, errors.UploadLocked, errors.UploadFinished)
)
@blueprint.doc(parameters=[_TUS])
@blueprint.response(204)
def terminate_file(ctx: RequestContext, upload_id: UUID) -> Response:
    """Give up an upload that is not whole."""
    tus.require_version()
    desk = desk_of(ctx)
    row = find_upload(desk, upload_id, to_write=True)
    terminate(desk, row)
    answer = Response(status=204)
    answer.headers["Tus-Resumable"] = tus.VERSION
    return answer


_OVERRIDES: dict[str, Callable[[RequestContext, UUID], Response]] = {
    "PATCH": append_to_file.__wrapped__,  # type: ignore[attr-defined]
    "DELETE": terminate_file.__wrapped__,  # type: ignore[attr-defined]
}


@blueprint.post(
    "/files/<uuid:upload_id>",
    guard=BRINGS,
    notes=False,
    keep_cut_body=True,
    max_bytes=MOST_BYTES,
    raises=(*_FINDS, *_WRITES, errors.UploadFinished),
)
@blueprint.doc(parameters=[_TUS, _header("X-HTTP-Method-Override", "PATCH", "PATCH or DELETE")], requestBody=CHUNK)
@blueprint.response(204)
def override_file(ctx: RequestContext, upload_id: UUID) -> Response:
    """For networks that let neither PATCH nor DELETE through."""
    act = _OVERRIDES.get(request.headers.get("X-HTTP-Method-Override", "").upper())
    if act is None:
        raise tus.invalid("X-HTTP-Method-Override")
    return act(ctx, upload_id)


def desk_of(ctx: RequestContext) -> Desk:
    actor = ctx.actor
    return Desk(ctx.session, ctx.runtime, ctx.community_id, actor.install_id, actor.account_id, ctx.now_ms)


def _chunk(*, required: bool) -> bytes:
    """The body, checked against ``Upload-Checksum`` if there is one. Of a cut body what came counts without."""
    chunk = request.get_data()
    if (chunk or required) and request.mimetype != tus.CHUNK_TYPE:
        raise errors.ChunkTypeUnknown
    tus.check_chunk(chunk)
    return chunk


def _receive(desk: Desk, row: Upload, offset: int, chunk: bytes) -> Response | None:
    """Append, and finish what is whole. An answer when it was refused: one that is committed, so not an error."""
    append(desk, row, offset, chunk)
    if row.state != RECEIVING or row.received < row.bytes:
        return None
    refusal = finish(desk, row)
    if refusal is None:
        return None
    answer = problem(refusal.code, refusal.status)
    answer.headers["Upload-Offset"] = str(row.received)
    answer.headers["Upload-State"] = row.state
    return answer


@blueprint.after_request  # type: ignore[untyped-decorator]
def speak_tus(answer: Response) -> Response:
    """Every answer says which version was spoken, an error's too; one to OPTIONS, what this server can do."""
    if request.method == "OPTIONS":
        answer.headers.update(tus.CAPABILITIES)
    answer.headers.setdefault("Tus-Resumable", tus.VERSION)
    if answer.status_code == 412:
        answer.headers["Tus-Version"] = tus.VERSION
    return answer
