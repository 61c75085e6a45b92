"""Rules published later: a form's first ones judge what was seen before there were any, others what is dated later."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, text

from backend import clock
from backend.commands import installation
from backend.commands.installation import publish
from backend.forms import service
from backend.forms.models import RuleVersion
from mobile_contract.rules import get_rules, list_rules
from tests.factories.sweeps import DAY_MS, Sweep

NOT_DONE = text("SELECT subject FROM job WHERE kind = 'compile' AND community_id = :community AND done < wanted")


def test_publish_first_rules_of_a_form_compiles_where_it_was_filled(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    with sweep.db.transaction() as session:
        session.execute(delete(RuleVersion).where(RuleVersion.form_code == "ebike_charging"))
    sweep.runtime.parts[1]._rule_sets.pop(("ebike_charging", 1), None)
    hazard = sweep.hazard(place)
    assert sweep.person("viewer").get(f"/tasks/{hazard}").status_code == 404
    assert publish(sweep.db) == ["rules ebike_charging/1"]
    assert not_done(sweep) == [str(place)]
    sweep.compile(place)
    assert sweep.person("viewer").task(hazard)["state"] == "registered"
    assert publish(sweep.db) == []


def test_publish_cut_off_on_the_way_publishes_all_of_it_the_next_time(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = sweep.tree.households[0]
    with sweep.db.transaction() as session:
        session.execute(delete(RuleVersion).where(RuleVersion.form_code == "ebike_charging"))
    sweep.visit(place)
    with monkeypatch.context() as cut:
        cut.setattr(installation, "tell_forms", cut_off)
        with pytest.raises(ConnectionError):
            publish(sweep.db)
    assert not_done(sweep) == []
    assert publish(sweep.db) == ["rules ebike_charging/1"]
    assert not_done(sweep) == [str(place)]


def test_publish_later_rules_compiles_where_a_visit_is_later_still(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, later = sweep.tree.households[:2]
    sweep.visit(earlier, at_ms=clock.now_ms() - DAY_MS)
    sweep.visit(later, at_ms=clock.now_ms() + DAY_MS)
    second = replace(get_rules("ebike_charging", 1), version=2)
    monkeypatch.setattr(service, "list_rules", lambda: (*list_rules(), second))
    assert publish(sweep.db) == ["rules ebike_charging/2"]
    assert not_done(sweep) == [str(later)]


def cut_off(*_: object) -> None:
    raise ConnectionError


def not_done(sweep: Sweep) -> list[str]:
    with sweep.db.transaction([sweep.community_id]) as session:
        return list(session.scalars(NOT_DONE, {"community": sweep.community_id}))
