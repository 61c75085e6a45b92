"""Reconcile names what is missing; the clock signs what it reads."""

from typing import Any

from backend.db import new_id
from backend.sync.taking import anchor_key
from mobile_contract.sync.clock import Anchor, is_genuine
from tests.factories.identity import SECRET_KEY, make_account, make_community
from tests.factories.phones import Phone
from tests.sync.conftest import World


def test_reconcile_sorts_ids(world: World) -> None:
    phone = world.phone()
    good, bad = phone.visit(world.home), phone.visit(world.home, answers={"place": "moon"})
    phone.push(good, bad)
    unknown = str(new_id())
    answer = phone.reconcile(good["id"], bad["id"], unknown, attachments=(unknown,))
    assert answer["missing"] == [unknown]
    assert answer["quarantined"] == [bad["id"]]
    assert answer["missing_attachments"] == [unknown]
    assert answer["server_epoch"] == phone.pull({})["server_epoch"]


def test_clock_answers_a_genuine_anchor(world: World) -> None:
    phone = world.phone()
    anchor = phone.take_anchor()
    assert anchor["elapsed_ms"] == phone.elapsed_ms
    assert is_genuine(anchor_key(SECRET_KEY), Anchor.from_wire(str(phone.install_id), anchor))


def test_clock_of_a_simulated_community_is_shifted(world: World, app: Any) -> None:
    year = 365 * 86_400_000
    past = make_community(world.db, clock_offset_ms=-year)
    phone = Phone(app.test_client(), make_account(world.db, past))
    now = world.phone().take_anchor()["server_ms"]
    assert abs(phone.take_anchor()["server_ms"] - (now - year)) < 60_000


def test_clock_of_another_installation_is_not_signed(world: World) -> None:
    account = world.account()
    old, new = world.phone(account), world.phone(account)
    body = {"install_id": str(old.install_id), "clock": new.clock()}
    for path, more in (
        ("clock", {}),
        ("pull", {"schema_version": 1, "scopes": []}),
        ("reconcile", {"ids": [], "attachment_ids": []}),
    ):
        refused = new.call(path, {**body, **more})
        assert (refused.status_code, refused.json["code"]) == (422, "envelope_invalid")
        assert [error["pointer"] for error in refused.json["errors"]] == ["/install_id"]
    answer = new.call("push", new.envelope([old.visit(world.home)], **body)).json
    assert (answer["anchor"], answer["results"][0]["status"]) == (None, "stored")
