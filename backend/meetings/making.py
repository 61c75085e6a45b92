"""Making a paper: all its numbers, rows and lists out of one snapshot."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from backend import clock
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealer
from backend.identity.models import Community
from backend.jobs.progress import Progress
from backend.meetings import queries
from backend.meetings.answers import Answers
from backend.meetings.composing import compose
from backend.meetings.corrections import Recompute, find_corrections, recompute
from backend.meetings.coverage_figures import COVERAGE_FIGURES
from backend.meetings.data_state import count_undrained, read_data_state
from backend.meetings.decisions import list_tasks
from backend.meetings.errors import CompilePending
from backend.meetings.figures import Figure, Scope, store_figures
from backend.meetings.grid_figures import store_by_grid
from backend.meetings.hazard_figures import HAZARD_FIGURES
from backend.meetings.labels import load_labels
from backend.meetings.listing import list_entries
from backend.meetings.models import PaperFigure, PaperFigureRow
from backend.meetings.outlook import has_begun_before, read_outlook
from backend.meetings.outlook_figures import OUTLOOK_FIGURES
from backend.meetings.paper_blocks import Findings
from backend.meetings.paper_files import drop_files, want_files
from backend.meetings.paper_ledger import store_ledger
from backend.meetings.periods import Period, period_from
from backend.meetings.record_sections import TREND
from backend.meetings.seals import receipts_digest
from backend.meetings.service_figures import SERVICE_FIGURES

FIGURES: tuple[Figure, ...] = (*HAZARD_FIGURES, *COVERAGE_FIGURES, *SERVICE_FIGURES)
#: With those that are stated but never corrected.
EVERY_FIGURE: tuple[Figure, ...] = (*FIGURES, *OUTLOOK_FIGURES)
#: Longest list printed inside a paper; the rest is in the receipts.
LIST_ROWS = 200
#: Periods in the trend, this one among them.
TREND_PERIODS = 4
JOB = "paper"


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
    progress = Progress(runtime.db, community_id, JOB, str(paper_id))
    undrained = count_undrained(session, community_id, paper)
    if undrained:
        progress.say("waiting", 0, undrained)
        raise CompilePending(undrained)
    progress.say("figures")
    of_paper = {"community_id": community_id, "paper_id": paper_id}
    session.execute(delete(PaperFigureRow).filter_by(**of_paper))
    session.execute(delete(PaperFigure).filter_by(**of_paper))
    drop_files(session, community_id, paper_id)
    period = period_from(paper.kind, paper.period_start_ms)
    sealer = runtime.part(Keyring).sealer(session, community_id)
    found = find(session, sealer, community_id, paper_id, period, figures)
    found |= _lists(session, sealer, community_id, paper_id, found["labels"])
    tasks = list_tasks(session, sealer, community_id, period, found["cutoff_ms"])
    found["outlook"] = read_outlook(session, community_id, period, tasks)
    found["ledger"] = store_ledger(session, runtime, community_id, paper_id, progress)
    content = compose(Findings(figures=(*figures, *OUTLOOK_FIGURES), period=period, **found))
    content["receipts_sha256"] = receipts_digest(session, community_id, paper_id)
    paper.content, paper.cutoff_ms, paper.state, paper.sha256 = content, found["cutoff_ms"], "draft", None
    session.flush()
    want_files(session, runtime, community_id, paper_id)
    progress.say("made", 1, 1)


def _lists(session: Session, sealer: Sealer, community_id: UUID, paper_id: UUID, labels: Any) -> dict[str, Any]:
    """The hazards that are printed by name: grave ones with who puts them right, overdue ones without."""
    found = {}
    for name, key in (("major", "open_end.red"), ("overdue", "overdue")):
        figure = PaperFigure(community_id=community_id, paper_id=paper_id, key=key, row_kind="hazard")
        rows = queries.list_figure_rows(session, figure, limit=LIST_ROWS)[:LIST_ROWS]
        found[name] = list_entries(session, sealer if name == "major" else None, community_id, rows, labels)
    return found


def find(
    session: Session, sealer: Sealer, community_id: UUID, paper_id: UUID, period: Period, figures: Sequence[Figure]
) -> dict[str, Any]:
    """Store the paper's figures and rows; what else there is to say about its period."""
    community = session.get_one(Community, community_id)
    cutoff_ms = clock.now_ms(community.clock_offset_ms)
    labels = load_labels(session, community_id)
    scope = Scope.of(community_id, period, cutoff_ms, labels.gaps, Answers(session, sealer, community_id))
    values = store_figures(session, (*figures, *OUTLOOK_FIGURES), scope, paper_id)
    of = recompute(session, figures, scope)
    corrections, reconciliation = find_corrections(session, community_id, period, of)
    in_trend = [figure for figure in figures if figure.key in TREND]
    is_first = not has_begun_before(session, community_id, period.start_ms)
    return {
        "community": community.name,
        "cutoff_ms": cutoff_ms,
        "values": values,
        "before": of(period.previous()),
        "labels": labels,
        "data": read_data_state(session, community_id),
        "corrections": corrections,
        "reconciliation": reconciliation,
        "grids": store_by_grid(session, community_id, paper_id, labels.grids),
        "trend": [] if is_first else _trend(period, recompute(session, in_trend, scope)),
        "is_first": is_first,
    }


def _trend(period: Period, of: Recompute) -> list[tuple[Period, Mapping[str, int]]]:
    """The periods before this one, oldest first, as they stand in this snapshot."""
    earlier = [period.previous()]
    while len(earlier) < TREND_PERIODS - 1:
        earlier.append(earlier[-1].previous())
    return [(one, of(one)) for one in reversed(earlier)]
