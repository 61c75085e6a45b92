"""Whose records a push brings: communities, installations, tokens, revoked devices."""

from uuid import uuid4

import pytest
from sqlalchemy import update

from backend import clock
from backend.identity.models import Token
from backend.identity.service import revoke_device, revoke_role
from backend.sync import quarantine
from tests.factories.identity import give_role, make_community
from tests.factories.phones import Phone
from tests.sync.conftest import World
from tests.sync.kept import archived, quarantined


def test_push_foreign_community_is_quarantined_at_home(world: World) -> None:
    phone = world.phone()
    foreign = make_community(world.db)
    record = phone.visit(world.home)
    result = phone.push(record, community_id=str(foreign))[0]
    assert [error["code"] for error in result["errors"]] == ["community_mismatch"]
    assert archived(world.db, foreign) == {}
    assert quarantined(world.db, foreign) == []
    assert [row[0] for row in quarantined(world.db, world.community_id)] == [record["id"]]


def test_push_of_several_communities_unnamed_is_quarantined(world: World) -> None:
    account = world.account()
    other = make_community(world.db)
    give_role(world.db, account, other, "grid_worker")
    phone = world.phone(account)
    assert phone.push(phone.visit(world.home))[0]["errors"][0]["code"] == "community_unnamed"
    named = phone.push(phone.visit(world.home), community_id=str(world.community_id))[0]
    assert named["status"] == "stored"


def test_push_without_any_community_keeps_records_on_the_phone(world: World) -> None:
    account = world.account()
    phone = world.phone(account)
    with world.db.transaction([world.community_id]) as session:
        revoke_role(session, world.community_id, account.membership_id)
    assert phone.push(phone.visit(world.home))[0]["status"] == "retry"


def test_push_from_an_unknown_installation_is_quarantined(world: World) -> None:
    phone = world.phone()
    result = phone.push(phone.visit(world.home), install_id=str(uuid4()))[0]
    assert [error["code"] for error in result["errors"]] == ["install_mismatch"]


def test_push_records_carried_over_from_another_installation_are_stored(world: World) -> None:
    account = world.account()
    old = world.phone(account)
    old.take_anchor()
    record = old.visit(world.home)
    new = world.phone(account)
    result = new.push(record, install_id=str(old.install_id))[0]
    assert (result["status"], result["time_quality"]) == ("stored", "anchored")


def test_push_unknown_token_stores_nothing(world: World) -> None:
    phone = world.phone()
    body = phone.envelope([phone.visit(world.home)])
    answer = Phone.call(phone, "push", body, Authorization="Bearer nonsense")
    assert (answer.status_code, answer.json["code"]) == (401, "token_unknown")
    assert archived(world.db, world.community_id) == {}


def test_push_of_a_revoked_device_goes_to_quarantine_and_nothing_else_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = world.phone()
    with world.db.transaction([world.community_id]) as session:
        revoke_device(session, world.community_id, phone.install_id)
    record = phone.visit(world.home)
    result = phone.push(record)[0]
    assert (result["status"], result["errors"][0]["code"]) == ("quarantined", "device_is_revoked")
    assert archived(world.db, world.community_id) == {}
    pull = {"install_id": str(phone.install_id), "schema_version": 1, "scopes": []}
    refused = phone.call("pull", pull)
    assert (refused.status_code, refused.json["code"]) == (401, "device_revoked")
    monkeypatch.setattr(quarantine, "REVOKED_RECORDS", 2)
    results = phone.push(phone.visit(world.home), phone.visit(world.home))
    assert [result["status"] for result in results] == ["quarantined", "retry"]
    assert results[1]["errors"][0]["code"] == "quarantine_full"


def test_push_with_an_expired_token_works_for_a_revoked_device_alone(world: World) -> None:
    phone, other = world.phone(), world.phone()
    with world.db.transaction([world.community_id]) as session:
        revoke_device(session, world.community_id, phone.install_id)
        installs = [phone.install_id, other.install_id]
        session.execute(
            update(Token).where(Token.install_id.in_(installs)).values(expires_at=clock.utc(clock.now_ms() - 1))
        )
    result = phone.push(phone.visit(world.home))[0]
    assert (result["status"], result["errors"][0]["code"]) == ("quarantined", "device_is_revoked")
    pull = {"schema_version": 1, "scopes": []}
    for asked, code in ((phone, "device_revoked"), (other, "token_expired")):
        refused = asked.call("pull", {"install_id": str(asked.install_id), **pull})
        assert (refused.status_code, refused.json["code"]) == (401, code)
    refused = other.call("push", other.envelope([other.visit(world.home)]))
    assert (refused.status_code, refused.json["code"]) == (401, "token_expired")


def test_push_again_of_a_stored_record_by_a_revoked_device_is_duplicate(world: World) -> None:
    phone = world.phone()
    phone.take_anchor()
    record = phone.visit(world.home)
    stored = phone.push(record)[0]
    with world.db.transaction([world.community_id]) as session:
        revoke_device(session, world.community_id, phone.install_id)
    again, other = phone.push(record, {**phone.visit(world.home), "id": record["id"]})
    assert again == {**stored, "status": "duplicate"}
    assert (other["status"], other["errors"][0]["code"]) == ("quarantined", "device_is_revoked")
    assert len(quarantined(world.db, world.community_id)) == 1
