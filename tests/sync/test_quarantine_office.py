"""The office and the quarantine: nothing is lost, everything can be repaired, and the phone learns of it."""

import base64
import json
from typing import Any

import pytest
from sqlalchemy import select

from backend.identity.models import AuditEvent
from backend.inspections.models import Record
from backend.sync.feed import device_scope
from tests.factories.phones import ANSWERS, Phone
from tests.sync.conftest import World
from tests.sync.kept import archived, quarantined


def get(office: Phone, path: str, **query: Any) -> Any:
    return office.client.get(f"/api/v1/{path}", headers=office.headers, query_string=query)


def post(office: Phone, path: str, body: Any = None) -> Any:
    return office.client.post(f"/api/v1/{path}", headers=office.headers, json=body)


def wrong_visit(world: World, phone: Phone) -> tuple[dict[str, Any], str]:
    """A record in quarantine for a wrong answer, and its quarantine id."""
    record = phone.visit(world.home, answers={"place": "moon"})
    return record, phone.push(record)[0]["quarantine_id"]


def repaired(record: dict[str, Any]) -> str:
    payload = json.loads(record["payload"])
    payload["visit"]["blocks"][0]["answers"] = ANSWERS
    return json.dumps(payload, ensure_ascii=False)


def test_quarantine_list_pages_newest_first(world: World) -> None:
    phone, office = world.phone(), world.office()
    ids = [wrong_visit(world, phone)[1] for _ in range(5)]
    first = get(office, "quarantine", limit=3).json
    assert [item["id"] for item in first["items"]] == ids[:1:-1]
    second = get(office, "quarantine", limit=3, cursor=first["next_cursor"]).json
    assert [item["id"] for item in second["items"]] == ids[1::-1]
    assert second["next_cursor"] is None
    item = first["items"][0]
    assert item["state"] == "held"
    assert item["install_id"] == str(phone.install_id)
    assert item["errors"][0]["message"]


def test_quarantine_list_narrows(world: World) -> None:
    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    wrong_visit(world, phone)
    assert [i["id"] for i in get(office, "quarantine", record_id=record["id"]).json["items"]] == [quarantine_id]
    assert get(office, "quarantine", code="hash_mismatch").json["items"] == []
    assert len(get(office, "quarantine", install_id=str(phone.install_id)).json["items"]) == 2
    assert get(office, "quarantine", state="accepted").json["items"] == []
    assert get(office, "quarantine", cursor="WzFd").status_code == 400


def test_quarantine_detail_shows_the_bytes_as_they_came(world: World) -> None:
    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    masked = get(office, f"quarantine/{quarantine_id}").json
    assert (masked["payload"], masked["raw_text"], masked["raw_base64"]) == (None, None, None)
    detail = get(office, f"quarantine/{quarantine_id}", reason="repair").json
    assert detail["payload"] == record["payload"]
    assert json.loads(base64.b64decode(detail["raw_base64"]))["id"] == record["id"]
    assert detail["raw_text"]
    assert get(office, "quarantine/00000000-0000-0000-0000-000000000000").status_code == 404


@pytest.mark.parametrize("role", ["grid_worker", "viewer", "district"])
def test_quarantine_is_closed_to_roles_without_permission(world: World, role: str) -> None:
    _, quarantine_id = wrong_visit(world, world.phone())
    reader = world.phone(world.account(role))
    assert get(reader, "quarantine").status_code == 403
    assert get(reader, f"quarantine/{quarantine_id}").status_code == 403
    assert post(reader, f"quarantine/{quarantine_id}/requeue").status_code == 403


