"""Who is told what: over the database, by the steps that people take."""

from datetime import datetime

from backend import clock
from backend.clock import SHANGHAI
from backend.hazards.lifecycle import CHASE_EVERY_MS
from backend.notifications.reminding import due_reminders
from tests.factories.records import CHARGING_EBIKE
from tests.factories.sweeps import DAY_MS, Sweep
from tests.notifications.people import kinds_of, look, loose_cage, told


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


def test_referred_without_answer_is_chased_every_week_after_the_last_word(sweep: Sweep) -> None:
    committee, head = sweep.person("committee"), sweep.person("grid_head")
    hazard = loose_cage(sweep, sweep.tree.households[0])
    answer = committee.take("refer", hazard, recipient="区住建局", letter="关于防盗网的函〔2026〕7号")
    assert answer.status_code == 200, answer.json
    now_ms = clock.now_ms()
    for days in (1, 6, 8, 9, 30):
        look(sweep, now_ms + days * DAY_MS)
    assert kinds_of(sweep, committee.account.id) == ["chase", "chase"]
    assert committee.take("chase", hazard, note="电话催办，答复本周到场").status_code == 200
    chased_ms = committee.task(hazard)["chase_due"]["ms"] - CHASE_EVERY_MS
    assert look(sweep, chased_ms + CHASE_EVERY_MS - 1) == 0
    assert look(sweep, chased_ms + CHASE_EVERY_MS) == 1
    assert look(sweep, chased_ms + CHASE_EVERY_MS + 1) == 0
    assert kinds_of(sweep, head.account.id) == []
    assert {slot.split(":")[0] for _, slot in told(sweep)} == {"chase"}
