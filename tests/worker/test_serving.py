"""The worker as it is served: ``python -m worker`` compiles what was pushed and makes the papers asked for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from backend import clock
from backend.app import create_app
from backend.commands.serving import WORKER_COMMAND, module_argv
from backend.db import Database
from backend.jobs import ledger
from backend.settings import Settings
from tests.factories.records import PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import make_sweep
from tests.factories.valkey import OwnValkey
from tests.worker.probing import Workers, eventually


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database, valkey: OwnValkey) -> Iterator[Flask]:
    ours = replace(settings, redis_url=valkey.url)
    workers = Workers(ours, command=module_argv(WORKER_COMMAND))
    workers.start()
    yield create_app(ours, db)
    workers.stop()


def test_push_and_paper_are_worked_on(app: Flask, db: Database) -> None:
    sweep = make_sweep(app, db)
    home = sweep.tree.households[0]
    sweep.put(visit_body(home, [block("ebike_charging", home, PARKED_EBIKE)]))
    with db.transaction([sweep.community_id]) as session:
        ledger.want(session, "compile", sweep.community_id, [str(home)])
    sweep.runtime.doorbell.ring("compile", sweep.community_id)
    eventually(lambda: sweep.counts("hazard")["hazard"] == 1)
    officer = sweep.person("safety_officer")
    today = clock.local_day(clock.now_ms())
    monday = today - timedelta(days=today.weekday())
    asked = officer.post("/papers", {"kind": "weekly", "period_start": monday.isoformat()})
    assert asked.status_code in (200, 202), asked.get_data(as_text=True)
    eventually(lambda: officer.get(f"/papers/{asked.json['id']}").json["state"] == "draft")


def test_schedule_of_a_new_community_runs_and_comes_again(app: Flask, db: Database) -> None:
    sweep = make_sweep(app, db)

    def ran() -> bool:
        sql = "SELECT done > 0 AND wanted > done AND dead_at IS NULL FROM job WHERE kind = 'schedule'"
        with db.transaction() as session:
            values = {"c": sweep.community_id}
            return bool(session.scalar(text(f"{sql} AND community_id = :c AND subject = 'community'"), values))

    eventually(ran)
