"""Decisions of a meeting (议定事项) as tasks: made when minutes are issued, reported on, read by the next papers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import and_, or_, select, tuple_
from sqlalchemy.orm import Session

from backend.clock import local_day
from backend.db import new_id
from backend.errors import Conflict, InvalidInput, NotFound
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.identity.keys import Sealed, Sealer
from backend.identity.masking import mask_party, mask_prose, persons_in
from backend.inspections.models import RecordKey
from backend.meetings.models import Decision, DecisionStep
from backend.meetings.outlook import Task
from backend.meetings.periods import Period

OPEN, DONE, DROPPED = "open", "done", "dropped"
STATES: Final = {OPEN: ("落实中", "Open"), DONE: ("已完成", "Done"), DROPPED: ("已取消", "Dropped")}
#: Step → the states it starts from and the one it leads to. ``postponed`` moves the date.
STEPS: Final = {
    "done": (frozenset({OPEN}), DONE),
    "postponed": (frozenset({OPEN}), OPEN),
    "dropped": (frozenset({OPEN}), DROPPED),
    "reopened": (frozenset({DONE, DROPPED}), OPEN),
}
#: What an owner may report; the rest is for those who answer for the papers.
OF_OWNER: Final = frozenset({"done"})
LATE: Final = "逾期未完成"
MOST_PRINTED: Final = 100


class DecisionNotFound(NotFound):
    """There is no such decision, or it is not the caller's to see."""


class DecisionStepUnfit(Conflict):
    """The decision's state does not allow the step."""


class DecisionDueMissing(InvalidInput):
    """A postponement names its new date."""


