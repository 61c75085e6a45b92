"""From a visit in the archive through compile and an assignment to the paper's list, by the real parts only."""

import pytest
from flask import Flask

from backend import clock
from backend.app import create_app
from backend.db import Database
from backend.meetings import making, queries, service
from backend.meetings.periods import period_at
from backend.settings import Settings
from tests.factories.records import CHARGING_EBIKE
from tests.factories.sweeps import make_sweep
from tests.meetings.conftest import SilentBell


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings, db, SilentBell())


def test_lists_a_grave_hazard_with_its_masked_assignment(app: Flask, db: Database) -> None:
    sweep = make_sweep(app, db)
    hazard = sweep.hazard(sweep.tree.households[0], answers=CHARGING_EBIKE)
    committee = sweep.person("committee")
    assert committee.take("assign", hazard, severity="red").status_code == 200
    period = period_at("weekly", clock.now_ms())
    with db.transaction([sweep.community_id]) as session:
        paper_id = service.request_paper(session, sweep.community_id, period, clock.now_ms()).id
    with db.transaction([sweep.community_id], isolation="REPEATABLE READ") as session:
        making.make_paper(session, sweep.runtime, sweep.community_id, paper_id)
        content = queries.get_paper(session, sweep.community_id, paper_id).content or {}
    assert content["figures"]["open_end.red"] == 1
    [table] = [b for b in content["sections"][3]["blocks"] if b["type"] == "table"]
    [[number, place, title, responsible, measures, _, progress]] = table["rows"]
    assert number.endswith("0001")
    assert (place, title, progress) == ("1栋", "高层公共部位违规充电", "已交办")
    assert (responsible, measures) == ("王*", "移走车辆，电话138****8000")
    assert content["identity"]["holds"]
