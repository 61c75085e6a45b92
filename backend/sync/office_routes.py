"""The office's API of what phones sent: records, the quarantine, what waits."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import select

from backend.forms.catalogue import FormCatalogue
from backend.http import Blueprint, RequestContext, requires
from backend.http.errors import language
from backend.http.paging import BadCursor, PageQuery, decode_cursor, page, page_schema
from backend.identity.keys import Keyring, Sealed, Sealer
from backend.identity.looking import UNMASKED, note_look
from backend.identity.schemas import LookQuery
from backend.inspections.erasure import RecordNotFound
from backend.inspections.models import Record, RecordKey
from backend.places.queries import find_place
from backend.sync import mending, office_queries
from backend.sync.effects import effect_of
from backend.sync.models import Quarantine
from backend.sync.schemas import (
    ArchivedRecordSchema,
    DismissSchema,
    MendedSchema,
    QuarantineDetailSchema,
    QuarantineItemSchema,
    QuarantineQuery,
    RepairSchema,
    SummarySchema,
    WaitingItemSchema,
)
from mobile_contract.error_codes import Language, message
from mobile_contract.sync.messages import MAX_BYTES

blueprint = Blueprint(
    "records", __name__, url_prefix="/api/v1", description="原始记录与隔离区 · Records and the quarantine"
)
#: What was not taken in, and what waits, stands at no known place: it is for those who look after the whole community.
SEES_QUARANTINE = requires("quarantine.read")
#: A payload as large as a push may bring, written with escapes where its phone wrote none.
REPAIR_BYTES: Final = 2 * MAX_BYTES + 64 * 1024
MENDS = requires("quarantine.repair")
READS = requires("record.read")


@blueprint.get("/quarantine", guard=SEES_QUARANTINE)
@blueprint.arguments(QuarantineQuery, location="query")
@blueprint.response(200, page_schema(QuarantineItemSchema))
def list_quarantine(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """What could not be taken in, newest first."""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    rows = office_queries.list_quarantine(ctx.session, ctx.community_id, query, _id_in(cursor), limit)
    answer = page(rows, limit, lambda row: [row.id])
    answer["items"] = _items(ctx, answer["items"])
    return answer


@blueprint.get("/quarantine/<uuid:quarantine_id>", guard=SEES_QUARANTINE, raises=(mending.QuarantineNotFound,))
@blueprint.arguments(LookQuery, location="query")
@blueprint.response(200, QuarantineDetailSchema)
def read_quarantine(ctx: RequestContext, query: dict[str, Any], quarantine_id: UUID) -> dict[str, Any]:
    """One of them; with its bytes, which may name persons, if a reason is given. That is noted."""
    row, raw = mending.find_held(ctx, quarantine_id)
    if query["reason"] is None:
        raw = None
    elif raw is not None:
        note_look(ctx, UNMASKED, f"quarantine:{quarantine_id}", query)
    return {
        **_items(ctx, [row])[0],
        "raw_base64": None if raw is None else base64.b64encode(raw).decode(),
        "raw_text": _text(raw),
        "payload": _payload(raw),
    }


@blueprint.post(
    "/quarantine/<uuid:quarantine_id>/requeue",
    guard=MENDS,
    raises=(mending.QuarantineNotFound, mending.QuarantineResolved),
)
@blueprint.response(200, MendedSchema)
def requeue_quarantine(ctx: RequestContext, quarantine_id: UUID) -> dict[str, Any]:
    """Take the same bytes in again, for instance after a form was published or a device reinstated."""
    return mending.requeue(ctx, quarantine_id).wire(_tongue())


@blueprint.post(
    "/quarantine/<uuid:quarantine_id>/repair",
    guard=MENDS,
    raises=(
        mending.QuarantineNotFound,
        mending.QuarantineResolved,
        mending.RepairRefused,
        mending.RepairUnnamed,
        mending.RecordIdTaken,
    ),
    max_bytes=REPAIR_BYTES,
)
@blueprint.arguments(RepairSchema)
@blueprint.response(200, MendedSchema)
def repair_quarantine(ctx: RequestContext, body: dict[str, Any], quarantine_id: UUID) -> dict[str, Any]:
    """Store a repaired payload, under the record's own id if that is free. The bytes as they came are kept."""
    return mending.repair(ctx, quarantine_id, body).wire(_tongue())


@blueprint.post(
    "/quarantine/<uuid:quarantine_id>/dismiss",
    guard=MENDS,
    raises=(mending.QuarantineNotFound, mending.QuarantineResolved),
)
@blueprint.arguments(DismissSchema)
@blueprint.response(200, QuarantineItemSchema)
def dismiss_quarantine(ctx: RequestContext, body: dict[str, Any], quarantine_id: UUID) -> dict[str, Any]:
    """Nothing more will be done about it. The bytes as they came are kept, and the phone is told nothing new."""
    return _items(ctx, [mending.dismiss(ctx, quarantine_id, body["reason"])])[0]


