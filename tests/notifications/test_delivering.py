"""Out of the system: robots and e-mail against local servers, with everything that can go wrong there."""

import base64
import hashlib
import hmac
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from backend import clock
from backend.db import new_id
from backend.notifications import delivering
from backend.notifications.escalation import KINDS
from backend.notifications.mail import send_mail
from backend.notifications.robots import LONGEST, cut, signed, text_message
from backend.notifications.texts import message_of
from backend.notifications.web import SendFailed
from backend.settings import ROBOT_HOSTS, Settings
from tests.factories.outside import Mailbox, Robot
from tests.factories.sweeps import DAY_MS, MEASURES, PARTY, Person, Sweep
from tests.notifications.people import look, loose_cage, queued

LATER = 12 * DAY_MS


def channel(person: Person, **body: Any) -> dict[str, Any]:
    answer = person.post("/notification-channels", {"kind": "wecom", "name": "安全工作群", **body})
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def deliver(sweep: Sweep, made: dict[str, Any]) -> int:
    return delivering.deliver(sweep.runtime, sweep.community_id, UUID(made["id"]))


def state(person: Person, made: dict[str, Any]) -> dict[str, Any]:
    items = person.get("/notification-channels").json["items"]
    return next(item for item in items if item["id"] == made["id"])


def hurry(sweep: Sweep) -> None:
    """Let every back-off be over."""
    with sweep.db.transaction([sweep.community_id]) as session:
        session.execute(text("UPDATE delivery SET next_at = now() - interval '1 second'"))


def test_send_reminders_of_one_look_as_one_message(sweep: Sweep, robot: Robot) -> None:
    committee = sweep.person("committee")
    made = channel(committee, url=robot.url)
    assert (made["target"], made["waiting"]) == ("127.0.0.1", 0)
    assert robot.url not in str(made)
    hazard = loose_cage(sweep, sweep.tree.households[0])
    assigned = {"deadline_ms": clock.now_ms() + DAY_MS, "severity": "yellow"}
    assert sweep.person("grid_head").take("assign", hazard, **assigned).status_code == 200
    look(sweep, clock.now_ms() + LATER)
    assert state(committee, made)["waiting"] == 4
    assert deliver(sweep, made) == 1
    ((path, body),) = robot.came
    assert path == "/cgi-bin/webhook/send?key=k"
    assert body["msgtype"] == "text"
    said = body["text"]["content"]
    assert said.startswith("【福泉】安全隐患提醒（4条）")
    assert "已逾期" in said
    assert not any(canary in said for canary in (PARTY, MEASURES, "室", "栋"))
    after = state(committee, made)
    assert (after["waiting"], after["sent"], after["dead"], after["last_error"]) == (0, 4, 0, None)
    assert deliver(sweep, made) == 0


def test_send_only_what_the_channel_is_for(sweep: Sweep, robot: Robot) -> None:
    committee, home, other = sweep.person("committee"), sweep.tree.households[0], sweep.tree.households[-1]
    here = channel(committee, url=robot.url, place_id=str(sweep.tree.grid_of[home]), kinds=["late"])
    chases = channel(committee, url=robot.url, kinds=["chase"])
    assert sweep.tree.grid_of[home] != sweep.tree.grid_of[other]
    mine, _ = loose_cage(sweep, home, days_ago=1), loose_cage(sweep, other, days_ago=1)
    look(sweep, clock.now_ms() + LATER)
    found = queued(sweep)
    assert {channel_id for channel_id, _ in found} == {UUID(here["id"])}
    assert [slot.rpartition(":")[0] for _, slot in found] == [f"late1:{mine}:1", f"late3:{mine}:1"]
    assert state(committee, chases)["waiting"] == 0


