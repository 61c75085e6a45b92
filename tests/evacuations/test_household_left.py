"""Evidence ``household_left``: a wholly dangerous house is struck off when everybody has left, not before."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from backend.hazards import refusing
from backend.inspections.waiting import COMPILE
from backend.jobs.models import Job
from mobile_contract.rules import hazard_id
from tests.factories.dangerous_houses import House, make_house
from tests.factories.records import block, visit_body
from tests.factories.sweeps import PHOTO, Sweep

PROOF = [{"kind": kind, "attachments": [PHOTO]} for kind in ("ph", "xp")]
WITH_FILE = [*PROOF, {"kind": "household_left", "attachments": [PHOTO]}]


@pytest.fixture
def house(sweep: Sweep) -> House:
    return make_house(sweep)


def in_review(house: House) -> UUID:
    """The hazard of a D house, put right as its party says."""
    sweep, worker = house.sweep, house.sweep.person("grid_worker")
    block_of = block("self_built_house", house.id, {"appraisal": "done", "grade": "D"})
    sweep.put(visit_body(house.id, [block_of]))
    sweep.compile(house.id)
    hazard = hazard_id(sweep.community_id, house.id, "SBH-GRADE", "")
    assert house.officer.take("assign", hazard, severity="red").status_code == 200
    assert worker.take("accept", hazard).status_code == 200
    assert worker.take("submit", hazard, note="已清空").status_code == 200
    return hazard


def close(house: House, hazard: UUID, evidence: list[dict[str, Any]]) -> str | None:
    """Why the street may not strike it off; None: it did."""
    answer = house.street.take("close", hazard, evidence=evidence)
    return None if answer.status_code == 200 else str(answer.json["reason"])


def check_left(house: House) -> None:
    hazard = in_review(house)
    house.done("appraised")
    first, second = map(str, house.homes)
    for home in (first, second):
        house.done("listed", household_id=home, persons=2)
    house.done("left", household_id=first, destination="relatives")
    assert close(house, hazard, WITH_FILE) == "evidence_missing"
    house.done("left", household_id=second, destination="rental")
    house.done("returned", household_id=first)
    assert close(house, hazard, WITH_FILE) == "evidence_missing"
    house.done("left", household_id=first, destination="shelter")
    assert close(house, hazard, PROOF) is None


def test_close_waits_until_every_household_has_left(house: House) -> None:
    check_left(house)


def test_close_by_a_file_alone_is_caught(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = refusing._refusal_for_evidence
    monkeypatch.setattr(refusing, "_refusal_for_evidence", lambda hazard, step, _: judge(hazard, step, ()))
    with pytest.raises(AssertionError):
        check_left(house)


def test_close_of_a_house_without_a_case_asks_for_a_file(house: House) -> None:
    hazard = in_review(house)
    assert close(house, hazard, PROOF) == "evidence_missing"
    assert close(house, hazard, WITH_FILE) is None


def test_household_that_moves_back_later_reopens_nothing(house: House) -> None:
    hazard = in_review(house)
    house.done("appraised")
    for home in house.homes:
        house.done("listed", household_id=str(home), persons=1)
        house.done("left", household_id=str(home), destination="rental")
    assert close(house, hazard, PROOF) is None
    house.done("returned", household_id=str(house.homes[0]))
    house.sweep.compile(house.id)
    assert house.street.task(hazard)["state"] == "closed"


def test_recorded_leaving_wants_the_house_compiled(house: House) -> None:
    """A close that a phone brought too early counts once it is told that everybody had left by then."""
    house.done("appraised")
    with house.sweep.db.transaction([house.sweep.community_id]) as session:
        job = (Job.kind == COMPILE, Job.community_id == house.sweep.community_id, Job.subject == str(house.id))
        session.execute(delete(Job).where(*job))
    house.done("listed", household_id=str(house.homes[0]), persons=2)
    with house.sweep.db.transaction([house.sweep.community_id]) as session:
        assert session.scalars(select(Job).where(*job, Job.done < Job.wanted)).one()
