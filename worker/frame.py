"""The frame around every job: claim → work → done.

A claim is committed before the work, so attempts are counted even when the work kills its process. The work runs in
one transaction that first reads which claimed rows are still ours and how often they were wanted (the fence), and
at its end locks just these: a worker that was frozen beyond its lease finds some gone and changes nothing, and a
push for a place that is being compiled does not wait for it. A batch that fails is halved until the subjects that
fail by themselves stand alone; their neighbours are done.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.http.context import Runtime
from backend.jobs import ledger
from backend.jobs.doorbell import CeleryDoorbell
from backend.logs import fact_of, log

#: SQLSTATEs of work that met other work: serialization failure, deadlock, lock not available.
COLLISIONS = frozenset({"40001", "40P01", "55P03"})
COLLISION_TRIES = 4
CUT_OFF = ("57P0", "25P03", "25P04")
#: Every so many claims, subjects that failed before go first, so that fresh work cannot starve them.
RETRY_TURN = 8
SLICE_S = 5.0

#: ``run(session, runtime, community_id, subjects)``: recompute the subjects; never commits.
Run = Callable[[Session, Runtime, UUID, Sequence[str]], None]


class NotYet(Exception):
    """The job cannot run yet and has not failed; look again in ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker does for jobs of one kind.

    ``batch`` subjects are claimed at a time. The lease must outlast a batch: the work's transaction is cut off by
    PostgreSQL when it is over, so that a frozen worker cannot keep rows locked. ``repeat``: wanted again that long
    after each run (such a job never dies, it only backs off). ``isolation``: of the work's transaction, where the
    database's own does not do (a paper is of one snapshot).
    """

    kind: str
    run: Run
    batch: int = 1
    lease: timedelta = timedelta(seconds=60)
    repeat: timedelta | None = None
    isolation: str | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """What one worker process works with."""

    runtime: Runtime
    bell: CeleryDoorbell


def drain(crew: Crew, work: Work, community_id: UUID, slice_s: float = SLICE_S) -> None:
    """Do the open jobs of a community for a time slice, then ring again: communities take turns.

    A full batch rings at once, so that an idle process helps.
    """
    crew.bell.heard(work.kind, community_id)
    ends, turn = time.monotonic() + slice_s, 0
    while time.monotonic() < ends:
        turn += 1
        with crew.runtime.db.transaction() as session:
            claimed = ledger.claim(
                session,
                work.kind,
                community_id,
                limit=work.batch,
                lease=work.lease,
                retries_first=turn % RETRY_TURN == 0,
                mortal=work.repeat is None,
            )
        if claimed is None:
            return
        if len(claimed.subjects) == work.batch:
            crew.bell.ring(work.kind, community_id)
        do(crew, work, claimed)
    crew.bell.ring(work.kind, community_id)


def do(crew: Crew, work: Work, claimed: ledger.Claim) -> None:
    """Work on a claim and settle it: done, postponed, or failed subject by subject."""
    started = time.monotonic()
    try:
        done = _attempt(crew, work, claimed)
    except NotYet as later:
        with crew.runtime.db.transaction() as session:
            ledger.postpone(session, claimed, timedelta(seconds=later.seconds))
    except Exception as error:
        if len(claimed.subjects) == 1 or _lost_connection(error):
            _give_up(crew, work, claimed, error)
            return
        middle = len(claimed.subjects) // 2
        for half in (claimed.subjects[:middle], claimed.subjects[middle:]):
            do(crew, work, ledger.Claim(claimed.kind, claimed.community_id, claimed.token, half))
    else:
        log.info(
            "jobs_done",
            kind=claimed.kind,
            community_id=str(claimed.community_id),
            subjects=done,
            fenced=len(claimed.subjects) - done,
            ms=round((time.monotonic() - started) * 1000, 1),
        )


def _attempt(crew: Crew, work: Work, claimed: ledger.Claim) -> int:
    """The work transaction, again when it collides with another; how many subjects were still ours."""
    tries = 0
    while True:
        try:
            return _work(crew, work, claimed)
        except ledger.LeaseLost:
            # What is still ours is found by the next fence.
            tries += 1
            if tries >= COLLISION_TRIES:
                raise
        except DBAPIError as error:
            tries += 1
            if tries >= COLLISION_TRIES or getattr(error.orig, "sqlstate", None) not in COLLISIONS:
                raise
            time.sleep(random.uniform(0.01, 0.1) * tries)


def _work(crew: Crew, work: Work, claimed: ledger.Claim) -> int:
    with crew.runtime.db.transaction([claimed.community_id], isolation=work.isolation) as session:
        limit_time(session, work.lease)
        wanted = ledger.fence(session, claimed)
        if wanted:
            work.run(session, crew.runtime, claimed.community_id, sorted(wanted))
            ledger.finish(session, claimed, wanted)
            if work.repeat:
                # After finish: done = wanted, so this asks for a next run and not for this one again.
                again = datetime.now(UTC) + work.repeat
                ledger.want(session, claimed.kind, claimed.community_id, wanted, run_after=again)
    return len(wanted)


def limit_time(session: Session, lease: timedelta) -> None:
    """Let PostgreSQL end this transaction, locks and all, when the lease on its subjects is over.

    Its statements are planned for the values they get: a plan kept from a small community reads a large one whole.
    """
    ms = str(int(lease.total_seconds() * 1000))
    session.execute(
        text(
            "SELECT set_config('transaction_timeout', :ms, true),"
            " set_config('idle_in_transaction_session_timeout', :ms, true),"
            " set_config('plan_cache_mode', 'force_custom_plan', true)"
        ),
        {"ms": ms},
    )


def _give_up(crew: Crew, work: Work, claimed: ledger.Claim, error: Exception) -> None:
    fact = fact_of(error)
    log.error(
        "job_failed",
        kind=claimed.kind,
        community_id=str(claimed.community_id),
        subjects=list(claimed.subjects[:10]),
        exc_info=error,
    )
    # With the database away the lease simply runs out; the attempt was counted when it was claimed.
    with suppress(DBAPIError), crew.runtime.db.transaction() as session:
        ledger.fail(session, claimed, fact, mortal=work.repeat is None)


def _lost_connection(error: Exception) -> bool:
    """Also when PostgreSQL cut it off: shutdown (57P0x), idle in transaction or transaction time over (25P0x)."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or (getattr(error.orig, "sqlstate", "") or "").startswith(CUT_OFF)
