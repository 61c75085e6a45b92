"""Reads for the office: which attachments belong to its places, how they stand, and their bytes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select
from sqlalchemy.orm import Session

from backend.attachments.declaring import AWAITED, ERASED, STATES, STORED, FileState, states_of
from backend.attachments.errors import AttachmentNotFound
from backend.attachments.models import Attachment, DeclaredAttachment, Upload
from backend.http.context import RequestContext
from backend.inspections.models import RecordPlace
from backend.places.models import Place
from backend.places.queries import in_scope

#: Of a declared attachment: the upload under its id, if what came is what was declared.
_JOINED = and_(Upload.community_id == DeclaredAttachment.community_id, Upload.id == DeclaredAttachment.attachment_id)
_STATE = case((or_(Upload.state == ERASED, Upload.sha256 == DeclaredAttachment.sha256), Upload.state), else_=AWAITED)


def get_state(ctx: RequestContext, attachment_id: UUID) -> FileState:
    """How an attachment stands; AttachmentNotFound when it is not within the caller's places."""
    found = states_of(ctx.session, ctx.community_id, [attachment_id]).get(attachment_id)
    if found is None or not _may_see(ctx, attachment_id):
        raise AttachmentNotFound
    return found


def get_content(ctx: RequestContext, attachment_id: UUID) -> Attachment:
    """The stored file of an attachment; AttachmentNotFound also while it is awaited."""
    state = get_state(ctx, attachment_id)
    row = None if state.file_id is None else ctx.session.get(Attachment, (ctx.community_id, state.file_id))
    if row is None or state.state != STORED:
        raise AttachmentNotFound
    return row


def list_declared(
    session: Session,
    community_id: UUID,
    scope: Sequence[str],
    wanted: dict[str, Any],
    after: tuple[UUID, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Up to ``limit + 1`` declared attachments within ``scope``, by id and record; ``wanted``: state, place, record."""
    declared = DeclaredAttachment
    found = (
        select(declared, _STATE.label("state"), Upload.received, Upload.code, Attachment.examined_at)
        .outerjoin(Upload, _JOINED)
        .outerjoin(Attachment, and_(Attachment.community_id == Upload.community_id, Attachment.id == Upload.file_id))
        .where(declared.community_id == community_id, _within(community_id, scope))
    )
    if wanted["state"] is not None:
        found = found.where(wanted["state"] == _STATE)
    if wanted["place"] is not None:
        found = found.where(declared.place_id == wanted["place"])
    if wanted["record"] is not None:
        found = found.where(declared.record_id == wanted["record"])
    if after is not None:
        found = found.where(func.row(declared.attachment_id, declared.record_id) > func.row(*after))
    return session.execute(found.order_by(declared.attachment_id, declared.record_id).limit(limit + 1)).all()


def progress_of(session: Session, community_id: UUID, scope: Sequence[str]) -> dict[str, Any]:
    """How many attachments stand how, how many bytes came of how many, and what the worker has still to look at."""
    declared = DeclaredAttachment
    once = (
        select(
            declared.attachment_id,
            func.min(_STATE).label("state"),
            func.max(declared.bytes).label("bytes"),
            func.max(func.coalesce(Upload.received, 0)).label("received"),
        )
        .outerjoin(Upload, _JOINED)
        .where(declared.community_id == community_id, _within(community_id, scope))
        .group_by(declared.attachment_id)
        .subquery()
    )
    rows = session.execute(
        select(once.c.state, func.count(), func.sum(once.c.bytes), func.sum(once.c.received)).group_by(once.c.state)
    ).all()
    counts = {row[0]: row[1] for row in rows}
    unexamined = select(func.count()).where(Attachment.community_id == community_id, Attachment.examined_at.is_(None))
    return {
        "states": {state: counts.get(state, 0) for state in STATES},
        "bytes_declared": int(sum(row[2] for row in rows)),
        "bytes_received": int(sum(row[2] if row[0] == STORED else row[3] for row in rows)),
        "to_examine": session.scalar(unexamined) or 0,
    }


def _within(community_id: UUID, scope: Sequence[str]) -> ColumnElement[bool]:
    """The declaration's place, or another that its record names, lies within ``scope``."""
    if not scope:
        return DeclaredAttachment.community_id == community_id
    places = select(Place.id).where(Place.community_id == community_id, in_scope(scope))
    beside = select(RecordPlace.record_id).where(
        RecordPlace.community_id == community_id, RecordPlace.place_id.in_(places)
    )
    return or_(DeclaredAttachment.place_id.in_(places), DeclaredAttachment.record_id.in_(beside))


def _may_see(ctx: RequestContext, attachment_id: UUID) -> bool:
    if not ctx.actor.scope_paths:
        return True
    session, community_id = ctx.session, ctx.community_id
    upload = session.get(Upload, (community_id, attachment_id))
    if upload is not None and upload.account_id == ctx.actor.account_id:
        return True
    declared = select(DeclaredAttachment.record_id).where(
        DeclaredAttachment.community_id == community_id, DeclaredAttachment.attachment_id == attachment_id
    )
    return session.scalar(declared.where(_within(community_id, ctx.actor.scope_paths)).limit(1)) is not None
