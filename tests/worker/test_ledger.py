"""The job ledger by itself, against a real PostgreSQL, with really concurrent claims."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from backend.db import Database
from backend.jobs import ledger
from backend.jobs.models import Job

KIND = "probe"
LEASE = timedelta(minutes=1)


@pytest.fixture
def community() -> UUID:
    return uuid4()


def want(db: Database, community: UUID, *subjects: str) -> None:
    with db.transaction() as session:
        ledger.want(session, KIND, community, subjects)


def claim(db: Database, community: UUID, limit: int = 10, lease: timedelta = LEASE) -> ledger.Claim | None:
    with db.transaction() as session:
        return ledger.claim(session, KIND, community, limit=limit, lease=lease)


def must_claim(db: Database, community: UUID, limit: int = 10, lease: timedelta = LEASE) -> ledger.Claim:
    claimed = claim(db, community, limit, lease)
    assert claimed is not None
    return claimed


def finish(db: Database, claimed: ledger.Claim) -> dict[str, int]:
    with db.transaction() as session:
        wanted = ledger.fence(session, claimed)
        ledger.finish(session, claimed, wanted)
        return wanted


def row(db: Database, community: UUID, subject: str) -> Job:
    with db.transaction() as session:
        return session.scalars(select(Job).where(Job.community_id == community, Job.subject == subject)).one()


def make_ready(db: Database, community: UUID) -> None:
    """Let the back-off of every job of the community be over."""
    with db.transaction() as session:
        session.execute(update(Job).where(Job.community_id == community).values(run_after=text("now()")))


def test_claim_two_wants_of_one_subject_makes_one_job(db: Database, community: UUID) -> None:
    want(db, community, "a", "a", "b")
    want(db, community, "a")
    claimed = must_claim(db, community)
    assert claimed.subjects == ("a", "b")
    assert finish(db, claimed) == {"a": 2, "b": 1}
    assert claim(db, community) is None


def test_want_during_work_is_not_marked_done(db: Database, community: UUID) -> None:
    want(db, community, "a")
    claimed = must_claim(db, community)
    with db.transaction() as session:
        wanted = ledger.fence(session, claimed)
        want(db, community, "a")  # in a transaction of its own, which waits for nobody
        ledger.finish(session, claimed, wanted)
    assert must_claim(db, community).subjects == ("a",)


def test_finish_lease_lost_during_work_commits_nothing(db: Database, community: UUID) -> None:
    want(db, community, "a", "b")
    overslept = must_claim(db, community, lease=timedelta(0))
    with db.transaction() as session:
        wanted = ledger.fence(session, overslept)
        other = must_claim(db, community, limit=1)
        with pytest.raises(ledger.LeaseLost):
            ledger.finish(session, overslept, wanted)
        kept = ledger.fence(session, overslept)
    assert kept.keys() == {"a", "b"} - set(other.subjects)


def test_want_between_claim_and_fence_is_done_with_it(db: Database, community: UUID) -> None:
    want(db, community, "a")
    claimed = must_claim(db, community)
    want(db, community, "a")
    assert finish(db, claimed) == {"a": 2}
    assert claim(db, community) is None


def test_claim_concurrent_workers_share_without_overlap(db: Database, community: UUID) -> None:
    subjects = [f"s{n:03}" for n in range(120)]
    want(db, community, *subjects)
    seen: Counter[str] = Counter()
    lock = threading.Lock()

    def work() -> None:
        while claimed := claim(db, community, limit=7):
            with lock:
                seen.update(claimed.subjects)
            finish(db, claimed)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == Counter(subjects)


def test_claim_leased_subject_is_left_alone_until_the_lease_is_over(db: Database, community: UUID) -> None:
    want(db, community, "a")
    must_claim(db, community)
    assert claim(db, community) is None
    with db.transaction() as session:
        session.execute(
            update(Job).where(Job.community_id == community).values(lease_until=text("now() - interval '1 s'"))
        )
    assert must_claim(db, community).subjects == ("a",)


def fenced_out(db: Database, community: UUID, fence: Callable[..., dict[str, int]]) -> None:
    """A worker that overslept its lease must find nothing that is still its own."""
    want(db, community, "a")
    overslept = must_claim(db, community, lease=timedelta(0))
    finish(db, must_claim(db, community))
    want(db, community, "a")
    with db.transaction() as session:
        assert fence(session, overslept) == {}


def test_fence_overslept_lease_finds_nothing(db: Database, community: UUID) -> None:
    fenced_out(db, community, ledger.fence)


def test_fence_that_forgets_the_token_is_caught(db: Database, community: UUID) -> None:
    def forgetful(_session: object, claimed: ledger.Claim) -> dict[str, int]:
        return dict.fromkeys(claimed.subjects, 1)

    with pytest.raises(AssertionError):
        fenced_out(db, community, forgetful)


def test_fail_backs_off_and_dies_after_five_attempts(db: Database, community: UUID) -> None:
    want(db, community, "a")
    delays = []
    for attempt in range(1, ledger.MAX_ATTEMPTS + 1):
        claimed = must_claim(db, community)
        with db.transaction() as session:
            ledger.fail(session, claimed, "Broken at probe.py:1")
        job = row(db, community, "a")
        assert (job.attempts, job.dead_at is not None) == (attempt, attempt == ledger.MAX_ATTEMPTS)
        assert claim(db, community) is None
        with db.transaction() as session:
            delay = select(Job.run_after - text("now()")).where(Job.community_id == community)
            delays.append(session.scalars(delay).one())
        make_ready(db, community)
    assert delays == sorted(delays)
    assert delays[0] < delays[-1] / 10
    assert job.last_error == "Broken at probe.py:1"
    assert claim(db, community) is None
    with db.transaction() as session:
        assert ledger.revive(session, KIND, community, ["a"]) == 1
    finish(db, must_claim(db, community))
    job = row(db, community, "a")
    assert (job.attempts, job.dead_at, job.last_error) == (0, None, None)


def test_claim_subject_that_took_five_workers_along_is_dead(db: Database, community: UUID) -> None:
    want(db, community, "killer")
    for _ in range(ledger.MAX_ATTEMPTS):
        must_claim(db, community, lease=timedelta(0))
    want(db, community, "neighbour")
    assert must_claim(db, community).subjects == ("neighbour",)
    assert claim(db, community) is None
    job = row(db, community, "killer")
    assert (job.dead_at is not None, job.last_error) == (True, "its worker was lost")


def test_fail_immortal_job_only_backs_off(db: Database, community: UUID) -> None:
    want(db, community, "a")
    for _ in range(ledger.MAX_ATTEMPTS + 2):
        with db.transaction() as session:
            claimed = ledger.claim(session, KIND, community, limit=1, lease=LEASE, mortal=False)
        assert claimed is not None
        with db.transaction() as session:
            ledger.fail(session, claimed, "x", mortal=False)
        make_ready(db, community)
    assert row(db, community, "a").dead_at is None


def test_postpone_counts_no_attempt(db: Database, community: UUID) -> None:
    want(db, community, "a")
    for _ in range(ledger.MAX_ATTEMPTS * 2):
        claimed = must_claim(db, community)
        with db.transaction() as session:
            ledger.postpone(session, claimed, timedelta(0))
    assert row(db, community, "a").attempts == 0


def test_claim_failed_subject_comes_alone_and_after_fresh_ones(db: Database, community: UUID) -> None:
    want(db, community, "bad", "worse")
    with db.transaction() as session:
        ledger.fail(session, must_claim(db, community), "x")
    want(db, community, "fresh1", "fresh2")
    make_ready(db, community)
    assert must_claim(db, community).subjects == ("fresh1", "fresh2")
    with db.transaction() as session:
        first = ledger.claim(session, KIND, community, limit=10, lease=LEASE, retries_first=True)
    assert first is not None
    assert len(first.subjects) == 1
    assert len(must_claim(db, community).subjects) == 1


def test_want_later_is_not_claimed_before_its_time(db: Database, community: UUID) -> None:
    with db.transaction() as session:
        now = session.scalar(select(text("now()")))
        ledger.want(session, KIND, community, ["a"], run_after=now + timedelta(hours=1))
        assert (KIND, community) not in ledger.waiting(session)
    assert claim(db, community) is None
    want(db, community, "a")
    assert must_claim(db, community).subjects == ("a",)


def test_want_by_many_writers_in_any_order_does_not_deadlock(db: Database, community: UUID) -> None:
    subjects = [f"s{n:02}" for n in range(40)]

    def write(order: list[str]) -> None:
        for _ in range(10):
            want(db, community, *order)

    threads = [threading.Thread(target=write, args=(subjects[::step],)) for step in (1, -1, 2, -2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert row(db, community, "s00").wanted == 10 * 3