def test_repair_stores_under_the_same_id_and_tells_the_phone(world: World) -> None:
    phone, office = world.phone(), world.office()
    scope = device_scope(phone.install_id)
    cursor = phone.pull({scope: None})["scopes"][0]["cursor"]
    record, quarantine_id = wrong_visit(world, phone)
    answer = post(office, f"quarantine/{quarantine_id}/repair", {"payload": repaired(record), "reason": "选项填错"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.json["status"] == "stored"
    assert archived(world.db, world.community_id) == {record["id"]: repaired(record).encode()}
    assert len(quarantined(world.db, world.community_id)) == 1, "the bytes as they came are kept"
    with world.db.transaction([world.community_id]) as session:
        row = session.scalars(select(Record)).one()
        assert str(row.repaired_from) == quarantine_id
        assert row.author_id == phone.account.id
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "quarantine_repaired")).one()
        assert event.account_id == office.account.id
        assert event.details["reason"] == "选项填错"
    changes = phone.pull({scope: cursor})["scopes"][0]["changes"]
    assert [(c["entity"], c["id"], c["data"]["status"]) for c in changes] == [
        ("record_status", record["id"], "accepted")
    ]
    snapshot = phone.pull({scope: None})["scopes"][0]["changes"]
    assert [change["id"] for change in snapshot] == [record["id"]]
    assert phone.push(record)[0]["status"] == "duplicate"
    assert phone.reconcile(record["id"])["quarantined"] == []
    assert phone.reconcile(record["id"])["missing"] == []


def test_repair_that_is_wrong_too_changes_nothing(world: World) -> None:
    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    for payload, code in ((record["payload"], "bad_choice"), ("nonsense", "payload_not_json")):
        answer = post(office, f"quarantine/{quarantine_id}/repair", {"payload": payload, "reason": "试"})
        assert (answer.status_code, answer.json["code"]) == (422, "repair_refused")
        assert code in [error["code"] for error in answer.json["errors"]]
    assert archived(world.db, world.community_id) == {}
    assert get(office, f"quarantine/{quarantine_id}").json["state"] == "held"


def test_repair_twice_is_a_conflict(world: World) -> None:
    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    body = {"payload": repaired(record), "reason": "选项填错"}
    assert post(office, f"quarantine/{quarantine_id}/repair", body).status_code == 200
    again = post(office, f"quarantine/{quarantine_id}/repair", body)
    assert (again.status_code, again.json["code"]) == (409, "quarantine_resolved")


def test_repair_of_a_reused_id_is_a_conflict(world: World) -> None:
    phone, office = world.phone(), world.office()
    record = phone.visit(world.home)
    other = {**phone.visit(world.home), "id": record["id"]}
    quarantine_id = phone.push(record, other)[1]["quarantine_id"]
    answer = post(office, f"quarantine/{quarantine_id}/repair", {"payload": other["payload"], "reason": "试"})
    assert (answer.status_code, answer.json["code"]) == (409, "record_id_taken")
    assert archived(world.db, world.community_id) == {record["id"]: record["payload"].encode()}


def test_repair_of_a_reused_id_under_a_new_one_stores_it(world: World) -> None:
    from backend.db import new_id

    phone, office = world.phone(), world.office()
    record = phone.visit(world.home)
    other = {**phone.visit(world.home), "id": record["id"]}
    quarantine_id = phone.push(record, other)[1]["quarantine_id"]
    body = {"payload": other["payload"], "reason": "编号重复", "record_id": str(new_id())}
    answer = post(office, f"quarantine/{quarantine_id}/repair", body)
    assert (answer.json["status"], answer.json["id"]) == ("stored", body["record_id"])
    stored = {record["id"]: record["payload"].encode(), body["record_id"]: other["payload"].encode()}
    assert archived(world.db, world.community_id) == stored
    assert get(office, f"records/{body['record_id']}").json["repaired_from"] == quarantine_id
    assert get(office, f"quarantine/{quarantine_id}").json["state"] == "accepted"


def test_repair_keeps_the_id_of_bytes_that_name_a_free_one(world: World) -> None:
    from backend.db import new_id

    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    body = {"payload": repaired(record), "reason": "选项填错", "record_id": str(new_id())}
    assert post(office, f"quarantine/{quarantine_id}/repair", body).json["id"] == record["id"]


