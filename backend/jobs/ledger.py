"""The job ledger: want, claim, fence, finish, fail.

A job is a subject that must be recomputed. Wanting it again while a worker computes it raises ``wanted`` above what
that worker will mark done, so nothing is missed; workers claim many subjects of one community at a time, with a lease
and a token that fences whoever was frozen beyond it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session

from backend.jobs.models import Job

MAX_ATTEMPTS = 5

#: One statement for any number of subjects, in their order, so that writers cannot deadlock.
_WANT = text(
    """
    INSERT INTO job (kind, community_id, subject, wanted, run_after)
    SELECT :kind, :community_id, subject, 1, coalesce(:run_after, now())
    FROM unnest(CAST(:subjects AS text[])) WITH ORDINALITY AS wanted (subject, n) ORDER BY n
    ON CONFLICT (kind, community_id, subject) DO UPDATE SET
        wanted = job.wanted + 1,
        run_after = CASE WHEN job.done < job.wanted THEN least(job.run_after, excluded.run_after)
                         ELSE excluded.run_after END,
        requested_at = CASE WHEN job.done < job.wanted THEN job.requested_at ELSE now() END,
        attempts = CASE WHEN job.done < job.wanted THEN job.attempts ELSE 0 END
    """
).bindparams(
    bindparam("kind", type_=Text),
    bindparam("community_id", type_=Uuid),
    bindparam("subjects", type_=ARRAY(Text)),
    bindparam("run_after", type_=DateTime(timezone=True)),
)


#: Each subject is done as far as it was wanted when it was read.
_FINISH = text(
    """
    UPDATE job SET done = read.wanted, attempts = 0, lease_until = NULL, token = NULL, last_error = NULL
    FROM unnest(CAST(:subjects AS text[]), CAST(:wanted AS bigint[])) AS read (subject, wanted)
    WHERE job.kind = :kind AND job.community_id = :community_id AND job.subject = read.subject
    """
)


class LeaseLost(Exception):
    """Another worker has a subject by now: this one was away beyond its lease."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Subjects of one kind and community leased to one worker under ``token``."""

    kind: str
    community_id: UUID
    token: UUID
    subjects: tuple[str, ...]


def want(
    session: Session,
    kind: str,
    community_id: UUID,
    subjects: Iterable[str],
    run_after: datetime | None = None,
) -> None:
    """Ask for ``subjects`` to be (re)computed, in this transaction. Sorted, so that writers cannot deadlock."""
    ordered = sorted(set(subjects))
    if ordered:
        values = {"kind": kind, "community_id": community_id, "subjects": ordered, "run_after": run_after}
        session.execute(_WANT, values)


def _among(subjects: Iterable[str]) -> ColumnElement[bool]:
    """``subject`` is one of these; one array parameter, however many there are."""
    return Job.subject == any_(bindparam(None, list(subjects), type_=ARRAY(Text)))


def claim(
    session: Session,
    kind: str,
    community_id: UUID,
    *,
    limit: int,
    lease: timedelta,
    retries_first: bool = False,
    mortal: bool = True,
) -> Claim | None:
    """Lease up to ``limit`` open subjects, oldest first; commit before working on them. None when there are none.

    Subjects that failed before are claimed one at a time, so that one that kills its worker takes no neighbour along.
    They come after the fresh ones unless ``retries_first``. One whose fifth worker did not come back is dead by now,
    unless it is not ``mortal``.
    """
    ready = [
        Job.kind == kind,
        Job.community_id == community_id,
        Job.done < Job.wanted,
        Job.dead_at.is_(None),
        Job.run_after <= func.now(),
        or_(Job.lease_until.is_(None), Job.lease_until < func.now()),
    ]
    if mortal:
        _bury_lost(session, ready)
    fresh, failed = (Job.attempts == 0, limit), (Job.attempts > 0, 1)
    for condition, size in (failed, fresh) if retries_first else (fresh, failed):
        found = (
            select(Job.subject)
            .where(*ready, condition)
            .order_by(Job.run_after)
            .limit(size)
            .with_for_update(skip_locked=True)
        )
        subjects = session.scalars(found).all()
        if subjects:
            token = uuid4()
            session.execute(
                update(Job)
                .where(Job.kind == kind, Job.community_id == community_id, _among(subjects))
                .values(attempts=Job.attempts + 1, token=token, lease_until=func.now() + lease)
            )
            return Claim(kind, community_id, token, tuple(sorted(subjects)))
    return None


def _bury_lost(session: Session, ready: list[ColumnElement[bool]]) -> None:
    """Mark dead what took all its workers along: they could not say that they failed."""
    lost = select(Job.subject).where(*ready, Job.attempts >= MAX_ATTEMPTS).with_for_update(skip_locked=True)
    subjects = session.scalars(lost).all()
    if subjects:
        session.execute(
            update(Job)
            .where(*ready, _among(subjects))
            .values(dead_at=func.now(), lease_until=None, token=None, last_error="its worker was lost")
        )


def fence(session: Session, claimed: Claim) -> dict[str, int]:
    """The claim's rows that are still ours: subject → ``wanted``. Do this before reading any fact.

    Locks nothing: whoever wants a subject again meanwhile does not wait for the work to end.
    """
    rows = session.execute(_still_ours(claimed, claimed.subjects))
    return {row.subject: row.wanted for row in rows}


