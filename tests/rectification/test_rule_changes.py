"""A form's first rules judge what was seen before there were any."""

from sqlalchemy import delete, text

from backend.commands.installation import publish
from backend.forms.models import RuleVersion
from tests.factories.sweeps import Sweep

NOT_DONE = text("SELECT subject FROM job WHERE kind = 'compile' AND community_id = :community AND done < wanted")


def test_publish_first_rules_of_a_form_compiles_where_it_was_filled(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    with sweep.db.transaction() as session:
        session.execute(delete(RuleVersion).where(RuleVersion.form_code == "ebike_charging"))
    sweep.runtime.parts[1]._rule_sets.pop(("ebike_charging", 1), None)
    hazard = sweep.hazard(place)
    assert sweep.person("viewer").get(f"/tasks/{hazard}").status_code == 404
    assert publish(sweep.db) == ["rules ebike_charging/1"]
    with sweep.db.transaction([sweep.community_id]) as session:
        wanted = session.scalars(NOT_DONE, {"community": sweep.community_id}).all()
    assert wanted == [str(place)]
    sweep.compile(place)
    assert sweep.person("viewer").task(hazard)["state"] == "registered"
    assert publish(sweep.db) == []
