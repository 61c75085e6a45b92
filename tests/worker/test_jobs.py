"""What one worker makes of its jobs, with everything around it failing by turns. One real worker for the module."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from backend.settings import Settings
from tests.factories.valkey import OwnValkey
from tests.worker.probe import LEASE
from tests.worker.probing import Probe, Workers, eventually

SUBJECTS = [f"s{n:02}" for n in range(45)]


@pytest.fixture(scope="module", autouse=True)
def worker(probe_settings: Settings) -> Iterator[None]:
    workers = Workers(probe_settings)
    workers.start()
    yield
    workers.stop()


def test_do_jobs_of_a_push_makes_each_effect_once(probe: Probe) -> None:
    probe.want(*SUBJECTS)
    eventually(probe.is_idle)
    assert probe.effects() == {s: [1] for s in SUBJECTS}


def test_want_during_work_is_worked_on_again(probe: Probe) -> None:
    probe.order("sleep 1", "a")
    probe.want("a")
    eventually(lambda: probe.started("a"))
    probe.want("a", ring=False)
    eventually(probe.is_idle)
    assert probe.effects()["a"][-1] == 2


def test_kill_pool_process_amid_work_another_finishes(probe: Probe) -> None:
    probe.order("sleep 600", "m")
    probe.want("a", "m", "z")
    (victim,) = eventually(lambda: probe.started("m"))
    probe.order("", "m")
    os.kill(victim, signal.SIGKILL)
    eventually(probe.is_idle)
    assert probe.effects() == {"a": [1], "m": [1], "z": [1]}


def test_raise_in_one_subject_its_neighbours_are_done_and_it_dies_visibly(probe: Probe) -> None:
    probe.order("raise", "s07", "s31")
    probe.want(*SUBJECTS)
    good = {s: [1] for s in SUBJECTS if s not in ("s07", "s31")}
    eventually(lambda: probe.effects() == good)

    def is_dead() -> bool:
        probe.hurry()
        return all(probe.job(s).dead_at for s in ("s07", "s31"))

    eventually(is_dead)
    job = probe.job("s07")
    assert job.attempts == 5
    assert job.last_error.startswith("RuntimeError at probe.py:"), "the message may hold personal data"
    assert probe.effects() == good


def test_die_in_one_subject_its_neighbours_are_done_and_it_dies_visibly(probe: Probe) -> None:
    probe.order("die", "k")
    probe.want("a", "k", "z")

    def is_dead() -> bool:
        with probe.db.transaction() as session:  # leases of killed processes run out at once
            over = "UPDATE job SET lease_until = now() WHERE community_id = :c AND subject = 'k'"
            session.execute(text(over), {"c": probe.community_id})
        return probe.job("k").dead_at is not None

    eventually(lambda: probe.started("k"))
    time.sleep(LEASE.total_seconds())
    eventually(is_dead)
    eventually(probe.is_idle)
    assert probe.effects() == {"a": [1], "z": [1]}
    assert len(probe.started("k")) == 5


def test_not_yet_is_asked_again_and_is_no_failure(probe: Probe) -> None:
    probe.order("not-yet", "p")
    probe.want("p")
    eventually(lambda: len(probe.started("p")) >= 3)
    assert probe.job("p").attempts <= 1
    probe.order("", "p")
    eventually(probe.is_idle)
    assert probe.effects() == {"p": [1]}


def test_repeat_job_runs_again_and_again(probe: Probe) -> None:
    probe.want("t", kind="probe_tick")
    eventually(lambda: len(probe.effects().get("t", [])) >= 3)


def test_cut_all_database_connections_amid_work_loses_no_job(probe: Probe, probe_settings: Settings) -> None:
    probe.order("sleep 1", "m")
    probe.want("a", "m", "z")
    eventually(lambda: probe.started("m"))
    probe.order("", "m")
    engine = create_engine(probe_settings.database_owner_url or "")
    with engine.begin() as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'saolou-w%'"
        connection.execute(text(cut + " AND datname = current_database()"))
    engine.dispose()
    eventually(probe.is_idle)
    assert probe.effects() == {"a": [1], "m": [1], "z": [1]}


def test_restart_broker_amid_work_loses_no_job(probe: Probe, valkey: OwnValkey) -> None:
    probe.order("sleep 0.2", *SUBJECTS[::9])
    probe.want(*SUBJECTS)
    eventually(lambda: probe.started(SUBJECTS[0]))
    valkey.kill()
    probe.want("while-away")  # the ring is not heard and raises nothing
    valkey.start()
    eventually(probe.is_idle)
    assert probe.effects() == {s: [1] for s in [*SUBJECTS, "while-away"]}


def test_busy_community_lets_others_have_their_turn(probe: Probe) -> None:
    many = [f"m{n:03}" for n in range(800)]
    probe.order("sleep 0.5", *many[::20])
    probe.want(*many)
    eventually(lambda: probe.effects())
    other = Probe(probe.db, probe.bell)
    other.want("x")
    eventually(other.is_idle)
    assert other.effects() == {"x": [1]}
    assert not probe.is_idle()
