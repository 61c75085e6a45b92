"""A resident's request to see or erase their data, unmasking, and the rights to do so."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from backend.identity.keys import Keyring
from backend.inspections.models import Record, RecordKey
from backend.privacy import personal
from backend.privacy.models import PersonMention
from tests.factories.persons import (
    ID_NUMBER,
    NAME,
    OTHER_NAME,
    OTHER_PHONE,
    PHONE,
    PLATE,
    Named,
    name_everywhere,
    visit_naming,
)
from tests.factories.sweeps import Person, Sweep

WHY = {"reason": "request", "reference": "〔2026〕第12号"}


@pytest.fixture
def head(sweep: Sweep) -> Person:
    return sweep.person("committee")


@pytest.fixture
def named(sweep: Sweep, head: Person) -> Named:
    return name_everywhere(sweep, head, sweep.tree.households[0])


def found(person: Person, **wanted: Any) -> dict[tuple[str, str], list[str]]:
    answer = person.post("/persons/search", {**WHY, **wanted})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.json["pending"] is False
    return {(item["source"], item["id"]): item["matched"] for item in answer.json["items"]}


def events(person: Person, action: str) -> list[dict[str, Any]]:
    return list(person.get("/audit-events", action=action).json["items"])


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({"name": f" {NAME} "}, {"record": ["name"], "step": ["name"], "order": ["name"]}),
        ({"phone": "+86 139-1234-5678"}, {"record": ["phone"], "step": ["phone"], "order": ["phone"]}),
        ({"phone": OTHER_PHONE}, {"record": ["phone"]}),
        ({"id_number": ID_NUMBER}, {"record": ["id_number"]}),
        ({"name": OTHER_NAME}, {"record": ["name"]}),
        ({"name": NAME, "phone": PHONE}, {n: ["name", "phone"] for n in ("record", "step", "order")}),
        ({"name": "司空无人"}, {}),
    ],
)
def test_search_finds_a_person_by_keyed_hash(head: Person, named: Named, wanted: Any, kinds: Any) -> None:
    ids = {"record": named.visit_id, "step": named.step_id, "order": named.order_id}
    assert found(head, **wanted) == {(source, str(ids[source])): matched for source, matched in kinds.items()}


def test_search_masks_everything_and_leaves_no_word_in_the_trail(head: Person, named: Named) -> None:
    answer = head.post("/persons/search", {**WHY, "name": NAME, "phone": PHONE})
    shown = answer.get_data(as_text=True)
    assert [word for word in (NAME, PHONE, ID_NUMBER, OTHER_PHONE, PLATE) if word in shown] == []
    assert "139****5678" in shown
    event = events(head, "person_searched")[0]
    assert event["details"] == {**WHY, "kinds": ["name", "phone"], "found": 3}


def test_search_for_nobody_is_refused(head: Person) -> None:
    for body in (WHY, {**WHY, "name": None}, {**WHY, "phone": "—"}):
        answer = head.post("/persons/search", body)
        assert (answer.status_code, answer.json["code"]) == (422, "person_unnamed")
    for body in ({"name": NAME}, {"name": NAME, "reason": "curious"}, {**WHY, "name": NAME, "reference": "找张三"}):
        assert head.post("/persons/search", body).json["code"] == "invalid_input"


def test_search_stays_within_the_community(sweep: Sweep, head: Person, named: Named, app: Any, db: Any) -> None:
    from tests.factories.sweeps import make_sweep

    assert found(make_sweep(app, db).person("committee"), name=NAME, phone=PHONE) == {}


def test_index_holds_no_readable_word(sweep: Sweep, head: Person, named: Named) -> None:
    found(head, name=NAME)
    with sweep.db.transaction([sweep.community_id]) as session:
        keys = session.scalars(select(PersonMention.key)).all()
    assert all(len(key) in (0, 64) for key in keys)
    assert len(keys) >= 8


def test_report_tells_the_person_theirs_and_masks_the_others(head: Person, named: Named) -> None:
    answer = head.post("/persons/report", {**WHY, "phone": PHONE, "name": NAME})
    shown = {d["where"]: d["value"] for item in answer.json["items"] for d in item["data"]}
    assert shown["header.respondent_name"] == NAME
    assert shown["header.respondent_phone"] == PHONE
    assert shown["header.refusal_witness"] == OTHER_NAME[0] + "*"
    assert shown["responsible_party"] == NAME
    assert "石小满" in answer.json["watermark"]
    assert OTHER_PHONE not in answer.get_data(as_text=True)
    assert events(head, "exported")[0]["subject"] == "person_report"
    page = head.post(
        "/persons/report.html", {**WHY, "phone": PHONE, "items": [{"source": "record", "id": str(named.visit_id)}]}
    )
    html = page.get_data(as_text=True)
    assert (page.mimetype, "共 1 条" in html, PHONE in html, OTHER_NAME in html) == ("text/html", True, True, False)


def dump(sweep: Sweep) -> bytes:
    """Everything of the community that the installation's keys open, and every other column."""
    from backend.privacy.sources import SOURCES, open_rows

    out = []
    with sweep.db.transaction([sweep.community_id]) as session:
        sealer = sweep.runtime.part(Keyring).sealer(session, sweep.community_id)
        for source in SOURCES.values():
            ids = session.scalars(
                select(source.columns[0]).where(source.table.community_id == sweep.community_id)
            ).all()
            out += [str(row.body) for row in open_rows(session, sealer, sweep.community_id, source, ids)]
        for table in (
            "visit",
            "observation",
            "hazard",
            "rectification_task",
            "transition",
            "audit_event",
            "person_mention",
        ):
            out += [str(row) for row in session.execute(text(f"SELECT * FROM {table}"))]
    return "\n".join(out).encode()


