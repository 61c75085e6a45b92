"""A resident's request reaches notices, how they were served, and what was done about a dangerous house."""

from typing import Any

import pytest

from backend.identity.keys import Keyring
from backend.privacy.sources import EVACUATION, NOTICE, SERVICE, open_rows
from tests.factories.dangerous_houses import House, make_house
from tests.factories.notices import CONTACT, issued, served
from tests.factories.persons import NAME, OTHER_NAME, PHONE
from tests.factories.sweeps import Person, Sweep

WHY = {"reason": "request", "name": NAME}
SEES = (NOTICE, SERVICE, EVACUATION)


@pytest.fixture
def house(sweep: Sweep) -> House:
    made = make_house(sweep)
    made.done("appraised")
    home = str(made.homes[0])
    made.done("listed", household_id=home, persons=2, contact=NAME, vulnerable="独居，行动不便")
    notice = made.notice(addressee=NAME, owner=NAME)
    body = served(signatory=NAME, witness=OTHER_NAME, note=f"{NAME}电话{PHONE}")
    answer = made.officer.post(f"/notices/{notice['id']}/services", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return made


@pytest.fixture
def head(sweep: Sweep) -> Person:
    return sweep.person("committee")


def bodies(sweep: Sweep) -> str:
    out = []
    with sweep.db.transaction([sweep.community_id]) as session:
        sealer = sweep.runtime.part(Keyring).sealer(session, sweep.community_id)
        for source in SEES:
            here = source.table.community_id == sweep.community_id
            ids = [row[0] for row in session.query(source.columns[0]).where(here)]
            out += [str(row.body) for row in open_rows(session, sealer, sweep.community_id, source, ids)]
    return "\n".join(out)


def found(head: Person) -> list[dict[str, Any]]:
    answer = head.post("/persons/search", WHY)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(answer.json["items"])


def test_person_is_found_in_all_of_them(head: Person, house: House) -> None:
    assert sorted(item["source"] for item in found(head)) == ["evacuation", "notice", "notice_service"]
    report = head.post("/persons/report", {**WHY, "phone": PHONE}).json
    shown = {(item["source"], d["where"]): d["value"] for item in report["items"] for d in item["data"]}
    assert shown["notice", "addressee"] == NAME
    assert shown["notice_service", "witness"] == OTHER_NAME[0] + "*"
    assert shown["evacuation", "vulnerable"] == "独居，行动不便", "told to the household, by who may see it"


def test_erasing_takes_the_person_out_of_them_and_leaves_the_house_as_it_stands(
    sweep: Sweep, head: Person, house: House
) -> None:
    before = house.now()
    items = [{"source": item["source"], "id": item["id"]} for item in found(head)]
    body = {"items": items, "ground": "request", "name": NAME, "phone": PHONE}
    assert len(head.post("/persons/erase", body).json["erased"]) == 3
    left = bodies(sweep)
    assert [word for word in (NAME, PHONE, "独居") if word in left] == []
    assert CONTACT not in left, "an issued notice never changes: it goes as a whole, its number stays"
    assert found(head) == []
    after = house.now()
    same = ("stage", "grade", "households", "persons", "deadline")
    assert {name: after.get(name) for name in same} == {name: before.get(name) for name in same}
    notice_id = next(item["id"] for item in items if item["source"] == "notice")
    printed = house.officer.get(f"/notices/{notice_id}")
    assert printed.status_code == 200
    assert (printed.json["addressee"], printed.json["text"]) == (None, None)
    assert printed.json["number"]
    assert house.officer.get(f"/notices/{notice_id}.pdf").json["code"] == "notice_erased"


def test_rectification_notice_is_found_by_its_addressee(sweep: Sweep, head: Person) -> None:
    hazard = sweep.hazard(sweep.tree.households[0])
    issued(head, hazard, addressee=NAME)
    assert [item["source"] for item in found(head)] == ["notice"]
