"""Notices: numbered without gap, frozen, printed with verified law only, served by facts."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.notices.wording import CONSEQUENCE, RESULTS_OF
from tests.factories.notices import ADDRESSEE, declared, issued, notice_body, photographed, picture, served
from tests.factories.sweeps import DAY_MS, Person, Sweep

YEAR = clock.local_day(clock.now_ms()).year


def officer(sweep: Sweep, place_id: UUID | None = None) -> Person:
    return sweep.person("safety_officer", place_id)


def test_issue_numbers_and_freezes_the_notice(sweep: Sweep) -> None:
    person, place = officer(sweep), sweep.tree.households[0]
    hazard = sweep.hazard(place)
    draft = person.post("/notices/draft", {"hazard_ids": [str(hazard)]}).json
    assert [h["hazard_id"] for h in draft["hazards"]] == [str(hazard)]
    notice = issued(person, hazard)
    assert (notice["number"], notice["served"], notice["hazards"]) == (f"〔{YEAR}〕01号", False, 1)
    assert notice["addressee"] == ADDRESSEE
    printed = "\n".join(notice["text"])
    for said in (ADDRESSEE, "存在以下安全隐患", CONSEQUENCE, "一式两份", "福泉社区居民委员会"):
        assert said in printed
    sweep.clear(place)
    assert person.get(f"/notices/{notice['id']}").json["text"] == notice["text"]
    with pytest.raises(IntegrityError, match="never changes"), sweep.db.transaction([sweep.community_id]) as session:
        session.execute(text("UPDATE notice SET snapshot = 'x' WHERE id = :id"), {"id": notice["id"]})


def test_numbers_have_no_gap_however_many_issue_at_once(sweep: Sweep) -> None:
    people = [officer(sweep) for _ in range(4)]
    hazard = sweep.hazard(sweep.tree.households[0])
    gate = Barrier(4)

    def attempt(n: int) -> int:
        gate.wait()
        answers = [people[n].post("/notices", notice_body(hazard, requirement=said)) for said in ("移走", "罚款")]
        assert answers[1].json["code"] == "notice_wording"
        return int(answers[0].status_code)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(attempt, range(4))) == [201] * 4
    found = people[0].get("/notices").json["items"]
    assert sorted(notice["number"] for notice in found) == [f"〔{YEAR}〕0{n}号" for n in range(1, 5)]


def test_correction_is_a_new_notice_that_replaces_one(sweep: Sweep) -> None:
    person = officer(sweep)
    hazard = sweep.hazard(sweep.tree.households[0])
    other = sweep.hazard(sweep.tree.households[1])
    first = issued(person, hazard)
    again = issued(person, hazard, addressee="李秀英", replaces=first["id"])
    assert again["number"] == f"〔{YEAR}〕02号"
    assert f"更正并替代〔{YEAR}〕01号" in "\n".join(again["text"])
    assert person.get(f"/notices/{first['id']}").json["replaced_by"] == again["id"]
    for hazard_id, replaced in ((hazard, first["id"]), (other, again["id"]), (hazard, str(uuid4()))):
        answer = person.post("/notices", notice_body(hazard_id, replaces=replaced))
        assert answer.json["code"] == "notice_replaces_wrong"
    assert [n["id"] for n in person.get("/notices", replaced="false").json["items"]] == [again["id"]]


def test_hazards_apart_settled_or_unknown_make_no_notice(sweep: Sweep) -> None:
    person = officer(sweep)
    first, _, third, _ = (sweep.hazard(place) for place in sweep.tree.households)
    apart = person.post("/notices", notice_body(first, third))
    assert apart.json["code"] == "notice_hazards_apart"
    assert person.post("/notices", notice_body(uuid4())).json["code"] == "notice_hazard_unfit"
    late = person.post("/notices", notice_body(first, deadline_ms=clock.now_ms() - 1))
    assert late.json["code"] == "deadline_past"
    assert person.get("/notices").json["items"] == []


@pytest.mark.parametrize("mode, result", [(mode, result) for mode, results in RESULTS_OF.items() for result in results])
def test_serve_by_any_mode_is_a_fact(sweep: Sweep, mode: str, result: str) -> None:
    person = officer(sweep)
    notice = issued(person, sweep.hazard(sweep.tree.households[0]))
    answer = person.post(f"/notices/{notice['id']}/services", served(mode, result))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    (line,) = answer.json["services"]
    assert (answer.json["served"], line["mode"], line["result"]) == (True, mode, result)
    assert person.get("/notices", served="true").json["items"][0]["id"] == notice["id"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"signatory": None},
        {"result": "refused"},
        {"result": "delivered"},
        {"mode": "phone"},
        {"mode": "sticker", "result": "delivered"},
        {"mode": "registered"},
        {"served_ms": 1},
    ],
)
def test_serve_without_proof_is_refused(sweep: Sweep, wrong: dict[str, Any]) -> None:
    person = officer(sweep)
    notice = issued(person, sweep.hazard(sweep.tree.households[0]))
    answer = person.post(f"/notices/{notice['id']}/services", {**served(), **wrong})
    assert answer.json["code"] == "service_wrong"
    assert person.get(f"/notices/{notice['id']}").json["services"] == []


def test_served_copy_is_declared_uploaded_and_read_back(sweep: Sweep) -> None:
    person, raw = officer(sweep), picture(33)
    notice = issued(person, sweep.hazard(sweep.tree.households[0]))
    answer = person.post(f"/notices/{notice['id']}/services", served(copy=declared(raw)))
    path = f"/notices/{notice['id']}/services/{answer.json['services'][0]['id']}/copy"
    assert person.get(path).json["code"] == "attachment_not_found"
    client = sweep.app.test_client()
    for _ in range(2):
        kept = client.post("/api/v1/attachments", data=raw, headers=person.headers, content_type="image/jpeg")
        assert (kept.status_code, kept.json["sha256"]) == (201, declared(raw)["sha256"])
    assert person.get(path).data == raw
    program = client.post("/api/v1/attachments", data=b"MZ..", headers=person.headers)
    assert program.json["code"] == "attachment_kind_unknown"
    folder = sweep.runtime.settings.data_dir / "files"
    assert all(raw not in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_photos_of_the_visit_are_printed_or_framed(sweep: Sweep) -> None:
    person, here, missing = officer(sweep), picture(40), picture(50)
    hazard = photographed(sweep, sweep.tree.households[0], here, missing, picture(60))
    draft = person.post("/notices/draft", {"hazard_ids": [str(hazard)]}).json
    assert draft["hazards"][0]["photos"] == [declared(raw)["sha256"] for raw in (here, missing, picture(60))]
    stranger = [{"hazard_id": str(hazard), "sha256": ["0" * 64]}]
    assert person.post("/notices", notice_body(hazard, photos=stranger)).json["code"] == "notice_photo_unknown"
    notice = issued(person, hazard)
    sweep.app.test_client().post("/api/v1/attachments", data=here, headers=person.headers, content_type="image/jpeg")
    answer = person.get(f"/notices/{notice['id']}.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert b"canary-camera" not in answer.data
    assert person.get(f"/notices/{notice['id']}.docx").data.startswith(b"PK")


def test_register_masks_names_and_exports(sweep: Sweep) -> None:
    person, department = officer(sweep), sweep.person("department")
    notice = issued(person, sweep.hazard(sweep.tree.households[0]))
    person.post(f"/notices/{notice['id']}/services", served("onsite", "refused"))
    (line,) = person.get("/notices").json["items"]
    assert line["addressee"] == "王*"
    seen = department.get(f"/notices/{notice['id']}").json
    assert (seen["addressee"], seen["text"], seen["services"][0]["witness"]) == ("王*", None, "罗*")
    assert department.get(f"/notices/{notice['id']}.pdf").status_code == 403
    exported = person.get("/notices/register.csv").data.decode()
    assert exported.startswith("\ufeff序号")
    assert (notice["number"] in exported, ADDRESSEE in exported) == (True, False)
    assert person.get("/notices/register.xlsx").data.startswith(b"PK")
    assert sweep.person("viewer").get("/notices").status_code == 403
    assert sweep.person("grid_worker").post("/notices", notice_body(uuid4())).status_code == 403


def test_notices_end_at_the_callers_places(sweep: Sweep) -> None:
    notice = issued(officer(sweep), sweep.hazard(sweep.tree.households[0]))
    other = officer(sweep, sweep.tree.grids[1])
    assert other.get(f"/notices/{notice['id']}").status_code == 404
    assert other.get(f"/notices/{notice['id']}.pdf").status_code == 404
    assert other.post(f"/notices/{notice['id']}/services", served()).status_code == 404
    assert other.get("/notices").json["items"] == []
    assert officer(sweep, sweep.tree.grids[0]).get("/notices").json["items"] != []


def test_erased_notice_keeps_its_number(sweep: Sweep) -> None:
    person = officer(sweep)
    notice = issued(person, sweep.hazard(sweep.tree.households[0]))
    with sweep.db.transaction([sweep.community_id]) as session:
        session.execute(text("DELETE FROM record_key WHERE record_id = :id"), {"id": notice["id"]})
    found = person.get(f"/notices/{notice['id']}").json
    assert (found["number"], found["addressee"], found["text"]) == (notice["number"], None, None)
    assert person.get(f"/notices/{notice['id']}.pdf").json["code"] == "notice_erased"


def test_sealed_columns_hold_no_name(sweep: Sweep) -> None:
    person = officer(sweep)
    notice = issued(person, sweep.hazard(sweep.tree.households[0]))
    person.post(f"/notices/{notice['id']}/services", served())
    with sweep.db.transaction([sweep.community_id]) as session:
        tables = ("notice", "notice_service", "audit_event")
        rows = "".join(str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in tables)
        sealed = b"".join(
            session.scalars(text("SELECT snapshot FROM notice UNION ALL SELECT body FROM notice_service"))
        )
    assert ADDRESSEE not in rows
    assert ADDRESSEE.encode() not in sealed


def test_deadline_overdue_to_serve_is_computed(sweep: Sweep) -> None:
    person = officer(sweep)
    notice = issued(person, sweep.hazard(sweep.tree.households[0]), deadline_ms=clock.now_ms() + DAY_MS)
    assert notice["overdue_to_serve"] is False