add_messages(
    {
        "decision_not_found": ("没有此议定事项。", "There is no such decision."),
        "decision_step_unfit": ("议定事项当前状态不允许此操作。", "The decision's state does not allow that."),
        "decision_due_missing": ("延期须注明新的时限。", "A postponement must name its new date."),
    }
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who works on decisions, in which transaction."""

    session: Session
    sealer: Sealer
    community_id: UUID
    actor_id: UUID
    now_ms: int


class Standing(NamedTuple):
    """Where a decision stands after its steps."""

    state: str
    due: date
    settled_ms: int | None


def stand(due: date, steps: Iterable[DecisionStep]) -> Standing:
    """A decision first due on ``due`` after ``steps``, in their own order whatever order they are given in."""
    standing = Standing(OPEN, due, None)
    for step in sorted(steps, key=lambda step: (step.effective_ms, step.id)):
        starts, to = STEPS[step.kind]
        if standing.state in starts:
            standing = Standing(to, step.due or standing.due, None if to == OPEN else step.effective_ms)
    return standing


def seal_under(desk: Desk, row_id: UUID, said: Any) -> bytes:
    """``said`` as JSON, sealed under a key of the row's own, which is kept."""
    sealed = desk.sealer.seal(row_id, orjson.dumps(said))
    desk.session.add(
        RecordKey(
            community_id=desk.community_id, record_id=row_id, key_version=sealed.key_version, wrapped=sealed.wrapped
        )
    )
    return sealed.body


def open_sealed(session: Session, sealer: Sealer, community_id: UUID, rows: dict[UUID, bytes]) -> dict[UUID, Any]:
    """What was sealed, by row; absent when lawfully erased."""
    keys = session.execute(
        select(RecordKey.record_id, RecordKey.key_version, RecordKey.wrapped).where(
            RecordKey.community_id == community_id, RecordKey.record_id.in_(rows)
        )
    )
    return {
        row_id: orjson.loads(sealer.open(row_id, Sealed(rows[row_id], key_version, wrapped)))
        for row_id, key_version, wrapped in keys
    }


def make_decisions(desk: Desk, minutes_id: UUID, decided: Sequence[dict[str, Any]]) -> None:
    """Make a task of each decision. ``decided``: ``{text, owner, owner_id, due, hazard_ids}`` as the minutes say."""
    for n, one in enumerate(decided, 1):
        decision_id = new_id()
        body = {"text": one["text"], "owner": one["owner"], "hazard_ids": one["hazard_ids"]}
        desk.session.add(
            Decision(
                community_id=desk.community_id,
                id=decision_id,
                minutes_id=minutes_id,
                n=n,
                owner_id=UUID(one["owner_id"]) if one["owner_id"] else None,
                first_due=date.fromisoformat(one["due"]),
                due=date.fromisoformat(one["due"]),
                sealed=seal_under(desk, decision_id, body),
                decided_ms=desk.now_ms,
                state=OPEN,
                settled_ms=None,
                rev=1,
            )
        )


def take_step(desk: Desk, decision_id: UUID, kind: str, note: str, due: date | None) -> None:
    """Report on a decision. DecisionNotFound, DecisionStepUnfit, DecisionDueMissing."""
    decision = desk.session.get(Decision, (desk.community_id, decision_id), with_for_update=True)
    if decision is None:
        raise DecisionNotFound
    if decision.state not in STEPS[kind][0]:
        raise DecisionStepUnfit(state=decision.state)
    if (kind == "postponed") != (due is not None):
        raise DecisionDueMissing
    of_decision = {"community_id": desk.community_id, "decision_id": decision_id}
    before = list(desk.session.scalars(select(DecisionStep).filter_by(**of_decision)))
    step_id = new_id()
    # Two steps never share a millisecond, so that their order is the order they came in.
    last_ms = max((step.effective_ms for step in before), default=0)
    step = DecisionStep(
        **of_decision,
        id=step_id,
        kind=kind,
        due=due,
        sealed=seal_under(desk, step_id, {"note": note}),
        effective_ms=max(desk.now_ms, last_ms + 1),
        actor_id=desk.actor_id,
    )
    desk.session.add(step)
    standing = stand(decision.first_due, [*before, step])
    decision.state, decision.due, decision.settled_ms = standing
    decision.rev += 1
    audit(
        *(desk.session, desk.community_id, f"decision_{kind}", f"decision:{decision_id}"),
        account_id=desk.actor_id,
        at_ms=desk.now_ms,
    )
    desk.session.flush()


def list_decisions(
    session: Session,
    community_id: UUID,
    *,
    owner_id: UUID | None,
    state: str | None,
    minutes_id: UUID | None = None,
    after: tuple[date, UUID] | None = None,
    limit: int = 50,
) -> Sequence[Decision]:
    """Up to ``limit + 1`` decisions by date, after the key ``(due, id)``."""
    d = Decision
    found = select(d).where(d.community_id == community_id)
    if owner_id is not None:
        found = found.where(d.owner_id == owner_id)
    if state is not None:
        found = found.where(d.state == state)
    if minutes_id is not None:
        found = found.where(d.minutes_id == minutes_id)
    if after is not None:
        found = found.where(tuple_(d.due, d.id) > tuple_(*after))
    return session.scalars(found.order_by(d.due, d.id).limit(limit + 1)).all()


def list_tasks(session: Session, sealer: Sealer, community_id: UUID, period: Period, cutoff_ms: int) -> list[Task]:
    """What meetings gave before a paper's cut-off and was open in its period, as the paper prints it."""
    d = Decision
    rows = session.scalars(
        select(d)
        .where(d.community_id == community_id, d.decided_ms < cutoff_ms)
        .where(or_(d.state == OPEN, and_(d.settled_ms >= period.start_ms, d.settled_ms < cutoff_ms)))
        .order_by(d.due, d.id)
        .limit(MOST_PRINTED)
    ).all()
    bodies = open_sealed(session, sealer, community_id, {row.id: row.sealed for row in rows})
    notes = last_notes(session, sealer, community_id, [row.id for row in rows])
    today = local_day(cutoff_ms)
    tasks = []
    for row in rows:
        body = bodies.get(row.id) or {"text": "（已依法删除）", "owner": ""}
        is_late = row.state == OPEN and row.due < today
        owner = body["owner"] if row.owner_id else mask_party(body["owner"])
        state = LATE if is_late else STATES[row.state][0]
        # Staff is named; whoever else owns a decision is not, in what is said of it either.
        persons = [] if row.owner_id else persons_in(body["owner"])
        said = mask_prose(notes.get(row.id, ""), persons)
        tasks.append(
            Task(mask_prose(body["text"], persons), owner, row.due.isoformat(), state, row.state == OPEN, is_late, said)
        )
    return tasks


def last_notes(session: Session, sealer: Sealer, community_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Decision → what its last step says."""
    s = DecisionStep
    rows = session.execute(
        select(s.decision_id, s.id, s.sealed)
        .where(s.community_id == community_id, s.decision_id.in_(ids))
        .order_by(s.effective_ms, s.id)
    ).all()
    last = {row.decision_id: row for row in rows}
    bodies = open_sealed(session, sealer, community_id, {row.id: row.sealed for row in last.values()})
    return {decision_id: (bodies.get(row.id) or {}).get("note", "") for decision_id, row in last.items()}
