"""The office's API of the ledger: exports made by the worker, and files taken back in."""

from typing import Any
from uuid import UUID

from flask import Response, request

from backend.clock import iso
from backend.forms.catalogue import FormCatalogue
from backend.http import Blueprint, RequestContext, requires
from backend.identity.audit import audit
from backend.identity.exports import mark_export
from backend.identity.keys import Keyring
from backend.jobs.progress import find_progress
from backend.ledger import exports
from backend.ledger.importing import LedgerTooLong, take_in
from backend.ledger.models import Export
from backend.ledger.rows import Ledger
from backend.ledger.schemas import ExportRequestSchema, ExportSchema, LedgerReportSchema
from backend.ledger.sheet import LedgerUnreadable, read_ledger

blueprint = Blueprint("ledger", __name__, url_prefix="/api/v1/ledger", description="隐患台账 · The ledger of hazards")
READS = requires("task.read")
#: Whoever assigns writes remarks, within the same places.
REMARKS = requires("task.assign")
MOST_BYTES = 20 * 1024 * 1024
AS_XLSX: dict[str, Any] = {"content": {exports.XLSX: {"schema": {"type": "string", "format": "binary"}}}}
OF_FILE = {"requestBody": {"required": True, "description": "A ledger exported here, edited or not.", **AS_XLSX}}


def shown(ctx: RequestContext, export: Export) -> dict[str, Any]:
    """An export as ExportSchema wants it."""
    progress = find_progress(ctx.session, ctx.community_id, exports.JOB, str(export.id))
    names = ("id", "state", "rows", "size", "sha256")
    return {
        **{name: getattr(export, name) for name in names},
        "requested": iso(export.requested_ms),
        "progress": progress,
    }


@blueprint.post("/exports", guard=READS)
@blueprint.arguments(ExportRequestSchema)
@blueprint.response(202, ExportSchema)
def request_export(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Have the ledger written into a spreadsheet, within the caller's places, persons masked."""
    export = exports.request_export(
        *(ctx.session, ctx.community_id, body),
        scope=ctx.actor.scope_paths,
        now_ms=ctx.now_ms,
        actor_id=ctx.actor.account_id,
    )
    _note(ctx, "ledger_export_requested", export.id)
    ctx.ring(exports.JOB)
    return shown(ctx, export)


@blueprint.get("/exports/<uuid:export_id>", guard=READS, raises=(exports.ExportNotFound,))
@blueprint.response(200, ExportSchema)
def get_export(ctx: RequestContext, export_id: UUID) -> dict[str, Any]:
    """How far an export of one's own is."""
    return shown(ctx, _own(ctx, export_id))


@blueprint.get("/exports/<uuid:export_id>.xlsx", guard=READS, raises=(exports.ExportNotFound, exports.ExportNotReady))
@blueprint.doc(responses={"200": {"description": "The spreadsheet · 电子表格", **AS_XLSX}})
def get_export_file(ctx: RequestContext, export_id: UUID) -> Response:
    """The file, sent piece by piece."""
    export = _own(ctx, export_id)
    if export.state != "ready":
        raise exports.ExportNotReady
    # The file names who had it made and when.
    mark_export(ctx, "ledger", export=str(export_id), rows=export.rows)
    answer = Response(exports.read_chunks(ctx.runtime.db, ctx.community_id, export_id), mimetype=exports.XLSX)
    answer.headers.set("Content-Disposition", "attachment", filename="隐患排查整治台账.xlsx")
    answer.headers["Content-Length"] = str(export.size)
    return answer


@blueprint.post("/dry-run", guard=REMARKS, max_bytes=MOST_BYTES, raises=(LedgerUnreadable, LedgerTooLong))
@blueprint.doc(**OF_FILE)
@blueprint.response(200, LedgerReportSchema)
def check_ledger(ctx: RequestContext) -> dict[str, Any]:
    """What an import would do. Changes nothing."""
    return _take_in(ctx, dry_run=True)


@blueprint.post("/import", guard=REMARKS, max_bytes=MOST_BYTES, raises=(LedgerUnreadable, LedgerTooLong))
@blueprint.doc(**OF_FILE)
@blueprint.response(200, LedgerReportSchema)
def import_ledger(ctx: RequestContext) -> dict[str, Any]:
    """Take a ledger back in: remarks, supervising body and supervisor are kept; all else is compared and told."""
    report = _take_in(ctx, dry_run=False)
    _note(ctx, "ledger_imported", None, lines=report["lines"], kept=report["kept"])
    return report


def _take_in(ctx: RequestContext, *, dry_run: bool) -> dict[str, Any]:
    sealer = ctx.runtime.part(Keyring).sealer(ctx.session, ctx.community_id)
    scope = ctx.actor.scope_paths
    ledger = Ledger(ctx.session, sealer, ctx.runtime.part(FormCatalogue), ctx.community_id, scope)
    lines = read_ledger(request.get_data())
    return take_in(ledger, lines, now_ms=ctx.now_ms, actor_id=ctx.actor.account_id, dry_run=dry_run)


def _own(ctx: RequestContext, export_id: UUID) -> Export:
    return exports.get_export(ctx.session, ctx.community_id, export_id, ctx.actor.account_id)


def _note(ctx: RequestContext, action: str, export_id: UUID | None, **details: Any) -> None:
    subject = f"export:{export_id}" if export_id else f"community:{ctx.community_id}"
    audit(
        *(ctx.session, ctx.community_id, action, subject),
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        **details,
    )
