"""Papers: asked for, made by the worker out of one snapshot, issued, and then never changed.

A draft may be made again as often as anybody likes; an issued paper is sealed by the SHA-256 of its content, which
holds the SHA-256 of all rows behind its figures.
"""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend import clock
from backend.db import after_commit, new_id
from backend.http.context import Runtime
from backend.identity.audit import audit
from backend.identity.models import Community
from backend.jobs import ledger
from backend.meetings import queries
from backend.meetings.errors import IdentityBroken, PaperIssued, PaperNotReady, PeriodNotBegun, PeriodNotOver
from backend.meetings.making import JOB
from backend.meetings.models import Paper
from backend.meetings.paper_files import drop_files, want_files
from backend.meetings.periods import Period
from backend.meetings.plan import plan_in
from backend.meetings.seals import seal_of


def request_paper(
    session: Session,
    community_id: UUID,
    period: Period,
    now_ms: int,
    actor_id: UUID | None = None,
    *,
    again: bool = True,
) -> Paper:
    """Ask for the paper of ``period`` to be made. An issued one is returned as it is and nothing is asked for.

    ``again``: also a draft that was made when its period was over already. PeriodNotBegun for a future period.
    The caller rings for ``paper`` jobs after the commit.
    """
    if period.start_ms > now_ms:
        raise PeriodNotBegun
    values = {
        "period_start_ms": period.start_ms,
        "period_end_ms": period.end_ms,
        "state": "queued",
        "requested_by": actor_id,
        "requested_at": func.now(),
    }
    made = insert(Paper).values(
        community_id=community_id, id=new_id(), kind=period.kind, year=period.year, issue=period.issue, **values
    )
    replaced = Paper.state != "issued"
    if not again:
        replaced &= func.coalesce(Paper.cutoff_ms, 0) < period.end_ms
    session.execute(
        made.on_conflict_do_update(
            index_elements=["community_id", "kind", "year", "issue"], set_=values, where=replaced
        )
    )
    paper = session.scalars(
        select(Paper)
        .where(Paper.community_id == community_id, Paper.kind == period.kind)
        .where(Paper.year == period.year, Paper.issue == period.issue)
        .execution_options(populate_existing=True)
    ).one()
    if paper.state == "queued":
        ledger.want(session, JOB, community_id, [str(paper.id)])
    return paper


def issue_paper(
    session: Session, runtime: Runtime, community_id: UUID, paper_id: UUID, now_ms: int, actor_id: UUID
) -> Paper:
    """Freeze a draft: from here on neither it nor its figures nor their rows change. Its documents are made anew.

    PaperNotReady, PaperIssued, PeriodNotOver, IdentityBroken.
    """
    paper = queries.get_paper(session, community_id, paper_id, lock=True)
    if paper.state == "issued":
        raise PaperIssued
    if paper.state != "draft" or paper.content is None or paper.cutoff_ms is None:
        raise PaperNotReady
    if paper.period_end_ms > min(now_ms, paper.cutoff_ms):
        raise PeriodNotOver
    if not paper.content["identity"]["holds"]:
        raise IdentityBroken
    drop_files(session, community_id, paper_id)
    paper.content = {**paper.content, "issued_on": clock.local_day(now_ms).isoformat()}
    paper.sha256 = seal_of(paper.content)
    paper.state, paper.issued_ms, paper.issued_by = "issued", now_ms, actor_id
    audit(
        session,
        community_id,
        "paper_issued",
        f"paper:{paper_id}",
        account_id=actor_id,
        at_ms=now_ms,
        number=paper.content["number"],
        sha256=paper.sha256,
    )
    session.flush()
    want_files(session, runtime, community_id, paper_id)
    return paper


def due_papers(session: Session, runtime: Runtime, community_id: UUID, now_ms: int) -> list[UUID]:
    """Ask for the papers that the community's schedule owes by now: that of the last period that is over.

    Papers are made from the plan's hour on the day after the period. Each slot is one unique job row, so asking again
    is harmless. A draft that somebody has had made since is left alone: he may be reading it.
    """
    community = session.get_one(Community, community_id)
    plan = plan_in(community.settings)
    due = []
    for kind in plan.kinds:
        period = plan.last_over(kind, now_ms)
        born_ms = int(community.created_at.timestamp() * 1000) + community.clock_offset_ms
        if born_ms < period.end_ms and ledger.take_slot(session, community_id, f"paper:{kind}:{period.slot}"):
            due.append(request_paper(session, community_id, period, now_ms, again=False).id)
    if due:
        after_commit(session, lambda: runtime.doorbell.ring(JOB, community_id))
    return due