def test_erase_takes_the_person_out_and_changes_no_hazard(sweep: Sweep, head: Person, named: Named) -> None:
    before = head.task(named.hazard_id)
    items = [{"source": source, "id": row_id} for source, row_id in found(head, name=NAME, phone=PHONE)]
    with sweep.db.transaction([sweep.community_id]) as session:
        key = session.get_one(RecordKey, (sweep.community_id, named.visit_id)).wrapped
        sha256 = session.get_one(Record, (sweep.community_id, named.visit_id)).sha256
    assert NAME.encode() in dump(sweep)
    body = {"items": items, "ground": "request", "reference": "12号", "name": NAME, "phone": PHONE}
    assert len(head.post("/persons/erase", body).json["erased"]) == 3
    sweep.compile(sweep.tree.households[0])
    left = dump(sweep).decode()
    assert [word for word in (NAME, PHONE, ID_NUMBER, PLATE) if word in left] == []
    with sweep.db.transaction([sweep.community_id]) as session:
        row = session.get_one(Record, (sweep.community_id, named.visit_id))
        assert (row.sha256, row.erased_at is not None) == (sha256, True)
        assert session.get_one(RecordKey, (sweep.community_id, named.visit_id)).wrapped != key
    after = head.task(named.hazard_id)
    same = ("number", "state", "severity", "deadline", "cycle", "rules", "assignee", "locus")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert (after["responsible_party"], after["measures"]) == ("***", "***移走车辆，电话***")
    assert found(head, name=NAME, phone=PHONE) == {}
    order = head.get(f"/work-orders/issued/{named.order_id}").json
    assert order["snapshot"]["responsible_party"] == "***"
    erased = {e["subject"]: e["details"] for e in events(head, "person_erased")}
    assert erased[f"record:{named.visit_id}"] == {"extent": "persons", "ground": "request", "reference": "12号"}
    assert head.get(f"/records/{named.visit_id}").json["status"] == "erased"


