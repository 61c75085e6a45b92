"""Minutes of a meeting (会议纪要): drafted over an issued paper, issued once; then their decisions are tasks."""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.clock import local_day
from backend.db import new_id
from backend.documents import blocks as page
from backend.documents.blocks import Block
from backend.errors import Conflict, InvalidInput, NotFound
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.identity.models import Account, Membership
from backend.inspections.models import RecordKey
from backend.meetings import queries
from backend.meetings.decisions import Desk, make_decisions, open_sealed, seal_under
from backend.meetings.models import Minutes, Paper
from backend.meetings.paper_blocks import chinese_date

TITLE: Final = "安全生产工作例会会议纪要"


class MinutesNotFound(NotFound):
    """Nobody has written minutes over that paper."""


class MinutesIssued(Conflict):
    """Issued minutes never change."""


class MinutesPaperOpen(Conflict):
    """A meeting sits over a paper that was issued: a draft may still say something else."""


class DecisionOwnerUnknown(InvalidInput):
    """``owner_id`` is nobody of this community."""


add_messages(
    {
        "minutes_not_found": ("本期尚无会议纪要。", "There are no minutes over this paper."),
        "minutes_issued": ("会议纪要已印发，不再更改。", "The minutes are issued and never change."),
        "minutes_paper_open": ("本期简报尚未印发。", "The paper is not issued yet."),
        "decision_owner_unknown": ("责任人不是本社区人员。", "The owner is nobody of this community."),
    }
)


def find_minutes(session: Session, community_id: UUID, paper_id: UUID, *, lock: bool = False) -> Minutes | None:
    """The minutes over a paper."""
    found = select(Minutes).where(Minutes.community_id == community_id, Minutes.paper_id == paper_id)
    return session.scalar((found.with_for_update() if lock else found).execution_options(populate_existing=True))


def get_minutes(session: Session, community_id: UUID, paper_id: UUID) -> Minutes:
    """The minutes over a paper; MinutesNotFound."""
    found = find_minutes(session, community_id, paper_id)
    if found is None:
        raise MinutesNotFound
    return found


def body_of(desk: Desk, minutes: Minutes) -> dict[str, Any] | None:
    """What the minutes say; None when lawfully erased."""
    sealed = {minutes.id: minutes.sealed}
    return open_sealed(desk.session, desk.sealer, desk.community_id, sealed).get(minutes.id)


def write_minutes(desk: Desk, paper_id: UUID, held_ms: int, body: dict[str, Any]) -> Minutes:
    """Keep the draft of the minutes over a paper, in place of an earlier draft.

    ``body``: ``place, chair, attendees, topics, remarks, decisions [{text, owner, owner_id, due, hazard_ids}]``, JSON
    values only. MinutesPaperOpen, MinutesIssued, DecisionOwnerUnknown.
    """
    if queries.get_paper(desk.session, desk.community_id, paper_id, lock=True).state != "issued":
        raise MinutesPaperOpen
    names = _staff(desk, {one["owner_id"] for one in body["decisions"] if one["owner_id"]})
    for one in body["decisions"]:
        if one["owner_id"]:
            one["owner"] = names[one["owner_id"]]
    minutes = find_minutes(desk.session, desk.community_id, paper_id, lock=True)
    if minutes is not None and minutes.state == "issued":
        raise MinutesIssued
    if minutes is None:
        minutes = Minutes(community_id=desk.community_id, id=new_id(), paper_id=paper_id, state="draft")
        desk.session.add(minutes)
    else:
        desk.session.delete(desk.session.get_one(RecordKey, (desk.community_id, minutes.id)))
        desk.session.flush()
    minutes.held_ms, minutes.sealed = held_ms, seal_under(desk, minutes.id, body)
    minutes.written_ms, minutes.written_by = desk.now_ms, desk.actor_id
    _note(desk, "minutes_written", minutes)
    desk.session.flush()
    return minutes


def _staff(desk: Desk, ids: set[str]) -> dict[str, str]:
    rows = desk.session.execute(
        select(Account.id, Account.name)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.community_id == desk.community_id, Membership.revoked_at.is_(None))
        .where(Account.id.in_([UUID(i) for i in ids]))
    )
    found = {str(row.id): row.name for row in rows}
    if ids - found.keys():
        raise DecisionOwnerUnknown
    return found


def issue_minutes(desk: Desk, paper_id: UUID) -> Minutes:
    """Freeze the minutes and make their decisions tasks. MinutesNotFound, MinutesIssued."""
    minutes = find_minutes(desk.session, desk.community_id, paper_id, lock=True)
    if minutes is None:
        raise MinutesNotFound
    if minutes.state == "issued":
        raise MinutesIssued
    body = body_of(desk, minutes)
    if body is None:
        raise MinutesNotFound
    minutes.sha256 = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    minutes.state, minutes.issued_ms, minutes.issued_by = "issued", desk.now_ms, desk.actor_id
    make_decisions(desk, minutes.id, body["decisions"])
    _note(desk, "minutes_issued", minutes, sha256=minutes.sha256)
    desk.session.flush()
    return minutes


def _note(desk: Desk, action: str, minutes: Minutes, **details: Any) -> None:
    audit(
        *(desk.session, desk.community_id, action, f"minutes:{minutes.id}"),
        account_id=desk.actor_id,
        at_ms=desk.now_ms,
        **details,
    )


def minutes_blocks(paper: Paper, minutes: Minutes, body: dict[str, Any]) -> list[Block]:
    """The minutes as a printed page."""
    content: dict[str, Any] = paper.content or {}
    day = local_day(minutes.held_ms)
    signed = local_day(minutes.issued_ms) if minutes.issued_ms else day
    blocks = [
        page.title(f"{content['community']}{TITLE}"),
        page.number(f"（{day.year}年{content['number'].partition('〕')[2]}）"),
        page.paragraph(f"时间：{chinese_date(day)}"),
        page.paragraph(f"地点：{body['place']}"),
        page.paragraph(f"主持：{body['chair']}"),
        page.paragraph(f"参会：{'、'.join(body['attendees'])}"),
        page.heading("一、会议听取"),
        page.paragraph(f"会议听取了{content['title']}{content['number']}。"),
    ]
    if body["topics"]:
        blocks += [page.paragraph(line) for line in body["topics"].splitlines() if line.strip()]
    blocks += [page.heading("二、议定事项"), *_decision_blocks(body["decisions"])]
    if body["remarks"]:
        blocks += [page.heading("三、其他"), *(page.paragraph(t) for t in body["remarks"].splitlines() if t.strip())]
    return [*blocks, page.signature(content["community"], chinese_date(signed))]


def _decision_blocks(decisions: Sequence[dict[str, Any]]) -> list[Block]:
    if not decisions:
        return [page.paragraph("无。")]
    rows = [
        [str(n), one["text"], one["owner"], chinese_date(date.fromisoformat(one["due"]))]
        for n, one in enumerate(decisions, 1)
    ]
    return [page.table("议定事项", ["序号", "事项", "责任人", "完成时限"], rows, widths=[7, 55, 18, 20])]