def test_send_as_dingtalk_wants_it_signed(sweep: Sweep, robot: Robot) -> None:
    committee = sweep.person("committee")
    made = channel(committee, kind="dingtalk", url=robot.url, secret="SEC0123")
    assert committee.post(f"/notification-channels/{made['id']}/test", {}).status_code == 202
    before = clock.now_ms()
    assert deliver(sweep, made) == 1
    ((path, body),) = robot.came
    asked = parse_qs(urlsplit(path).query)
    stamp = asked["timestamp"][0]
    digest = hmac.new(b"SEC0123", f"{stamp}\nSEC0123".encode(), hashlib.sha256).digest()
    assert asked["sign"] == [base64.b64encode(digest).decode()]
    assert asked["key"] == ["k"]
    assert before <= int(stamp) <= clock.now_ms()
    assert "测试消息" in body["text"]["content"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, b"oops"), "http_500"),
        ((302, b""), "http_302"),
        ((200, {"errcode": 45009, "errmsg": "api freq out of limit"}), "errcode_45009"),
        ((200, {"errmsg": "ok"}), "errcode_missing"),
        ((200, b"<html>"), "answer_unreadable"),
        ((200, [0]), "answer_unreadable"),
    ],
)
def test_send_refused_is_tried_again_later_and_then_goes_through(
    sweep: Sweep, robot: Robot, answer: tuple[int, Any], why: str
) -> None:
    committee = sweep.person("committee")
    made = channel(committee, url=robot.url)
    committee.post(f"/notification-channels/{made['id']}/test", {})
    robot.answers.append(answer)
    assert deliver(sweep, made) == 0
    assert (state(committee, made)["waiting"], state(committee, made)["last_error"]) == (1, why)
    assert deliver(sweep, made) == 0  # not yet
    assert len(robot.came) == 1
    hurry(sweep)
    assert deliver(sweep, made) == 1
    assert state(committee, made)["sent"] == 1
    assert [path for path, _ in robot.came] == ["/cgi-bin/webhook/send?key=k"] * 2


def test_send_refused_ten_times_is_dead_seen_and_can_be_queued_again(sweep: Sweep, robot: Robot) -> None:
    committee = sweep.person("committee")
    made = channel(committee, url=robot.url)
    committee.post(f"/notification-channels/{made['id']}/test", {})
    robot.answers += [(503, b"")] * delivering.TRIES
    for _ in range(delivering.TRIES + 3):
        deliver(sweep, made)
        hurry(sweep)
    assert len(robot.came) == delivering.TRIES
    found = state(committee, made)
    assert (found["dead"], found["waiting"], found["last_error"]) == (1, 0, "http_503")
    (dead,) = committee.get(f"/notification-channels/{made['id']}/dead").json["items"]
    assert (dead["kind"], dead["attempts"], dead["last_error"]) == ("test", delivering.TRIES, "http_503")
    assert "测试消息" in dead["text"]["zh"]
    assert committee.post(f"/notification-channels/{made['id']}/retry", {}).json == {"queued": 1}
    assert committee.get(f"/notification-channels/{made['id']}/dead").json["items"] == []
    assert deliver(sweep, made) == 1