def finish(session: Session, claimed: Claim, wanted: dict[str, int]) -> None:
    """Mark as done what was wanted when the fence was read, and give the lease back; the last thing before the commit.

    What was wanted since stays open. LeaseLost when a subject is ours no more: nothing of the work may be committed.
    """
    held = session.execute(_still_ours(claimed, wanted).order_by(Job.subject).with_for_update()).all()
    if len(held) < len(wanted):
        raise LeaseLost
    of_claim = {"kind": claimed.kind, "community_id": claimed.community_id}
    session.execute(_FINISH, {**of_claim, "subjects": list(wanted), "wanted": list(wanted.values())})


def _still_ours(claimed: Claim, subjects: Iterable[str]) -> Select[str, int]:
    return (
        select(Job.subject, Job.wanted)
        .where(Job.kind == claimed.kind, Job.community_id == claimed.community_id)
        .where(_among(subjects), Job.token == claimed.token)
    )


def postpone(session: Session, claimed: Claim, delay: timedelta) -> None:
    """Give the lease back unworked: the time had not come, which is no failure and counts as no attempt."""
    session.execute(
        update(Job)
        .where(Job.kind == claimed.kind, Job.community_id == claimed.community_id)
        .where(_among(claimed.subjects), Job.token == claimed.token)
        .values(
            lease_until=None,
            token=None,
            attempts=func.greatest(Job.attempts - 1, 0),
            run_after=func.now() + delay,
        )
    )


def fail(session: Session, claimed: Claim, error: str, *, dead: bool = False, mortal: bool = True) -> None:
    """Give the lease back after a failure; retried with exponential back-off, dead after five attempts in a row.

    ``error`` must not hold personal data. ``dead``: no further attempt makes sense. A job that is not ``mortal`` only
    backs off.
    """
    session.execute(
        update(Job)
        .where(Job.kind == claimed.kind, Job.community_id == claimed.community_id)
        .where(_among(claimed.subjects), Job.token == claimed.token)
        .values(
            lease_until=None,
            token=None,
            last_error=error[:500],
            run_after=func.now() + text("interval '1 second' * power(3, least(attempts, 6))"),
            dead_at=case((or_(literal(dead), and_(literal(mortal), Job.attempts >= MAX_ATTEMPTS)), func.now())),
        )
    )


def revive(session: Session, kind: str, community_id: UUID, subjects: Sequence[str]) -> int:
    """Requeue dead jobs by hand; returns how many."""
    return len(
        session.execute(
            update(Job)
            .where(tuple_(Job.kind, Job.community_id).in_([(kind, community_id)]), _among(subjects))
            .where(Job.dead_at.is_not(None))
            .values(dead_at=None, attempts=0, run_after=func.now())
            .returning(Job.subject)
        ).all()
    )


def revive_all(session: Session) -> int:
    """Requeue every dead job, after what killed them was repaired; returns how many."""
    dead = update(Job).where(Job.dead_at.is_not(None), Job.done < Job.wanted)
    revived = dead.values(dead_at=None, attempts=0, run_after=func.now()).returning(Job.subject)
    return len(session.execute(revived).all())


def waiting(session: Session) -> list[tuple[str, UUID]]:
    """Every (kind, community) with work that could start now: whose bell the sweeper must ring."""
    rows = session.execute(
        select(Job.kind, Job.community_id)
        .where(Job.done < Job.wanted, Job.dead_at.is_(None), Job.run_after <= func.now())
        .where(or_(Job.lease_until.is_(None), Job.lease_until < func.now()))
        .distinct()
    )
    return [(kind, community_id) for kind, community_id in rows]


def seconds_unworked(session: Session) -> float:
    """How long the oldest ready subject has waited while nobody works on anything: a sign of deaf workers.

    0 while any lease runs, and when nothing waits.
    """
    leased = select(Job.subject).where(Job.lease_until >= func.now(), Job.done < Job.wanted).exists()
    ready_since = func.min(func.greatest(Job.run_after, Job.requested_at, Job.lease_until))
    waited = (
        select(func.extract("epoch", func.clock_timestamp() - ready_since))
        .where(Job.done < Job.wanted, Job.dead_at.is_(None), Job.run_after <= func.now())
        .where(~leased)
    )
    return float(session.scalar(waited) or 0)


def open_count(session: Session, kind: str, community_id: UUID) -> int:
    """How many subjects of this kind wait or run now (dead ones and those for later not counted)."""
    counted = (
        select(func.count())
        .select_from(Job)
        .where(Job.kind == kind, Job.community_id == community_id, Job.done < Job.wanted)
        .where(Job.dead_at.is_(None), Job.run_after <= func.now())
    )
    return session.scalar(counted) or 0


def communities(session: Session) -> list[UUID]:
    """Every community of the installation: each has its ``schedule`` job from its creation on."""
    return list(
        session.scalars(select(Job.community_id).where(Job.kind == "schedule").distinct().order_by(Job.community_id))
    )


def take_slots(session: Session, community_id: UUID, slots: Iterable[str]) -> set[str]:
    """Those of ``slots`` that the caller is the first to take. Sorted, so that takers cannot deadlock."""
    common = {"kind": "schedule", "community_id": community_id, "wanted": 1, "done": 1}
    rows = [{**common, "subject": slot} for slot in sorted(set(slots))]
    taken = pg_insert(Job).values(rows).on_conflict_do_nothing().returning(Job.subject)
    return set(session.scalars(taken)) if rows else set()


def take_slot(session: Session, community_id: UUID, slot: str) -> bool:
    """True for the one caller that comes first: a scheduled slot is a job row that is born done."""
    return bool(take_slots(session, community_id, [slot]))
