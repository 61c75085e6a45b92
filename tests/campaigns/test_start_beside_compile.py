"""A campaign that starts while a place is compiled: one waits for the other, so that no visit is passed over."""

import threading
import time

import pytest

from backend.campaigns.models import CampaignTarget
from backend.jobs import ledger
from backend.rectification.compile import compile_places
from tests.factories.campaigns import make_campaign
from tests.factories.records import CLEAR_EBIKE, block, visit_body
from tests.factories.sweeps import Sweep


def state_after_both(sweep: Sweep) -> str:
    """Compile a visit, start a campaign before that is committed, do the jobs that were wanted; how the door stands."""
    door = sweep.tree.households[0]
    sweep.put(visit_body(door, [block("ebike_charging", door, CLEAR_EBIKE)]))

    def start() -> None:
        with sweep.db.transaction([sweep.community_id]) as session:
            make_campaign(session, sweep.runtime, sweep.community_id)

    starting = threading.Thread(target=start)
    with sweep.db.transaction([sweep.community_id]) as session:
        compile_places(session, sweep.runtime, sweep.community_id, [door])
        starting.start()
        # Long enough for a start that does not wait to be over.
        time.sleep(1)
    starting.join(30)
    with sweep.db.transaction([sweep.community_id]) as session:
        if ledger.open_count(session, "compile", sweep.community_id):
            compile_places(session, sweep.runtime, sweep.community_id, [door])
    with sweep.db.transaction([sweep.community_id]) as session:
        found = session.query(CampaignTarget).filter_by(community_id=sweep.community_id, place_id=door)
        return found.one().state


def test_start_while_a_place_is_compiled_counts_its_visit(sweep: Sweep) -> None:
    assert state_after_both(sweep) == "done"


def test_start_that_does_not_wait_is_caught(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.campaigns.service.hold_campaigns", lambda *_, **__: None)
    with pytest.raises(AssertionError):
        test_start_while_a_place_is_compiled_counts_its_visit(sweep)
