"""Who is told what, once: over the database, with workers that die, come late, and come several at a time."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from random import Random
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from backend import clock
from backend.clock import SHANGHAI
from backend.jobs import ledger
from backend.notifications.reminding import due_reminders, remind
from tests.factories.records import CHARGING_EBIKE
from tests.factories.sweeps import DAY_MS, Sweep
from tests.notifications.people import kinds_of, look, loose_cage, told


class Killed(Exception):
    """The worker is no more: nothing of its transaction is."""


def play(sweep: Sweep, seed: int) -> list[int]:
    """Twelve days of a hazard past its deadline: looks by several workers at once, some of whom die before their
    commit, some days without any."""
    rng, now_ms = Random(seed), clock.now_ms()
    hours = sorted(rng.sample(range(0, 24 * 24), 20))
    for hour in hours:
        at_ms, dying = now_ms + hour * 3_600_000, [rng.random() < 0.4 for _ in range(3)]
        threads = [threading.Thread(target=one_look, args=(sweep, at_ms, dies)) for dies in dying]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    look(sweep, now_ms + hours[-1] * 3_600_000)
    return hours


def one_look(sweep: Sweep, at_ms: int, dies: bool) -> None:
    try:
        with sweep.db.transaction([sweep.community_id]) as session:
            remind(session, sweep.community_id, at_ms)
            if dies:
                raise Killed
    except Killed:
        return


def check_told_once(sweep: Sweep, seed: int) -> None:
    """After whatever happened: everything that was to be told by the last look is told, and once."""
    head, committee, street = (sweep.person(role) for role in ("grid_head", "committee", "street"))
    hazard = loose_cage(sweep, sweep.tree.households[0], days_ago=1)
    hours = play(sweep, seed)
    late = (clock.local_day(clock.now_ms() + hours[-1] * 3_600_000) - due_day(sweep, hazard)).days
    for person, days, slots in ((head, 1, 2), (committee, 3, 1), (street, 7, 1)):
        kinds = kinds_of(sweep, person.account.id)
        assert Counter(kinds).most_common(1) == ([(kinds[0], 1)] if kinds else [])
        assert len(kinds) == (slots if late >= days else slots - 1 if late >= -2 else 0)


def due_day(sweep: Sweep, hazard: UUID) -> date:
    return clock.local_day(sweep.person("viewer").task(hazard)["deadline"]["ms"])


@pytest.mark.parametrize("seed", range(4))
def test_remind_killed_late_and_at_once_tells_everybody_once(sweep: Sweep, seed: int) -> None:
    check_told_once(sweep, seed)


def check_many(sweep: Sweep) -> None:
    for seed in range(6):
        check_told_once(sweep, seed)


def taking_apart(sweep: Sweep) -> Callable[[Session, UUID, Iterable[str]], set[str]]:
    """The seeded bug: slots are committed before what they are for."""

    def take_slots(_session: Session, community_id: UUID, slots: Iterable[str]) -> set[str]:
        with sweep.db.transaction([community_id]) as apart:
            return ledger_take_slots(apart, community_id, slots)

    return take_slots


ledger_take_slots = ledger.take_slots


def test_check_catches_slots_taken_before_the_work(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "take_slots", taking_apart(sweep))
    with pytest.raises(AssertionError):
        check_many(sweep)


def test_remind_of_a_red_one_after_days_without_a_worker_tells_of_today_only(sweep: Sweep) -> None:
    officer = sweep.person("safety_officer")
    sweep.hazard(sweep.tree.households[0], days_ago=0, answers=CHARGING_EBIKE)
    now_ms = clock.now_ms()
    look(sweep, now_ms)
    before = kinds_of(sweep, officer.account.id).count("watch")
    look(sweep, now_ms + 7 * DAY_MS)
    look(sweep, now_ms + 7 * DAY_MS + 1)
    assert (before, kinds_of(sweep, officer.account.id).count("watch")) == (1, 2)


def test_owner_is_the_assignee_then_the_grid_head_then_who_stands_in(sweep: Sweep) -> None:
    committee = sweep.person("committee")
    home = sweep.tree.households[0]
    grid = sweep.tree.grid_of[home]
    hazard = loose_cage(sweep, home)
    at_ms = clock.now_ms() + 9 * DAY_MS
    look(sweep, at_ms)
    assert "due" in kinds_of(sweep, committee.account.id)  # nobody stands between
    head, elsewhere = sweep.person("grid_head", grid), sweep.person("grid_head", sweep.tree.grids[1])
    worker = sweep.person("grid_worker", grid)
    due = clock.now_ms() + 5 * DAY_MS
    assigned = {"deadline_ms": due, "severity": "yellow", "assignee_account_id": str(worker.account.id)}
    assert head.take("assign", hazard, **assigned).status_code == 200
    look(sweep, due + DAY_MS)
    assert kinds_of(sweep, worker.account.id) == ["due"]
    assert kinds_of(sweep, head.account.id) == ["late1"]
    assert kinds_of(sweep, elsewhere.account.id) == []


def test_remind_only_between_morning_and_evening_and_once_an_hour(sweep: Sweep) -> None:
    sweep.person("committee")
    loose_cage(sweep, sweep.tree.households[0], days_ago=1)
    day = clock.local_day(clock.now_ms() + 20 * DAY_MS)
    counts = []
    for hour in (3, 7, 8, 8, 23):
        at_ms = int(datetime(day.year, day.month, day.day, hour, 30, tzinfo=SHANGHAI).timestamp() * 1000)
        with sweep.db.transaction([sweep.community_id]) as session:
            counts.append(due_reminders(session, sweep.community_id, at_ms))
    assert counts[0] == counts[1] == counts[3] == counts[4] == 0
    assert counts[2] > 0


def test_referred_without_answer_is_chased_every_week(sweep: Sweep) -> None:
    committee, head = sweep.person("committee"), sweep.person("grid_head")
    hazard = loose_cage(sweep, sweep.tree.households[0])
    answer = committee.take("refer", hazard, recipient="区住建局", letter="关于防盗网的函〔2026〕7号")
    assert answer.status_code == 200, answer.json
    now_ms = clock.now_ms()
    for days in (1, 6, 8, 9, 30):
        look(sweep, now_ms + days * DAY_MS)
    assert kinds_of(sweep, committee.account.id) == ["chase", "chase"]
    assert kinds_of(sweep, head.account.id) == []
    assert {slot.split(":")[0] for _, slot in told(sweep)} == {"chase"}