def test_repair_takes_a_payload_as_large_as_a_push_may_bring(world: World) -> None:
    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    body = {"payload": repaired(record) + " " * 4_000_000, "reason": "选项填错"}
    assert post(office, f"quarantine/{quarantine_id}/repair", body).json["status"] == "stored"


def test_dismissed_leaves_the_tray_and_keeps_its_bytes(world: World) -> None:
    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    url = f"quarantine/{quarantine_id}/dismiss"
    assert post(office, url, {"reason": " "}).status_code == 422
    assert post(phone, url, {"reason": "试填"}).status_code == 403
    assert post(office, url, {"reason": "试填，无须入库"}).json["state"] == "dismissed"
    assert get(office, "quarantine").json["items"] == []
    assert [i["id"] for i in get(office, "quarantine", state="dismissed").json["items"]] == [quarantine_id]
    assert get(office, f"quarantine/{quarantine_id}", reason="verify").json["payload"] == record["payload"]
    with world.db.transaction([world.community_id]) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "quarantine_dismissed")).one()
        assert event.details["reason"] == "试填，无须入库"
    summary = get(office, "sync/summary").json
    assert (summary["quarantined"], summary["dismissed"]) == (0, 1)
    assert phone.reconcile(record["id"])["quarantined"] == [record["id"]]
    assert phone.push(record)[0]["status"] == "quarantined"
    assert get(office, f"quarantine/{quarantine_id}", reason="verify").json["state"] == "dismissed"
    for action, body in (("dismiss", {"reason": "再"}), ("requeue", None)):
        again = post(office, f"quarantine/{quarantine_id}/{action}", body)
        assert (again.status_code, again.json["code"]) == (409, "quarantine_resolved")


def test_held_item_whose_record_the_phone_stored_later_is_superseded(world: World) -> None:
    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    assert get(office, f"quarantine/{quarantine_id}").json["superseded"] is False
    assert phone.push({**phone.visit(world.home), "id": record["id"]})[0]["status"] == "stored"
    assert get(office, f"quarantine/{quarantine_id}").json["superseded"] is True
    first = phone.visit(world.home)
    phone.push(first)
    reused = phone.push({**phone.visit(world.home), "id": first["id"]})[0]["quarantine_id"]
    assert get(office, f"quarantine/{reused}").json["superseded"] is False, "its record was stored before"


def test_repair_of_bytes_that_name_nothing_needs_the_names(world: World) -> None:
    phone, office = world.phone(), world.office()
    record = phone.visit(world.home)
    raw = json.dumps(phone.envelope([record])).encode().replace(b'"type": "visit"', b'"type": \xff', 1)
    result = phone.push_raw(raw).json["results"][0]
    url = f"quarantine/{result['quarantine_id']}/repair"
    body = {"payload": record["payload"], "reason": "字节损坏"}
    refused = post(office, url, body)
    assert (refused.status_code, refused.json["code"]) == (422, "repair_unnamed")
    assert post(office, url, {**body, "type": "visit"}).json["status"] == "stored"
    assert archived(world.db, world.community_id) == {record["id"]: record["payload"].encode()}


def test_requeue_takes_the_same_bytes_in_once_they_can_be(world: World) -> None:
    from sqlalchemy import update

    from backend.identity.models import DeviceAccount
    from backend.identity.service import revoke_device

    phone, office = world.phone(), world.office()
    phone.take_anchor()
    with world.db.transaction([world.community_id]) as session:
        revoke_device(session, world.community_id, phone.install_id)
    record = phone.visit(world.home)
    quarantine_id = phone.push(record)[0]["quarantine_id"]
    answer = post(office, f"quarantine/{quarantine_id}/requeue").json
    assert (answer["status"], answer["time_quality"]) == ("stored", "anchored")
    assert archived(world.db, world.community_id) == {record["id"]: record["payload"].encode()}
    with world.db.transaction() as session:
        session.execute(
            update(DeviceAccount).where(DeviceAccount.install_id == phone.install_id).values(revoked_at=None)
        )
    scope = device_scope(phone.install_id)
    changes = phone.pull({scope: None})["scopes"][0]["changes"]
    assert [change["data"]["status"] for change in changes] == ["accepted"]