def test_erase_that_keeps_the_old_body_is_caught(
    sweep: Sweep, head: Person, named: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.privacy import erasing

    monkeypatch.setattr(erasing, "without_persons", lambda body, form_of, words: dict(body))
    with pytest.raises(AssertionError):
        test_erase_takes_the_person_out_and_changes_no_hazard(sweep, head, named)


def test_erase_everything_makes_the_numbered_hazard_void(sweep: Sweep, head: Person, named: Named) -> None:
    items = [{"source": "record", "id": str(named.visit_id)}, {"source": "order", "id": str(named.order_id)}]
    body = {"items": items, "ground": "unlawful", "extent": "everything"}
    assert len(head.post("/persons/erase", body).json["erased"]) == 2
    sweep.compile(sweep.tree.households[0])
    assert head.task(named.hazard_id)["state"] == "void"
    assert head.get(f"/work-orders/issued/{named.order_id}").json["snapshot"] is None
    assert head.post("/persons/erase", body).json["erased"] == []


def test_erase_a_corrected_visit_erases_each_version(sweep: Sweep, head: Person) -> None:
    place = sweep.tree.households[0]
    first = sweep.put(visit_naming(place))
    second = sweep.put(visit_naming(place, respondent_phone=OTHER_PHONE), amends=first, reason=f"{NAME}说号码不对")
    assert set(found(head, name=NAME)) == {("record", str(first)), ("record", str(second))}
    items = [{"source": "record", "id": str(row_id)} for row_id in (first, second)]
    assert len(head.post("/persons/erase", {"items": items, "ground": "request", "name": NAME}).json["erased"]) == 2
    assert NAME.encode() not in dump(sweep)


def test_unmask_shows_in_full_and_is_noted(sweep: Sweep, head: Person, named: Named) -> None:
    officer = sweep.person("street")
    masked = officer.task(named.hazard_id)["responsible_party"]
    assert masked == NAME[0] + "*"
    body = {"what": "task", "id": str(named.hazard_id), "reason": "contact"}
    answer = officer.post("/persons/unmask", body)
    assert {d["where"]: d["value"] for d in answer.json["items"][0]["data"]}["responsible_party"] == NAME
    visit = officer.post("/persons/unmask", {**body, "what": "visit", "id": str(named.visit_id)}).json["items"][0]
    assert {d["where"]: d["value"] for d in visit["data"]}["header.respondent_phone"] == PHONE
    noted = {e["subject"]: e for e in events(head, "unmasked")}
    assert set(noted) == {f"task:{named.hazard_id}", f"visit:{named.visit_id}"}
    assert noted[f"task:{named.hazard_id}"]["account_id"] == str(officer.account.id)
    assert noted[f"task:{named.hazard_id}"]["details"]["reason"] == "contact"


def test_unmask_outside_the_own_places_finds_nothing(sweep: Sweep, named: Named) -> None:
    stranger = sweep.person("grid_head", sweep.tree.grids[1])
    for what, row_id in (("task", named.hazard_id), ("visit", named.visit_id), ("task", uuid4()), ("visit", uuid4())):
        answer = stranger.post("/persons/unmask", {"what": what, "id": str(row_id), "reason": "contact"})
        assert (answer.status_code, answer.json["code"]) == (404, "nothing_to_unmask")
    own = sweep.person("grid_head", sweep.tree.grids[0])
    assert (
        own.post("/persons/unmask", {"what": "task", "id": str(named.hazard_id), "reason": "contact"}).status_code
        == 200
    )


def test_unmask_needs_another_permission_for_what_is_guarded(sweep: Sweep) -> None:
    place = sweep.tree.households[0]
    visit = sweep.put(visit_naming(place, signature="0198c0de-0000-7000-8000-00000000516e"))
    body = {"what": "visit", "id": str(visit), "reason": "verify"}

    def kinds(role: str) -> set[str]:
        items = sweep.person(role).post("/persons/unmask", body).json["items"]
        return {d["kind"] for item in items for d in item["data"]}

    assert "signature" not in kinds("grid_head")
    assert "signature" in kinds("street")


def test_place_scoped_committee_may_not_search(sweep: Sweep) -> None:
    scoped = sweep.person("committee", sweep.tree.grids[0])
    for path in ("/persons/search", "/persons/report"):
        assert scoped.post(path, {**WHY, "name": NAME}).status_code == 403
    assert (
        scoped.post(
            "/persons/erase", {"items": [{"source": "step", "id": str(uuid4())}], "ground": "request"}
        ).status_code
        == 403
    )


def test_unknown_form_shows_and_keeps_nothing() -> None:
    visit = {
        "header": {"place_id": "p"},
        "blocks": [{"form": "later", "version": 9, "place_id": "p", "answers": {"who": NAME}}],
    }
    body = {"visit": visit, "reason": None}
    assert [d.value for d in personal.data_of(body, lambda code, version: None)] == [NAME]
    assert personal.without_persons(body, lambda code, version: None)["visit"]["blocks"][0]["answers"] == {}


def test_uuid_and_times_are_no_telephone_numbers() -> None:
    body: dict[str, Any] = {"step": {"note": f"{UUID(int=13912345678)} 1600000000000 2026-11-24"}}
    assert personal.data_of(body, lambda code, version: None) == []
