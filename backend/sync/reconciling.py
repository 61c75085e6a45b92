"""``POST /sync/v1/reconcile``: what of a phone's archive this server does not hold."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend import clock
from backend.attachments.declaring import REFUSED, missing_of, states_of
from backend.http.context import RequestContext
from backend.inspections.models import Record
from backend.sync.epoch import server_facts
from backend.sync.models import Quarantine
from backend.sync.requests import enter_named
from backend.sync.stamps import safety, stamp


def reconcile(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Sort the asked ids. Lawfully erased records count as held: their hash is."""
    actor, community_id = enter_named(ctx, body)
    ids = list(dict.fromkeys(body["ids"]))
    asked = [UUID(record_id) for record_id in ids]
    stored = _stored(ctx.session, community_id, asked)
    quarantined = _quarantined(ctx.session, community_id, asked) - stored
    attachment_ids = list(dict.fromkeys(body["attachment_ids"]))
    known = states_of(ctx.session, community_id, [UUID(id_) for id_ in attachment_ids])
    missing = missing_of(known, (UUID(id_) for id_ in attachment_ids))
    facts = server_facts(ctx.session)
    now_ms = clock.now_ms(actor.clock_offset_ms)
    return {
        **stamp(ctx, body, facts, now_ms),
        **safety(facts, actor.clock_offset_ms),
        "missing": [record_id for record_id in ids if record_id not in stored | quarantined],
        "quarantined": [record_id for record_id in ids if record_id in quarantined],
        "missing_attachments": [id_ for id_ in attachment_ids if UUID(id_) in missing],
        "refused_attachments": [
            {"id": id_, "code": known[UUID(id_)].code}
            for id_ in attachment_ids
            if UUID(id_) in known and known[UUID(id_)].state == REFUSED
        ],
    }


def _stored(session: Session, community_id: UUID, asked: list[UUID]) -> set[str]:
    found = select(Record.id).where(Record.community_id == community_id, Record.id == func.any(asked))
    return {str(record_id) for record_id in session.scalars(found)}


def _quarantined(session: Session, community_id: UUID, asked: list[UUID]) -> set[str]:
    found = select(Quarantine.record_id).where(
        Quarantine.community_id == community_id, Quarantine.record_id == func.any(asked)
    )
    return {str(record_id) for record_id in session.scalars(found)}
