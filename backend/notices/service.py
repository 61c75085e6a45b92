"""Issuing a notice and recording how it was served: facts, appended and never changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.db import new_id
from backend.documents.blocks import Block
from backend.hazards.numbering import next_seq
from backend.http.context import RequestContext, Runtime
from backend.identity.audit import audit
from backend.identity.keys import Keyring
from backend.identity.models import Community
from backend.inspections.models import RecordKey
from backend.notices.drafting import address_of, describe_hazards, hazard_rows, place_about, with_photos
from backend.notices.errors import DeadlinePast, NoticeReplacesWrong, NoticeWording, ServiceWrong
from backend.notices.listeners import NoticeListeners
from backend.notices.models import Notice, NoticeHazard, NoticeService
from backend.notices.wording import KINDS, RESULTS_OF, rectification_blocks, words_of_power

Write = Callable[[Mapping[str, Any]], list[Block]]


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice that is about to be issued. ``written`` are the texts that people typed; ``content`` is what ``write``
    makes the page of, number, date and issuing community added."""

    kind: str
    place_id: UUID
    deadline_ms: int
    content: Mapping[str, Any]
    written: Sequence[str]
    write: Write
    issuers: Sequence[str] = ()
    hazard_ids: Sequence[UUID] = ()
    replaces: UUID | None = None


def issue_rectification(ctx: RequestContext, body: Mapping[str, Any]) -> UUID:
    """Issue a 隐患整改告知书 about hazards of one building. Raises what ``hazard_rows`` and ``issue`` raise."""
    rows = hazard_rows(ctx, body["hazard_ids"])
    place = place_about(ctx, rows)
    chosen = {entry["hazard_id"]: entry["sha256"] for entry in body["photos"]}
    typed = {name: body[name].strip().rstrip("。") for name in ("requirement", "interim", "contact", "addressee")}
    content = {
        **typed,
        "address": body["address"] or address_of(place),
        "inspected_on": f"{body['inspected_on'].year}年{body['inspected_on'].month}月{body['inspected_on'].day}日",
        "inspectors": body["inspectors"],
        "hazards": with_photos(describe_hazards(ctx, rows), chosen),
    }
    new = NewNotice(
        kind="rectification",
        place_id=place.id,
        deadline_ms=body["deadline_ms"],
        content=content,
        written=(*typed.values(), content["address"], *body["inspectors"]),
        write=rectification_blocks,
        hazard_ids=[row.id for row in rows],
        replaces=body["replaces"],
    )
    return issue(ctx, new)


def issue(ctx: RequestContext, new: NewNotice) -> UUID:
    """Number a notice and freeze what it says. DeadlinePast, NoticeWording, NoticeReplacesWrong.

    The series is locked until the commit: numbers have no gap, and of two corrections of one notice the second finds
    it replaced. A refused issue uses no number.
    """
    session, community_id, now_ms = ctx.session, ctx.community_id, ctx.now_ms
    if new.deadline_ms <= now_ms:
        raise DeadlinePast
    if words := words_of_power(new.written):
        raise NoticeWording(words="、".join(words))
    kind = KINDS[new.kind]
    year, seq = next_seq(session, community_id, kind.series, now_ms)
    replaced = _replaced(session, community_id, new)
    number = f"〔{year}〕{seq:02d}号"
    issuer = f"{session.get_one(Community, community_id).name}居民委员会"
    content = {
        **new.content,
        "kind": new.kind,
        "number": number,
        "issuers": [issuer, *new.issuers],
        "issued_ms": now_ms,
        "deadline_ms": new.deadline_ms,
        "replaced_number": None if replaced is None else replaced.number,
    }
    snapshot = {"content": content, "blocks": new.write(content), "issued_by": ctx.actor.name}
    notice = Notice(
        community_id=community_id,
        id=new_id(),
        kind=new.kind,
        year=year,
        seq=seq,
        number=number,
        place_id=new.place_id,
        deadline_ms=new.deadline_ms,
        replaces=new.replaces,
        issued_ms=now_ms,
        issued_by=ctx.actor.account_id,
    )
    notice.snapshot = seal_fact(session, ctx.runtime, community_id, notice.id, snapshot)
    session.add(notice)
    session.flush()
    items = [{"hazard_id": hazard_id, "n": n} for n, hazard_id in enumerate(new.hazard_ids, 1)]
    if items:
        here = {"community_id": community_id, "notice_id": notice.id}
        session.execute(insert(NoticeHazard), [{**here, **item} for item in items])
    _tell(ctx, notice, "notice_issued", kind=new.kind, number=number, hazards=len(items))
    return notice.id