def test_requeue_of_what_is_still_wrong_tells_why(world: World) -> None:
    phone, office = world.phone(), world.office()
    _, quarantine_id = wrong_visit(world, phone)
    answer = post(office, f"quarantine/{quarantine_id}/requeue").json
    assert answer["status"] == "quarantined"
    assert answer["quarantine_id"] == quarantine_id
    assert answer["errors"]
    assert get(office, f"quarantine/{quarantine_id}").json["state"] == "held"
    assert len(quarantined(world.db, world.community_id)) == 1


def test_push_of_bytes_that_can_be_taken_in_now_resolves_their_row(world: World) -> None:
    """The phone resends what was quarantined for a reason that is gone."""
    from backend.identity.service import revoke_device
    from tests.factories.phones import log_in

    phone, office = world.phone(), world.office()
    with world.db.transaction([world.community_id]) as session:
        revoke_device(session, world.community_id, phone.install_id)
    record = phone.visit(world.home)
    quarantine_id = phone.push(record)[0]["quarantine_id"]
    successor = world.phone(phone.account)
    assert log_in(successor.client, phone.account, successor.install_id)["access_token"]
    assert successor.push(record)[0]["status"] == "stored"
    assert get(office, f"quarantine/{quarantine_id}").json["state"] == "accepted"


def test_record_shows_status_and_payload_to_those_who_may(world: World) -> None:
    phone, office = world.phone(), world.office()
    record = phone.visit(world.home)
    phone.push(record)
    shown = get(office, f"records/{record['id']}").json
    assert shown["status"] == "stored"
    assert shown["sha256"] == record["sha256"]
    assert shown["payload"] is None, "no reason was given"
    opened = get(office, f"records/{record['id']}", reason="verify", reference="12号").json
    assert opened["payload"] == record["payload"]
    assert get(office, f"records/{record['id']}", reason="curious").status_code == 422
    assert shown["waiting_on"] == []
    assert get(phone, f"records/{record['id']}").json["payload"] == record["payload"]
    colleague = world.phone()
    assert get(colleague, f"records/{record['id']}").json["payload"] is None
    stranger = world.phone(world.account("grid_worker", world.tree.buildings[1]))
    assert get(stranger, f"records/{record['id']}").status_code == 404


def test_summary_and_tray_count_what_is_there(world: World) -> None:
    from backend.db import new_id

    phone, office = world.phone(), world.office()
    door = new_id()
    lost = phone.visit(door)
    phone.push(phone.visit(world.home), lost, phone.proposal(new_id(), world.tree.units[0]))
    wrong_visit(world, phone)
    assert get(office, "sync/summary").json == {
        "records": 3,
        "by_type": {"visit": 2, "place_proposal": 1},
        "quarantined": 1,
        "dismissed": 0,
        "waiting": 1,
    }
    tray = get(office, "waiting", limit=1).json
    assert [(i["record_id"], i["ref_type"], i["ref_id"]) for i in tray["items"]] == [(lost["id"], "place", str(door))]
    assert get(office, f"records/{lost['id']}").json["waiting_on"] == [{"ref_type": "place", "ref_id": str(door)}]
    phone.push(phone.visit(new_id()))
    first = get(office, "waiting", limit=1).json
    second = get(office, "waiting", limit=1, cursor=first["next_cursor"]).json
    assert first["items"][0]["record_id"] != second["items"][0]["record_id"]
    assert second["next_cursor"] is None
