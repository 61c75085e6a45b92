"""Reminders by real workers: killed while they send, away for days, and yet everybody is told, in the inbox once."""

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from backend import clock
from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from tests.factories.outside import Robot, robot_server
from tests.factories.sweeps import Person, Sweep, make_sweep
from tests.factories.valkey import OwnValkey
from tests.notifications.people import loose_cage, told
from tests.worker.probing import Workers, eventually

COMMAND = ("env", "SAOLOU_WEBHOOK_LOOPBACK=true", sys.executable, "-m", "worker")


@pytest.fixture
def robot() -> Iterator[Robot]:
    with robot_server() as made:
        yield made


@pytest.fixture
def real(settings: Settings, valkey: OwnValkey) -> Iterator[Workers]:
    made = Workers(replace(settings, redis_url=valkey.url), COMMAND)
    yield made
    made.stop()


def offset_to(days: int, hour: int) -> int:
    """A clock offset by which it is ``hour`` o'clock, ``days`` from now."""
    then = datetime.now(clock.SHANGHAI).replace(hour=hour, minute=5) + timedelta(days=days)
    return int(then.timestamp() * 1000) - clock.now_ms()


def overdue_sweep(settings: Settings, db: Database, robot: Robot) -> tuple[Sweep, Person, UUID]:
    """A community twelve days on, with a hazard of now that is late there, and a robot."""
    app = create_app(replace(settings, webhook_loopback=True), db)
    sweep = make_sweep(app, db, clock_offset_ms=offset_to(12, 10))
    committee = sweep.person("committee")
    hazard = loose_cage(sweep, sweep.tree.households[0], days_ago=1)
    body = {"kind": "wecom", "name": "群", "url": robot.url}
    assert committee.post("/notification-channels", body).status_code == 201
    return sweep, committee, hazard


def run_sql(sweep: Sweep, statement: str) -> list[tuple[object, ...]]:
    with sweep.db.transaction([sweep.community_id]) as session:
        found = session.execute(text(statement), {"c": sweep.community_id})
        return [tuple(row) for row in found] if found.returns_rows else []


def all_sent(sweep: Sweep) -> bool:
    states = run_sql(sweep, "SELECT state FROM delivery WHERE community_id = :c")
    return bool(states) and {state for (state,) in states} == {"sent"}


def test_kill_worker_amid_sending_tells_everybody_and_the_inbox_once(
    settings: Settings, db: Database, robot: Robot, real: Workers
) -> None:
    robot.hold.clear()
    sweep, committee, hazard = overdue_sweep(settings, db, robot)
    first = real.start()
    eventually(lambda: robot.came)
    before = told(sweep)
    assert before
    real.signal_all(first, signal.SIGKILL)
    robot.hold.set()
    # As if the leases of the dead worker were over, and a day without any worker had gone by.
    over = "UPDATE job SET lease_until = now(), run_after = now() WHERE community_id = :c AND done < wanted"
    run_sql(sweep, over)
    real.start()
    eventually(lambda: all_sent(sweep))
    after = Counter(told(sweep))
    assert set(after) == set(before)
    assert set(after.values()) == {1}
    assert {slot.split(":")[0] for account, slot in after if account == committee.account.id} >= {"due", "late3"}
    assert all(str(hazard) in slot for _, slot in after)
    # At least once: the dead worker's message may have been taken, and then its successor's is a second one.
    assert 1 <= len(robot.came) <= 2
    assert len(set(robot.texts())) == 1


def test_start_worker_after_days_tells_of_today_once(
    settings: Settings, db: Database, robot: Robot, real: Workers
) -> None:
    sweep, committee, _ = overdue_sweep(settings, db, robot)
    real.start()
    eventually(lambda: all_sent(sweep))
    run_sql(sweep, "UPDATE job SET run_after = now() WHERE community_id = :c AND kind = 'schedule' AND done < wanted")
    done = "SELECT done FROM job WHERE community_id = :c AND kind = 'schedule' AND subject = 'community'"
    eventually(lambda: run_sql(sweep, done)[0][0] >= 2)  # type: ignore[operator]
    mine = [slot.split(":")[0] for account, slot in told(sweep) if account == committee.account.id]
    assert Counter(mine).most_common(1)[0][1] == 1
    assert len(robot.came) == 1