def test_send_no_more_than_twenty_messages_a_minute(
    sweep: Sweep, robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    committee = sweep.person("committee")
    made = channel(committee, url=robot.url)
    monkeypatch.setattr(delivering, "LINES", 1)
    for _ in range(delivering.MESSAGES_A_MINUTE + 5):
        committee.post(f"/notification-channels/{made['id']}/test", {})
    assert deliver(sweep, made) == delivering.MESSAGES_A_MINUTE
    assert deliver(sweep, made) == 0
    with sweep.db.transaction([sweep.community_id]) as session:
        session.execute(text("UPDATE delivery SET sent_at = sent_at - interval '61 seconds'"))
    assert deliver(sweep, made) == 5
    assert len(robot.came) == delivering.MESSAGES_A_MINUTE + 5


def test_settled_while_its_message_waits_is_not_sent(sweep: Sweep, robot: Robot) -> None:
    committee, home, other = sweep.person("committee"), sweep.tree.households[0], sweep.tree.households[1]
    made = channel(committee, url=robot.url)
    gone, stays = loose_cage(sweep, home, days_ago=1), loose_cage(sweep, other, days_ago=1)
    look(sweep, clock.now_ms() + LATER)
    before = state(committee, made)["waiting"]
    assert committee.take("void", gone, reason="误报").status_code == 200
    robot.answers.append((500, b""))
    assert deliver(sweep, made) == 0
    hurry(sweep)
    assert deliver(sweep, made) == 1
    assert (before, state(committee, made)["sent"], state(committee, made)["waiting"]) == (6, 3, 0)
    assert all(str(stays) in slot for _, slot in queued(sweep))
    assert look(sweep, clock.now_ms() + LATER) == 0  # what was dropped is not told again


def test_send_by_mail_to_nobody_in_sight(sweep: Sweep, mailbox: Mailbox) -> None:
    committee = sweep.person("committee")
    addresses = ["an-quan@example.org", "wang@example.com"]
    made = channel(committee, kind="email", addresses=addresses)
    assert made["target"] == "a***@example.org、w***@example.com"
    committee.post(f"/notification-channels/{made['id']}/test", {})
    mailbox.refuse = 1
    assert deliver(sweep, made) == 0
    assert state(committee, made)["last_error"] == "smtp_451"
    hurry(sweep)
    before = len(mailbox.came)
    assert deliver(sweep, made) == 1
    recipients, message = mailbox.came[before]
    assert sorted(recipients) == addresses
    assert not any(address in str(message["To"]) for address in addresses)
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "测试消息" in payload.decode()
    assert str(message["Message-ID"]).endswith("@saolou.invalid>")
    assert parsedate_to_datetime(str(message["Date"])).tzinfo is not None


def test_password_is_never_sent_in_the_clear(outside: Settings, mailbox: Mailbox) -> None:
    bare = replace(outside, smtp_url=f"smtp://somebody:secret@127.0.0.1:{mailbox.port}")
    before = len(mailbox.came)
    with pytest.raises(SendFailed, match="smtp_without_tls"):
        send_mail(bare, ["an-quan@example.org"], "s", "t", new_id())
    assert len(mailbox.came) == before


def test_switched_off_channel_keeps_what_waits(sweep: Sweep, robot: Robot) -> None:
    committee = sweep.person("committee")
    made = channel(committee, url=robot.url)
    committee.post(f"/notification-channels/{made['id']}/test", {})
    assert committee.post(f"/notification-channels/{made['id']}/switch", {"enabled": False}).json["enabled"] is False
    assert deliver(sweep, made) == 0
    committee.post(f"/notification-channels/{made['id']}/switch", {"enabled": True})
    assert deliver(sweep, made) == 1
    client = committee.app.test_client()
    path = f"/api/v1/notification-channels/{made['id']}"
    assert client.delete(path, headers=committee.headers).status_code == 204
    assert client.delete(path, headers=committee.headers).status_code == 404
    assert committee.get("/notification-channels").json["items"] == []


def test_make_channel_refuses_what_leads_nowhere(sweep: Sweep, settings: Settings) -> None:
    committee, head = sweep.person("committee"), sweep.person("grid_head")
    body = {"kind": "wecom", "name": "群", "url": "https://example.org/"}
    assert committee.post("/notification-channels", body).json["code"] == "webhook_refused"
    assert committee.post("/notification-channels", {"kind": "email", "name": "邮"}).status_code == 422
    assert committee.post("/notification-channels", {"kind": "wecom", "name": "群"}).status_code == 422
    unknown = {**body, "url": f"https://{ROBOT_HOSTS[0]}/", "place_id": str(UUID(int=5))}
    assert committee.post("/notification-channels", unknown).json["code"] == "place_unknown"
    assert head.post("/notification-channels", body).status_code == 403
    assert sweep.person("committee", sweep.tree.grids[0]).get("/notification-channels").status_code == 403


def test_text_is_cut_by_whole_characters() -> None:
    said = {"number": f"{'福' * 15}-EBC-2026-000123", "severity": "red", "days": 365}
    for kind in KINDS:
        _, whole = message_of("福" * 15, [(kind, said)] * delivering.LINES)
        assert cut(whole, LONGEST) == whole
    long = "隐患" * 1000
    content = text_message(long)["text"]["content"]
    assert len(content.encode()) <= LONGEST
    assert content.rstrip("…") == long[: len(content) - 1]
    assert cut("短", LONGEST) == "短"
    assert signed("https://h/s?a=1", "x", 5).startswith("https://h/s?a=1&timestamp=5&sign=")


def test_secrets_of_channels_are_sealed(app: Flask, sweep: Sweep, robot: Robot) -> None:
    committee = sweep.person("committee")
    channel(committee, kind="dingtalk", url=robot.url, secret="SECabc")
    with sweep.db.transaction([sweep.community_id]) as session:
        (row,) = session.execute(text("SELECT * FROM notification_channel")).all()
    assert b"SECabc" not in bytes(row.sealed)
    assert "SECabc" not in str(committee.get("/notification-channels").json)