def _replaced(session: Session, community_id: UUID, new: NewNotice) -> Notice | None:
    if new.replaces is None:
        return None
    found = session.get(Notice, (community_id, new.replaces))
    again = select(Notice.id).where(Notice.community_id == community_id, Notice.replaces == new.replaces)
    fits = found is not None and (found.kind, found.place_id) == (new.kind, new.place_id)
    if not fits or session.scalar(again.limit(1)) is not None:
        raise NoticeReplacesWrong
    return found


def record_service(ctx: RequestContext, notice: Notice, body: Mapping[str, Any]) -> UUID:
    """Append how a notice was served, or that its receipt was refused before a witness. ServiceWrong."""
    _check_service(ctx, notice, body)
    session, community_id = ctx.session, ctx.community_id
    service_id = new_id()
    copy = body["copy"]
    said = {name: body[name] for name in ("served_by", "signatory", "relation", "witness", "tracking_no", "note")}
    session.add(
        NoticeService(
            community_id=community_id,
            id=service_id,
            notice_id=notice.id,
            household_id=body["household_id"],
            mode=body["mode"],
            result=body["result"],
            served_ms=body["served_ms"],
            copy_sha256=None if copy is None else bytes.fromhex(copy["sha256"]),
            body=seal_fact(session, ctx.runtime, community_id, service_id, {**said, "copy": copy}),
            recorded_ms=ctx.now_ms,
            recorded_by=ctx.actor.account_id,
        )
    )
    session.flush()
    _tell(ctx, notice, "notice_served", mode=body["mode"], result=body["result"])
    return service_id


def _check_service(ctx: RequestContext, notice: Notice, body: Mapping[str, Any]) -> None:
    mode, result = body["mode"], body["result"]
    needed = {
        "result": result in RESULTS_OF[mode],
        "signatory": result != "signed" or bool(body["signatory"]),
        "witness": result != "refused" or bool(body["witness"]),
        "copy": mode != "sticker" or body["copy"] is not None,
        "tracking_no": mode != "registered" or bool(body["tracking_no"]),
        "served_ms": notice.issued_ms <= body["served_ms"] <= ctx.now_ms,
    }
    missing = [name for name, is_there in needed.items() if not is_there]
    if missing:
        raise ServiceWrong(missing="、".join(missing))


def seal_fact(session: Session, runtime: Runtime, community_id: UUID, fact_id: UUID, body: Mapping[str, Any]) -> bytes:
    """``body`` sealed under the fact's id; its key is kept like a record's."""
    sealed = runtime.part(Keyring).sealer(session, community_id).seal(fact_id, orjson.dumps(body))
    key = {"record_id": fact_id, "key_version": sealed.key_version, "wrapped": sealed.wrapped}
    session.execute(insert(RecordKey).values(community_id=community_id, **key))
    return sealed.body


def _tell(ctx: RequestContext, notice: Notice, action: str, **details: Any) -> None:
    audit(
        *(ctx.session, ctx.community_id, action, f"notice:{notice.id}"),
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        **details,
    )
    for changed in ctx.runtime.part(NoticeListeners).on_changed:
        changed(ctx.session, ctx.runtime, ctx.community_id, notice)
