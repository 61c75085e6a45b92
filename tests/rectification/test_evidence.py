"""The files that steps cite: the console may only cite what exists, a phone may be ahead of its photos."""

import hashlib
import io
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from backend import clock
from backend.attachments.declaring import declare
from tests.factories.sweeps import Person, Sweep
from tests.rectification.test_phone_steps import phone_step

AFTER = "0198c0de-0000-7000-8000-0000000000af"


def photo(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), (shade, 90, 90)).save(out, "JPEG")
    return out.getvalue()


def stored(person: Person, raw: bytes) -> str:
    """An attachment that the office stored."""
    answer = person.app.test_client().post("/api/v1/attachments", data=raw, headers=person.headers)
    assert answer.status_code == 201
    return str(answer.json["id"])


@pytest.fixture
def fixing(sweep: Sweep) -> tuple[Sweep, UUID, Person]:
    """A hazard that is being put right, and its worker."""
    hazard = sweep.hazard(sweep.tree.households[0])
    officer, worker = sweep.person("safety_officer"), sweep.person("grid_worker")
    assert officer.take("assign", hazard, assignee_account_id=str(worker.account.id)).status_code == 200
    assert worker.take("accept", hazard).status_code == 200
    return sweep, hazard, worker


def last_step(person: Person, hazard: UUID) -> dict[str, Any]:
    task = person.task(hazard)
    return {**task["history"]["steps"][-1], "awaited": task["attachments_awaited"]}


def test_console_step_citing_an_unknown_attachment_is_refused_with_a_pointer(
    fixing: tuple[Sweep, UUID, Person],
) -> None:
    sweep, hazard, worker = fixing
    known = stored(worker, photo(1))
    before = sweep.counts("task_step")
    answer = worker.take("submit", hazard, photos=[known, str(uuid4())])
    assert (answer.status_code, answer.json["code"]) == (422, "attachment_unknown")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/photos/1"]
    assert sweep.counts("task_step") == before
    head = sweep.person("grid_head")
    evidence = [{"kind": "ph", "attachments": [known]}, {"kind": "rv", "attachments": [str(uuid4())]}]
    assert worker.take("submit", hazard, photos=[known]).status_code == 200
    answer = head.take("close", hazard, evidence=evidence)
    assert [error["pointer"] for error in answer.json["errors"]] == ["/evidence/1/attachments/0"]


def test_history_shows_the_hashes_of_the_evidence(fixing: tuple[Sweep, UUID, Person]) -> None:
    _, hazard, worker = fixing
    raw = photo(2)
    cited = stored(worker, raw)
    assert worker.take("submit", hazard, photos=[cited]).status_code == 200
    step = last_step(worker, hazard)
    (shown,) = step["attachments"]
    told = (shown["id"], shown["sha256"], shown["bytes"], shown["mime"], shown["state"])
    assert told == (cited, hashlib.sha256(raw).hexdigest(), len(raw), "image/jpeg", "stored")
    assert step["awaited"] is False


def test_phone_step_citing_a_photo_that_has_not_come_is_kept_and_awaited(fixing: tuple[Sweep, UUID, Person]) -> None:
    sweep, hazard, worker = fixing
    raw, place = photo(3), sweep.tree.households[0]
    record = phone_step(sweep, worker, hazard, place, "submit", clock.now_ms() + 1000, photos=[AFTER])
    step = last_step(worker, hazard)
    assert [(file["state"], file["sha256"]) for file in step["attachments"]] == [("awaited", None)]
    assert (step["from_phone"], step["applied"], step["awaited"]) == (True, True, True)
    # As a push writes it down.
    item = {"id": AFTER, "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw), "mime": "image/jpeg"}
    with sweep.db.transaction([sweep.community_id]) as session:
        declare(session, sweep.community_id, [(record, place, [item])])
    (file,) = last_step(worker, hazard)["attachments"]
    assert (file["state"], file["sha256"]) == ("awaited", item["sha256"])


def test_evidence_of_the_console_is_seen_within_the_place_of_its_task(fixing: tuple[Sweep, UUID, Person]) -> None:
    sweep, hazard, worker = fixing
    cited = stored(worker, photo(4))
    here, elsewhere = (sweep.person("grid_head", grid) for grid in sweep.tree.grids[:2])
    assert here.get(f"/attachments/{cited}").status_code == 404
    assert worker.take("submit", hazard, photos=[cited]).status_code == 200
    assert here.get(f"/attachments/{cited}/content").status_code == 200
    assert elsewhere.get(f"/attachments/{cited}").status_code == 404
