"""Keeping accounts and devices: one-time codes, enabling again, a phone that was found; each in the audit trail."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from flask.testing import FlaskClient

from backend import clock
from backend.db import Database
from backend.identity.reset_codes import LIVES_MS, MOST_FAILURES, issue_code
from tests.factories.identity import AccountFixture, give_role, log_in, make_account, make_community, sign_in

API = "/api/v1"
NEW = "一个全新的长密码啊啊"


@pytest.fixture
def community_id(db: Database) -> UUID:
    return make_community(db)


@pytest.fixture
def admin(db: Database, client: FlaskClient, community_id: UUID) -> dict[str, str]:
    return sign_in(client, make_account(db, community_id, "administrator"))


def use(client: FlaskClient, login: str, code: str, password: str = NEW, address: str = "192.0.2.1") -> Any:
    body = {"username": login, "code": code, "new_password": password}
    return client.post(f"{API}/password-code", json=body, environ_overrides={"REMOTE_ADDR": address})


def actions(client: FlaskClient, headers: dict[str, str]) -> list[str]:
    return [e["action"] for e in client.get(f"{API}/audit-events?limit=500", headers=headers).json["items"]]


def test_code_sets_a_password_once_and_ends_every_log_in(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account = make_account(db, community_id)
    theirs = sign_in(client, account)
    made = client.post(f"{API}/accounts/{account.id}/password-code", headers=admin)
    assert made.status_code == 201
    code = made.json["code"]
    assert client.get(f"{API}/me", headers=theirs).status_code == 200, "the old password works until the code is used"
    weak = use(client, account.login, code, "short")
    assert (weak.status_code, weak.json["code"]) == (422, "password_too_weak")
    assert use(client, account.login.upper(), code.lower().replace("-", " ")).status_code == 204
    assert client.get(f"{API}/me", headers=theirs).json["code"] == "token_unknown"
    again = use(client, account.login, code, "another long password")
    assert (again.status_code, again.json["code"]) == (401, "code_wrong")
    log_in(client, AccountFixture(account.login, NEW, account.id, community_id, account.membership_id))
    assert {"password_code_issued", "password_set_by_code"} <= set(actions(client, admin))
    assert code not in client.get(f"{API}/audit-events", headers=admin).get_data(as_text=True)


def test_code_is_over_after_a_day_and_after_five_wrong_tries(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account, start = make_account(db, community_id), clock.now_ms()
    path = f"{API}/accounts/{account.id}/password-code"
    with time_machine.travel(start / 1000, tick=False) as traveller:
        code = client.post(path, headers=admin).json["code"]
        traveller.move_to((start + LIVES_MS) / 1000)
        assert use(client, account.login, code).json["code"] == "code_wrong"
    code = client.post(path, headers=admin).json["code"]
    for n in range(MOST_FAILURES):
        assert use(client, account.login, "AAAAA-AAAAA", address=f"192.0.2.{10 + n}").status_code == 401
    assert use(client, account.login, code).json["code"] == "code_wrong"
    fresh = client.post(path, headers=admin).json["code"]
    assert use(client, account.login, fresh).status_code == 204


def test_code_of_nobody_or_of_a_disabled_account_is_wrong(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account = make_account(db, community_id)
    code = client.post(f"{API}/accounts/{account.id}/password-code", headers=admin).json["code"]
    assert client.post(f"{API}/accounts/{account.id}/disable", headers=admin).status_code == 204
    for login in (account.login, "nobody", "a\u0000b"):
        assert use(client, login, code).status_code in (401, 422)
    assert client.post(f"{API}/accounts/{account.id}/enable", headers=admin).status_code == 204
    assert use(client, account.login, code).status_code == 204


def test_guess_codes_is_limited_like_passwords(db: Database, client: FlaskClient, community_id: UUID) -> None:
    account = make_account(db, community_id)
    answers = [use(client, account.login, "AAAAA-AAAAA", address="198.51.100.9").status_code for _ in range(12)]
    assert answers[:10] == [401] * 10
    assert set(answers[10:]) == {429}


def test_code_is_given_within_the_own_scope_only(db: Database, client: FlaskClient, community_id: UUID) -> None:
    head, officer = make_account(db, community_id, "grid_head"), make_account(db, community_id, "safety_officer")
    headers = sign_in(client, head)
    assert client.post(f"{API}/accounts/{officer.id}/password-code", headers=headers).status_code == 403
    own = client.post(f"{API}/accounts/{head.id}/password-code", headers=headers)
    assert own.json["code"] == "not_yourself"
    shared = make_account(db, community_id)
    give_role(db, shared, make_community(db), "viewer")
    refused = client.post(f"{API}/accounts/{shared.id}/password-code", headers=headers)
    assert refused.json["code"] == "account_serves_elsewhere"


def test_installations_owner_gives_a_code_to_whoever_serves_several(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account = make_account(db, community_id, "street")
    elsewhere = make_community(db)
    give_role(db, account, elsewhere, "street")
    their_admin = sign_in(client, make_account(db, elsewhere, "administrator"))
    with db.transaction() as session:
        code = issue_code(session, account.id, None)
    assert use(client, account.login, code.text).status_code == 204
    for headers in (admin, their_admin):
        assert "password_set_by_code" in actions(client, headers)


def test_invite_without_a_password_gives_a_code(client: FlaskClient, admin: dict[str, str]) -> None:
    body = {"login": f"u{uuid4().hex[:12]}", "name": "田大禾", "role": "viewer"}
    made = client.post(f"{API}/accounts", json=body, headers=admin).json
    assert use(client, body["login"], made["password_code"]["code"]).status_code == 204
    signed = {"username": body["login"], "password": NEW, "install_id": str(uuid4())}
    assert client.post("/sync/v1/auth/login", json=signed).status_code == 200
    with_password = {**body, "login": f"u{uuid4().hex[:12]}", "password": NEW}
    assert client.post(f"{API}/accounts", json=with_password, headers=admin).json["password_code"] is None


def test_enable_a_disabled_account_lets_it_sign_in_again(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account = make_account(db, community_id)
    path = f"{API}/accounts/{account.id}"
    assert client.post(f"{path}/disable", headers=admin).status_code == 204
    signed = {"username": account.login, "password": account.password, "install_id": str(uuid4())}
    assert client.post("/sync/v1/auth/login", json=signed).status_code == 401
    for _ in range(2):
        assert client.post(f"{path}/enable", headers=admin).status_code == 204
    assert client.post("/sync/v1/auth/login", json=signed).status_code == 200
    assert actions(client, admin).count("account_enabled") == 1


def test_phone_that_was_found_works_again_for_our_accounts(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    install_id = uuid4()
    account = make_account(db, community_id)
    phone = sign_in(client, account, install_id)
    path = f"{API}/devices/{install_id}"
    assert client.post(f"{API}/devices/{uuid4()}/reinstate", headers=admin).json["code"] == "device_not_found"
    assert client.post(f"{path}/revoke", headers=admin).status_code == 204
    assert client.get(f"{API}/me", headers=phone).json["code"] == "device_revoked"
    assert client.post(f"{path}/reinstate", headers=phone).status_code == 401
    stranger = sign_in(client, make_account(db, make_community(db), "administrator"))
    assert client.post(f"{path}/reinstate", headers=stranger).json["code"] == "device_not_found"
    for _ in range(2):
        assert client.post(f"{path}/reinstate", headers=admin).status_code == 204
    assert client.get(f"{API}/me", headers=phone).status_code == 200
    assert actions(client, admin).count("device_reinstated") == 1
