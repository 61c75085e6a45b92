"""Reads of notices. Personal data is shown in full to those who serve notices at the place, to others masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from backend.http.context import RequestContext, Runtime
from backend.identity.keys import Keyring, Sealed
from backend.identity.masking import mask_names, mask_party, mask_prose, mask_text
from backend.identity.models import Account
from backend.inspections.models import RecordKey
from backend.notices.errors import NoticeNotFound
from backend.notices.models import Notice, NoticeHazard, NoticeService
from backend.notices.wording import KINDS, MODES, RESULTS
from backend.places.models import Place
from backend.places.queries import in_scope
from backend.rectification.presenting import Shape, label, moment, named, place_of

Newer = aliased(Notice, name="newer")
SERVES = "notice.serve"


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """What the register is narrowed by."""

    kind: str | None = None
    year: int | None = None
    place: UUID | None = None
    hazard: UUID | None = None
    served: bool | None = None
    replaced: bool | None = None


def _is_served() -> ColumnElement[bool]:
    return exists().where(NoticeService.community_id == Notice.community_id, NoticeService.notice_id == Notice.id)


def _select(ctx: RequestContext) -> Select[Any]:
    columns: tuple[Any, ...] = (
        *(Notice.id, Notice.kind, Notice.year, Notice.seq, Notice.number, Notice.deadline_ms, Notice.issued_ms),
        *(
            Notice.issued_by,
            Notice.replaces,
            Notice.snapshot,
            Newer.id.label("replaced_by"),
            _is_served().label("served"),
        ),
        *(Notice.place_id, Place.name.label("place_name"), Place.kind.label("place_kind"), Place.path),
        *(Place.field_code.label("place_code"), Account.name.label("issuer_name")),
        *(RecordKey.key_version, RecordKey.wrapped),
    )
    here = Notice.community_id
    return (
        select(*columns)
        .join(Place, and_(Place.community_id == here, Place.id == Notice.place_id))
        .outerjoin(Newer, and_(Newer.community_id == here, Newer.replaces == Notice.id))
        .outerjoin(Account, Account.id == Notice.issued_by)
        .outerjoin(RecordKey, and_(RecordKey.community_id == here, RecordKey.record_id == Notice.id))
        .where(Notice.community_id == ctx.community_id, in_scope(ctx.actor.scope_paths))
    )


def list_notices(
    ctx: RequestContext, narrowed: NoticeFilter, before: tuple[int, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """Up to ``limit + 1`` notices of the register, newest first."""
    found = _select(ctx).where(*_conditions(narrowed))
    if before is not None:
        found = found.where(tuple_(Notice.issued_ms, Notice.id) < before)
    return ctx.session.execute(found.order_by(Notice.issued_ms.desc(), Notice.id.desc()).limit(limit + 1)).all()


def _conditions(narrowed: NoticeFilter) -> list[ColumnElement[bool]]:
    equal: tuple[tuple[Any, Any], ...] = (
        (Notice.kind, narrowed.kind),
        (Notice.year, narrowed.year),
        (Notice.place_id, narrowed.place),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if narrowed.hazard is not None:
        found.append(
            exists().where(
                NoticeHazard.community_id == Notice.community_id,
                NoticeHazard.notice_id == Notice.id,
                NoticeHazard.hazard_id == narrowed.hazard,
            )
        )
    if narrowed.served is not None:
        found.append(_is_served() if narrowed.served else ~_is_served())
    if narrowed.replaced is not None:
        found.append(Newer.id.is_not(None) if narrowed.replaced else Newer.id.is_(None))
    return found


def get_notice(ctx: RequestContext, notice_id: UUID) -> Row[Any]:
    """One notice's row; NoticeNotFound when it is not there or outside the caller's places."""
    row = ctx.session.execute(_select(ctx).where(Notice.id == notice_id)).one_or_none()
    if row is None:
        raise NoticeNotFound
    return row


def open_snapshot(ctx: RequestContext, row: Row[Any]) -> Shape | None:
    """What the notice says; None once it was lawfully erased."""
    if row.wrapped is None:
        return None
    return opened(ctx.session, ctx.runtime, ctx.community_id, row.id, row.snapshot, row.key_version, row.wrapped)


def opened(
    session: Session, runtime: Runtime, community_id: UUID, fact_id: UUID, body: bytes, version: int, wrapped: bytes
) -> Shape:
    """The plain JSON of a sealed fact."""
    sealer = runtime.part(Keyring).sealer(session, community_id)
    found: Shape = orjson.loads(sealer.open(fact_id, Sealed(body, version, wrapped)))
    return found


def notice_line(ctx: RequestContext, row: Row[Any], snapshot: Shape | None, *, in_full: bool = False) -> Shape:
    """A line of the register: the addressee masked."""
    content = {} if snapshot is None else snapshot["content"]
    addressee, address = content.get("addressee"), content.get("address")
    return {
        "id": row.id,
        "kind": row.kind,
        "label": label(KINDS[row.kind].label),
        "number": row.number,
        "place": place_of(row),
        "addressee": addressee if in_full or addressee is None else mask_party(addressee),
        "address": address if in_full or address is None else mask_text(address),
        "hazards": len(content.get("hazards", ())),
        "deadline": moment(row.deadline_ms),
        "issued": moment(row.issued_ms),
        "issued_by": named(row.issued_by, row.issuer_name),
        "served": row.served,
        "overdue_to_serve": not row.served and row.replaced_by is None and row.deadline_ms < ctx.now_ms,
        "replaces": row.replaces,
        "replaced_by": row.replaced_by,
    }


def may_see_persons(ctx: RequestContext, path: str) -> bool:
    """Whether the caller serves notices at the place and so must read what they say."""
    return ctx.actor.may(SERVES, path)


def list_services(ctx: RequestContext, notice_id: UUID, addressee: str | None, in_full: bool) -> list[Shape]:
    """How a notice was served, oldest first; ``addressee`` is taken out of notes where persons are masked."""
    found = (
        select(NoticeService, Account.name.label("recorder"), RecordKey.key_version, RecordKey.wrapped)
        .outerjoin(Account, Account.id == NoticeService.recorded_by)
        .outerjoin(
            RecordKey,
            and_(RecordKey.community_id == NoticeService.community_id, RecordKey.record_id == NoticeService.id),
        )
        .where(NoticeService.community_id == ctx.community_id, NoticeService.notice_id == notice_id)
        .order_by(NoticeService.served_ms, NoticeService.id)
    )
    lines = []
    for row in ctx.session.execute(found):
        fact = row.NoticeService
        said: Shape = {}
        if row.wrapped is not None:
            said = opened(
                *(ctx.session, ctx.runtime, ctx.community_id, fact.id, fact.body, row.key_version, row.wrapped)
            )
        lines.append(_service_line(fact, said, row.recorder, None if in_full else addressee or ""))
    return lines


_NAMES = ("served_by", "signatory", "witness")


def _service_line(fact: NoticeService, said: Shape, recorder: str | None, masked: str | None) -> Shape:
    """``masked``: the notice's addressee when persons are masked; None when they are shown."""
    people = {name: said.get(name) for name in _NAMES}
    note = said.get("note")
    if masked is not None:
        named_here = [text for text in (masked, *people.values()) if text]
        note = None if note is None else mask_prose(note, named_here)
        people = {name: text and mask_names(text) for name, text in people.items()}
    return {
        "id": fact.id,
        "household_id": fact.household_id,
        "mode": fact.mode,
        "mode_label": label(MODES[fact.mode]),
        "result": fact.result,
        "result_label": label(RESULTS[fact.result]),
        "served": moment(fact.served_ms),
        **people,
        "relation": said.get("relation"),
        "tracking_no": said.get("tracking_no"),
        "note": note,
        "copy_sha256": None if fact.copy_sha256 is None else fact.copy_sha256.hex(),
        "recorded": moment(fact.recorded_ms),
        "recorded_by": named(fact.recorded_by, recorder),
    }


def get_service(ctx: RequestContext, notice_id: UUID, service_id: UUID) -> NoticeService:
    """One fact of service; NoticeNotFound."""
    found = ctx.session.get(NoticeService, (ctx.community_id, service_id))
    if found is None or found.notice_id != notice_id:
        raise NoticeNotFound
    return found


def count_unserved(session: Session, community_id: UUID, place_ids: Sequence[UUID]) -> int:
    """Notices about these places that nobody served yet and nothing replaced."""
    counted = (
        select(func.count())
        .select_from(Notice)
        .outerjoin(Newer, and_(Newer.community_id == Notice.community_id, Newer.replaces == Notice.id))
        .where(Notice.community_id == community_id, Notice.place_id.in_(place_ids), ~_is_served(), Newer.id.is_(None))
    )
    return session.scalar(counted) or 0
