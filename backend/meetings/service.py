"""Papers: asked for, made by the worker out of one snapshot, issued, and then never changed.

A draft may be made again as often as anybody likes; an issued paper is sealed by the SHA-256 of its content, which
holds the SHA-256 of all rows behind its figures.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend import clock
from backend.db import after_commit, new_id
from backend.errors import Conflict, InvalidInput
from backend.http.context import Runtime
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.identity.keys import Keyring, Sealer
from backend.identity.models import Community
from backend.jobs import ledger
from backend.meetings import queries
from backend.meetings.answers import Answers
from backend.meetings.composing import Findings, compose
from backend.meetings.corrections import find_corrections, recompute
from backend.meetings.coverage_figures import COVERAGE_FIGURES
from backend.meetings.data_state import count_undrained, read_data_state
from backend.meetings.figures import Figure, Scope, store_figures
from backend.meetings.hazard_figures import HAZARD_FIGURES
from backend.meetings.labels import load_labels
from backend.meetings.listing import list_entries
from backend.meetings.models import Paper, PaperFigure, PaperFigureRow
from backend.meetings.periods import MONDAY, Period, period_at, period_from
from backend.meetings.seals import receipts_digest, seal_of
from backend.meetings.service_figures import SERVICE_FIGURES

FIGURES: tuple[Figure, ...] = (*HAZARD_FIGURES, *COVERAGE_FIGURES, *SERVICE_FIGURES)
#: Longest list printed inside a paper; the rest is in the receipts.
LIST_ROWS = 200
JOB = "paper"
#: Hour of the day from which the last period's paper is made: phones that come back in the night are in it.
HOUR = 6


class PeriodNotBegun(InvalidInput):
    """The period lies in the future."""


class PeriodNotOver(Conflict):
    """A paper is issued when its period is over; until then it is a draft."""


class PaperNotReady(Conflict):
    """The paper was not computed yet."""


class PaperIssued(Conflict):
    """An issued paper never changes."""


class IdentityBroken(Conflict):
    """The printed identity does not hold: a defect, so the paper may not be issued."""


class CompilePending(Exception):
    """``jobs`` compile jobs from before the request have not drained; try again soon."""

    def __init__(self, jobs: int) -> None:
        super().__init__(jobs)
        self.jobs = jobs


add_messages(
    {
        "paper_not_found": ("没有此期，或尚未印发。", "There is no such paper, or it is not issued yet."),
        "figure_not_found": ("本期没有此数字。", "This paper has no such figure."),
        "unknown_period_kind": ("类型应为 weekly、monthly 或 annual。", "The kind must be weekly, monthly or annual."),
        "period_not_begun": ("该期尚未开始。", "That period has not begun."),
        "period_not_over": ("该期尚未结束，只能查看草稿。", "That period is not over; there is only a draft."),
        "paper_not_ready": ("本期正在生成，请稍候。", "The paper is being made; wait a moment."),
        "paper_issued": ("本期已印发，不再更改。", "The paper is issued and never changes."),
        "identity_broken": (
            "期初期末核对不符，不得印发，请联系管理员。",
            "The identity does not hold; do not issue, call the administrator.",
        ),
    }
)


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


def make_paper(
    session: Session,
    runtime: Runtime,
    community_id: UUID,
    paper_id: UUID,
    figures: Sequence[Figure] = FIGURES,
) -> None:
    """Compute a paper in the running transaction, which must be REPEATABLE READ: all its numbers are of one snapshot.

    Raises CompilePending while compile jobs older than the request are open. An issued paper is left alone.
    """
    if session.scalar(text("SHOW transaction_isolation")) == "read committed":
        raise RuntimeError("a paper is made in one snapshot: open the transaction as REPEATABLE READ")
    paper = queries.get_paper(session, community_id, paper_id, lock=True)
    if paper.state == "issued":
        return
    undrained = count_undrained(session, community_id, paper)
    if undrained:
        raise CompilePending(undrained)
    sealer = runtime.part(Keyring).sealer(session, community_id)
    of_paper = {"community_id": community_id, "paper_id": paper_id}
    session.execute(delete(PaperFigureRow).filter_by(**of_paper))
    session.execute(delete(PaperFigure).filter_by(**of_paper))
    period = period_from(paper.kind, paper.period_start_ms)
    found = find(session, sealer, community_id, paper_id, period, figures)
    for name, key in (("major", "open_end.red"), ("overdue", "overdue")):
        figure = PaperFigure(community_id=community_id, paper_id=paper_id, key=key, row_kind="hazard")
        rows = queries.list_figure_rows(session, figure, limit=LIST_ROWS)[:LIST_ROWS]
        found[name] = list_entries(session, sealer if name == "major" else None, community_id, rows, found["labels"])
    content = compose(Findings(figures=figures, period=period, **found))
    content["receipts_sha256"] = receipts_digest(session, community_id, paper_id)
    paper.content, paper.cutoff_ms, paper.state, paper.sha256 = content, found["cutoff_ms"], "draft", None
    session.flush()


def find(
    session: Session, sealer: Sealer, community_id: UUID, paper_id: UUID, period: Period, figures: Sequence[Figure]
) -> dict[str, Any]:
    """Store the paper's figures and rows; what else there is to say about its period."""
    community = session.get_one(Community, community_id)
    cutoff_ms = clock.now_ms(community.clock_offset_ms)
    labels = load_labels(session)
    scope = Scope.of(community_id, period, cutoff_ms, labels.gaps, Answers(session, sealer, community_id))
    values = store_figures(session, figures, scope, paper_id)
    of = recompute(session, figures, scope)
    corrections, reconciliation = find_corrections(session, community_id, period, of)
    return {
        "community": community.name,
        "cutoff_ms": cutoff_ms,
        "values": values,
        "before": of(period.previous()),
        "labels": labels,
        "data": read_data_state(session, community_id),
        "corrections": corrections,
        "reconciliation": reconciliation,
    }


def issue_paper(session: Session, community_id: UUID, paper_id: UUID, now_ms: int, actor_id: UUID) -> Paper:
    """Freeze a draft: from here on neither it nor its figures nor their rows change.

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
    return paper


def due_papers(session: Session, runtime: Runtime, community_id: UUID, now_ms: int) -> list[UUID]:
    """Ask for the papers that the community's schedule owes by now: that of the last period that is over.

    ``settings["papers"]``: ``{"kind": "weekly", "starts_on": 1, "hour": 6}`` (``kind`` may be a list; papers are made
    from ``hour`` o'clock on the day after the period). Each slot is one unique job row, so asking again is harmless.
    A draft that somebody has had made since is left alone: he may be reading it.
    """
    community = session.get_one(Community, community_id)
    plan = community.settings.get("papers") or {}
    kinds = plan.get("kind", "weekly")
    due = []
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        running = period_at(kind, now_ms - plan.get("hour", HOUR) * 3_600_000, plan.get("starts_on", MONDAY))
        period = running.previous()
        born_ms = int(community.created_at.timestamp() * 1000) + community.clock_offset_ms
        if born_ms < period.end_ms and ledger.take_slot(session, community_id, f"paper:{kind}:{period.slot}"):
            due.append(request_paper(session, community_id, period, now_ms, again=False).id)
    if due:
        after_commit(session, lambda: runtime.doorbell.ring(JOB, community_id))
    return due