@blueprint.get("/records/<uuid:record_id>", guard=READS, raises=(RecordNotFound,))
@blueprint.arguments(LookQuery, location="query")
@blueprint.response(200, ArchivedRecordSchema)
def read_record(ctx: RequestContext, query: dict[str, Any], record_id: UUID) -> dict[str, Any]:
    """A record of a place within the caller's scope. Its payload is for its author, and for those who may correct it
    if they give a reason. That is noted."""
    found = ctx.session.execute(
        select(Record, RecordKey)
        .outerjoin(RecordKey, (RecordKey.community_id == Record.community_id) & (RecordKey.record_id == Record.id))
        .where(Record.community_id == ctx.community_id, Record.id == record_id)
    ).one_or_none()
    if found is None or not _may_see(ctx, found[0]):
        raise RecordNotFound
    row, key = found
    shown = {name: getattr(row, name) for name in ArchivedRecordSchema._declared_fields if hasattr(row, name)}
    return {
        **shown,
        "status": "stored" if row.erased_at is None else "erased",
        "sha256": row.sha256.hex(),
        "received_ms": _ms(ctx, row.received_at),
        "waiting_on": office_queries.references_of(ctx.session, ctx.community_id, row.id),
        "effect": effect_of(ctx.session, ctx.community_id, _sealer(ctx), ctx.runtime.part(FormCatalogue), row),
        "payload": _payload_for(ctx, row, key, query),
    }


@blueprint.get("/waiting", guard=SEES_QUARANTINE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(WaitingItemSchema))
def list_waiting(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Records that are stored and wait for an unknown place, root or form version."""
    key = decode_cursor(query["cursor"], 3)
    after = None if key is None else (str(_uuid(key[0])), str(key[1]), str(key[2]))
    rows = office_queries.list_waiting(ctx.session, ctx.community_id, after, query["limit"])
    answer = page(rows, query["limit"], lambda row: [row[0].record_id, row[0].ref_type, row[0].ref_id])
    answer["items"] = [
        {
            "record_id": waiting.record_id,
            "ref_type": waiting.ref_type,
            "ref_id": waiting.ref_id,
            "place_id": waiting.place_id,
            "since_ms": _ms(ctx, waiting.since),
            "type": record_type,
            "author_id": author_id,
            "effective_ms": effective_ms,
        }
        for waiting, record_type, author_id, effective_ms in answer["items"]
    ]
    return answer


@blueprint.get("/sync/summary", guard=READS)
@blueprint.response(200, SummarySchema)
def read_summary(ctx: RequestContext) -> dict[str, Any]:
    """How many records are stored, quarantined and waiting."""
    return office_queries.summary(ctx.session, ctx.community_id)


def _items(ctx: RequestContext, rows: Sequence[Quarantine]) -> list[dict[str, Any]]:
    superseded = office_queries.superseded(ctx.session, ctx.community_id, [row.id for row in rows])
    return [{**_item(ctx, row), "superseded": row.id in superseded} for row in rows]


def _item(ctx: RequestContext, row: Quarantine) -> dict[str, Any]:
    tongue = _tongue()
    return {
        "id": row.id,
        "record_id": row.record_id,
        "record_type": row.record_type,
        "install_id": row.install_id,
        "account_id": row.account_id,
        "sha256": row.sha256.hex(),
        "bytes": row.bytes,
        "code": row.code,
        "errors": [{**error, "message": message(error["code"], tongue)} for error in row.errors],
        "state": row.state,
        "received_ms": _ms(ctx, row.received_at),
    }


def _may_see(ctx: RequestContext, row: Record) -> bool:
    if not ctx.actor.scope_paths or row.author_id == ctx.actor.account_id:
        return True
    if row.place_id is None:
        return False
    return find_place(ctx.session, ctx.community_id, row.place_id, ctx.actor.scope_paths) is not None


def _payload_for(ctx: RequestContext, row: Record, key: RecordKey | None, query: dict[str, Any]) -> str | None:
    if row.author_id == ctx.actor.account_id:
        return _opened(ctx, row, key)
    place = None if row.place_id is None else find_place(ctx.session, ctx.community_id, row.place_id)
    may_correct = ctx.actor.may("record.correct", None if place is None else str(place.path))
    payload = _opened(ctx, row, key) if may_correct and query["reason"] is not None else None
    if payload is not None:
        note_look(ctx, UNMASKED, f"record:{row.id}", query)
    return payload


def _opened(ctx: RequestContext, row: Record, key: RecordKey | None) -> str | None:
    if row.sealed is None or key is None:
        return None
    return _sealer(ctx).open(row.id, Sealed(row.sealed, key.key_version, key.wrapped)).decode()


def _sealer(ctx: RequestContext) -> Sealer:
    return ctx.runtime.part(Keyring).sealer(ctx.session, ctx.community_id)


def _text(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def _payload(raw: bytes | None) -> str | None:
    try:
        body = None if raw is None else orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    payload = body.get("payload") if isinstance(body, dict) else None
    return payload if isinstance(payload, str) else None


def _ms(ctx: RequestContext, at: datetime) -> int:
    """Bookkeeping time as the community's clock tells it."""
    return int(at.timestamp() * 1000) + ctx.actor.clock_offset_ms


def _id_in(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, 1)
    return None if key is None else _uuid(key[0])


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise BadCursor from error


def _tongue() -> Language:
    return "en" if language() == "en" else "zh"
