"""No job is lost and none is doubled, whatever happens to workers, broker and connections.

Real processes throughout. The promise: every subject that was wanted ends with one effect over all its facts.
"""

import os
import signal
import time

import pytest

from tests.factories.valkey import OwnValkey
from tests.worker.probing import PATIENCE_S, Probe, Workers, eventually, family, is_running
from worker.sweeper import INTERVAL_S

SUBJECTS = [f"s{n:02}" for n in range(45)]


def test_kill_whole_worker_amid_work_another_finishes_after_the_lease(workers: Workers, probe: Probe) -> None:
    first = workers.start()
    probe.order("sleep 600", "m")
    probe.want("a", "m", "z")
    eventually(lambda: probe.started("m"))
    probe.order("", "m")
    workers.signal_all(first, signal.SIGKILL)
    workers.start()
    eventually(probe.is_idle)
    assert probe.effects() == {"a": [1], "m": [1], "z": [1]}


def test_kill_foreman_leaves_no_process_behind(workers: Workers, probe: Probe) -> None:
    first = workers.start()
    probe.want("a")
    eventually(probe.is_idle)
    processes = family(first.pid)
    assert len(processes) >= 4  # foreman, Celery, two pool processes
    first.kill()
    first.wait()
    eventually(lambda: not any(is_running(pid) for pid in processes))


def test_freeze_worker_beyond_its_lease_makes_no_double_effect(workers: Workers, probe: Probe) -> None:
    first = workers.start()
    probe.order("sleep 1", "a")
    probe.want("a")
    eventually(lambda: probe.started("a"))
    workers.signal_all(first, signal.SIGSTOP)
    probe.order("", "a")
    workers.start()
    eventually(probe.is_idle)
    assert probe.effects() == {"a": [1]}
    workers.signal_all(first, signal.SIGCONT)
    probe.want("b")
    eventually(probe.is_idle)
    time.sleep(2)  # what the thawed worker would still do, it has done by now
    assert probe.effects() == {"a": [1], "b": [1]}


def survive_lost_messages(workers: Workers, probe: Probe, valkey: OwnValkey, *, sweeping: bool) -> None:
    """All messages vanish before a worker hears them; the jobs are done nevertheless."""
    probe.want(*SUBJECTS)
    valkey.client.flushall()
    workers.start(sweeping=sweeping)
    other = Probe(probe.db, probe.bell)  # another community, whose bell is heard
    other.want("heard")
    eventually(other.is_idle)
    eventually(probe.is_idle, PATIENCE_S if sweeping else 4 * INTERVAL_S)
    assert probe.effects() == {s: [1] for s in SUBJECTS}


def test_flush_broker_loses_no_job(workers: Workers, probe: Probe, valkey: OwnValkey) -> None:
    survive_lost_messages(workers, probe, valkey, sweeping=True)


def test_flush_broker_that_alone_is_trusted_loses_jobs(workers: Workers, probe: Probe, valkey: OwnValkey) -> None:
    with pytest.raises(AssertionError):
        survive_lost_messages(workers, probe, valkey, sweeping=False)


def test_two_sweepers_and_workers_make_each_effect_once(workers: Workers, probe: Probe) -> None:
    workers.start()
    workers.start()
    probe.want(*SUBJECTS, ring=False)
    eventually(probe.is_idle)
    assert probe.effects() == {s: [1] for s in SUBJECTS}


def test_deaf_worker_is_started_anew(workers: Workers, probe: Probe) -> None:
    foreman = workers.start(deaf_seconds=10)
    probe.want("a")
    eventually(probe.is_idle)
    celery = family(foreman.pid)[1]
    os.kill(celery, signal.SIGSTOP)  # alive, and hears nothing
    probe.want("b", ring=False)
    eventually(probe.is_idle)
    assert probe.effects() == {"a": [1], "b": [1]}


def test_stop_worker_finishes_the_running_batch(workers: Workers, probe: Probe) -> None:
    foreman = workers.start()
    probe.order("sleep 1", "a")
    probe.want("a")
    eventually(lambda: probe.started("a"))
    foreman.send_signal(signal.SIGTERM)
    assert foreman.wait(30) == 0
    assert probe.effects() == {"a": [1]}
    assert probe.is_idle()
