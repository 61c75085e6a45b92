"""Sign-in: log-in, expiry, rotation, replay, reuse, log-out."""

from uuid import UUID, uuid4

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select, update

from backend import clock
from backend.db import Database
from backend.identity.expiry import purge_expired_tokens
from backend.identity.models import Account, AuditEvent, DeviceAccount, Token
from backend.identity.passwords import HASHER
from backend.identity.service import revoke_device
from tests.factories.identity import AccountFixture, log_in, make_account, make_community

MINUTE = 60_000


@pytest.fixture
def account(db: Database) -> AccountFixture:
    return make_account(db, make_community(db), "grid_worker")


def status_of(client: FlaskClient, access_token: str) -> tuple[int, str | None]:
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {access_token}"})
    return answer.status_code, answer.json.get("code")


def refresh(client: FlaskClient, token: str, install_id: UUID) -> tuple[int, dict]:
    answer = client.post("/sync/v1/auth/refresh", json={"refresh_token": token, "install_id": str(install_id)})
    return answer.status_code, answer.json


def try_log_in(client: FlaskClient, username: str, password: str, address: str = "192.0.2.1"):
    return client.post(
        "/sync/v1/auth/login",
        json={"username": username, "password": password, "install_id": str(uuid4()), "device_name": None},
        environ_overrides={"REMOTE_ADDR": address},
    )


def test_log_in_right_password_answers_tokens_and_memberships(client: FlaskClient, account: AccountFixture) -> None:
    answer = log_in(client, account)
    assert answer["access_expires_ms"] - answer["server_time_ms"] == 30 * MINUTE
    assert answer["refresh_expires_ms"] - answer["server_time_ms"] == 180 * clock.DAY_MS
    assert answer["account_id"] == str(account.id)
    assert answer["memberships"] == [
        {
            "community_id": str(account.community_id),
            "community_name": "福泉社区",
            "role": "grid_worker",
            "place_id": None,
        }
    ]
    assert status_of(client, answer["access_token"]) == (200, None)


def test_log_in_full_width_spelling_is_the_same_account(client: FlaskClient, account: AccountFixture) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in account.login.upper())
    assert try_log_in(client, f" {wide} ", account.password).status_code == 200


@pytest.mark.parametrize("username", ["nobody-here", "", " ", "a\u0000b", "x" * 201, None])
def test_log_in_unknown_name_is_refused_like_a_wrong_password(
    client: FlaskClient, account: AccountFixture, username: str | None
) -> None:
    wrong = try_log_in(client, account.login, "wrong password!", "192.0.2.2")
    unknown = try_log_in(client, username, "wrong password!", "192.0.2.2")
    if username in ("", None) or len(username) > 200:
        assert (unknown.status_code, unknown.json["code"]) == (422, "envelope_invalid")
        return
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json["code"] == unknown.json["code"] == "login_failed"
    assert wrong.json["detail"] == unknown.json["detail"]


def test_log_in_unknown_name_hashes_all_the_same(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = type(HASHER).verify
    monkeypatch.setattr(type(HASHER), "verify", lambda self, h, p: seen.append(h) or real(self, h, p))
    try_log_in(client, "nobody-at-all", "wrong password!", "192.0.2.3")
    assert len(seen) == 1
    assert "m=19456,t=2,p=1" in seen[0]


def test_log_in_disabled_account_is_refused(client: FlaskClient, db: Database, account: AccountFixture) -> None:
    answer = log_in(client, account)
    with db.transaction() as session:
        session.execute(update(Account).where(Account.id == account.id).values(disabled_at=clock.utc(clock.now_ms())))
    assert try_log_in(client, account.login, account.password, "192.0.2.4").json["code"] == "login_failed"
    assert status_of(client, answer["access_token"]) == (401, "token_unknown")


def test_log_in_outdated_hash_is_made_anew(client: FlaskClient, db: Database, account: AccountFixture) -> None:
    weak = type(HASHER)(time_cost=1, memory_cost=8, parallelism=1).hash(account.password)
    with db.transaction() as session:
        session.execute(update(Account).where(Account.id == account.id).values(password_hash=weak))
    log_in(client, account)
    with db.transaction() as session:
        assert "m=19456,t=2,p=1" in session.get_one(Account, account.id).password_hash
    log_in(client, account)


def test_log_in_full_width_password_is_renewed_in_one_spelling(client: FlaskClient, db: Database) -> None:
    account = make_account(db, make_community(db), password="ｆｕｌｌ　ｗｉｄｔｈ　ｋｅｙｓ")
    weak = type(HASHER)(time_cost=1, memory_cost=8, parallelism=1).hash("full width keys")
    with db.transaction() as session:
        session.execute(update(Account).where(Account.id == account.id).values(password_hash=weak))
    log_in(client, account)
    log_in(client, account)
    assert try_log_in(client, account.login, "full width keys").status_code == 200


def test_log_in_leaves_an_audit_event(client: FlaskClient, db: Database, account: AccountFixture) -> None:
    install_id = uuid4()
    log_in(client, account, install_id)
    with db.transaction([account.community_id]) as session:
        event = session.scalar(select(AuditEvent).where(AuditEvent.action == "signed_in"))
        assert (event.account_id, event.subject) == (account.id, f"device:{install_id}")


def test_call_without_or_with_unknown_token_is_refused(client: FlaskClient) -> None:
    assert client.get("/api/v1/me").json["code"] == "not_signed_in"
    assert client.get("/api/v1/me").headers["WWW-Authenticate"] == "Bearer"
    assert status_of(client, "x" * 43) == (401, "token_unknown")
    assert status_of(client, "\u00ff\u0000")[0] == 401


def test_call_refresh_token_as_access_token_is_refused(client: FlaskClient, account: AccountFixture) -> None:
    assert status_of(client, log_in(client, account)["refresh_token"]) == (401, "token_unknown")


def test_call_after_thirty_minutes_is_expired_until_refreshed(client: FlaskClient, account: AccountFixture) -> None:
    install_id, start = uuid4(), clock.now_ms()
    with time_machine.travel(start / 1000, tick=False) as traveller:
        answer = log_in(client, account, install_id)
        traveller.move_to((start + 30 * MINUTE - 1000) / 1000)
        assert status_of(client, answer["access_token"]) == (200, None)
        traveller.move_to((start + 30 * MINUTE + 1000) / 1000)
        assert status_of(client, answer["access_token"]) == (401, "token_expired")
        status, pair = refresh(client, answer["refresh_token"], install_id)
        assert status == 200
        assert status_of(client, pair["access_token"]) == (200, None)


def test_refresh_slides_and_expires_after_180_idle_days(client: FlaskClient, account: AccountFixture) -> None:
    install_id, start = uuid4(), clock.now_ms()
    with time_machine.travel(start / 1000, tick=False) as traveller:
        answer = log_in(client, account, install_id)
        traveller.move_to((start + 179 * clock.DAY_MS) / 1000)
        status, pair = refresh(client, answer["refresh_token"], install_id)
        assert status == 200
        traveller.move_to((start + 358 * clock.DAY_MS) / 1000)
        status, pair = refresh(client, pair["refresh_token"], install_id)
        assert status == 200
        traveller.move_to((start + 539 * clock.DAY_MS) / 1000)
        status, problem = refresh(client, pair["refresh_token"], install_id)
        assert (status, problem["code"]) == (401, "token_expired")


def test_refresh_from_another_installation_is_unknown(client: FlaskClient, account: AccountFixture) -> None:
    answer = log_in(client, account, uuid4())
    status, problem = refresh(client, answer["refresh_token"], uuid4())
    assert (status, problem["code"]) == (401, "token_unknown")


def test_refresh_lost_answer_is_repaired_by_sending_again(client: FlaskClient, account: AccountFixture) -> None:
    install_id = uuid4()
    first = log_in(client, account, install_id)
    _, lost = refresh(client, first["refresh_token"], install_id)
    status, second = refresh(client, first["refresh_token"], install_id)
    assert status == 200
    assert len({first["refresh_token"], lost["refresh_token"], second["refresh_token"]}) == 3
    assert status_of(client, second["access_token"]) == (200, None)


@pytest.mark.parametrize("use", ["access_token", "refresh_token"])
def test_refresh_spent_token_revokes_the_family_durably(client: FlaskClient, account: AccountFixture, use: str) -> None:
    install_id = uuid4()
    first = log_in(client, account, install_id)
    _, pair = refresh(client, first["refresh_token"], install_id)
    if use == "access_token":
        assert status_of(client, pair["access_token"]) == (200, None)
    else:
        assert refresh(client, pair["refresh_token"], install_id)[0] == 200
    status, problem = refresh(client, first["refresh_token"], install_id)
    assert (status, problem["code"]) == (401, "refresh_reused")
    assert status_of(client, pair["access_token"]) == (401, "token_unknown")
    assert status_of(client, first["access_token"]) == (401, "token_unknown")
    assert refresh(client, pair["refresh_token"], install_id)[1]["code"] in (
        "token_unknown",
        "refresh_reused",
    )


def test_refresh_reuse_in_one_family_leaves_the_others(client: FlaskClient, account: AccountFixture) -> None:
    here, there = uuid4(), uuid4()
    first, other = log_in(client, account, here), log_in(client, account, there)
    _, pair = refresh(client, first["refresh_token"], here)
    status_of(client, pair["access_token"])
    assert refresh(client, first["refresh_token"], here)[0] == 401
    assert status_of(client, other["access_token"]) == (200, None)


def test_log_out_ends_the_family_and_may_be_repeated(client: FlaskClient, account: AccountFixture) -> None:
    install_id = uuid4()
    answer = log_in(client, account, install_id)
    body = {"refresh_token": answer["refresh_token"], "install_id": str(install_id)}
    assert client.post("/sync/v1/auth/logout", json=body).status_code == 204
    assert client.post("/sync/v1/auth/logout", json=body).status_code == 204
    assert status_of(client, answer["access_token"]) == (401, "token_unknown")
    assert refresh(client, answer["refresh_token"], install_id)[1]["code"] == "token_unknown"


def test_revoked_device_may_not_call_refresh_or_log_in(
    client: FlaskClient, db: Database, account: AccountFixture
) -> None:
    install_id = uuid4()
    answer = log_in(client, account, install_id)
    with db.transaction([account.community_id]) as session:
        revoke_device(session, account.community_id, install_id)
    assert status_of(client, answer["access_token"]) == (401, "device_revoked")
    assert refresh(client, answer["refresh_token"], install_id)[1]["code"] == "device_revoked"
    again = client.post(
        "/sync/v1/auth/login",
        json={"username": account.login, "password": account.password, "install_id": str(install_id)},
        environ_overrides={"REMOTE_ADDR": "192.0.2.5"},
    )
    assert (again.status_code, again.json["code"]) == (401, "device_revoked")


def test_tokens_are_stored_as_hashes_only(client: FlaskClient, db: Database, account: AccountFixture) -> None:
    answer = log_in(client, account)
    with db.transaction() as session:
        stored = session.scalars(select(Token.hash).where(Token.account_id == account.id)).all()
    assert len(stored) == 2
    assert all(len(h) == 32 for h in stored)
    assert not {answer["access_token"].encode(), answer["refresh_token"].encode()} & set(stored)


def test_purge_expired_tokens_keeps_what_still_counts(
    client: FlaskClient, db: Database, account: AccountFixture
) -> None:
    moved_on, offline, start = uuid4(), uuid4(), clock.now_ms()
    with time_machine.travel(start / 1000, tick=False) as traveller:
        first, idle = log_in(client, account, moved_on), log_in(client, account, offline)
        _, pair = refresh(client, first["refresh_token"], moved_on)
        status_of(client, pair["access_token"])
        traveller.move_to((start + 3 * clock.DAY_MS) / 1000)
        with db.transaction() as session:
            assert purge_expired_tokens(session) >= 1
        assert status_of(client, first["access_token"]) == (401, "token_unknown")
        assert status_of(client, idle["access_token"]) == (401, "token_expired")
        assert status_of(client, pair["access_token"]) == (401, "token_expired")
        assert refresh(client, idle["refresh_token"], offline)[0] == 200
        assert refresh(client, first["refresh_token"], moved_on)[1]["code"] == "refresh_reused"
        traveller.move_to((start + 400 * clock.DAY_MS) / 1000)
        with db.transaction() as session:
            purge_expired_tokens(session)
            assert session.scalars(select(Token).where(Token.account_id == account.id)).all() == []


def test_last_seen_is_noted_at_most_once_a_minute(client: FlaskClient, db: Database, account: AccountFixture) -> None:
    install_id, start = uuid4(), clock.now_ms()

    def last_seen() -> int:
        with db.transaction() as session:
            return int(session.get_one(DeviceAccount, (install_id, account.id)).last_seen_at.timestamp() * 1000 + 0.5)

    with time_machine.travel(start / 1000, tick=False) as traveller:
        token = log_in(client, account, install_id)["access_token"]
        logged_in = last_seen()
        traveller.move_to((start + 59_000) / 1000)
        status_of(client, token)
        assert last_seen() == logged_in
        traveller.move_to((start + 61_000) / 1000)
        status_of(client, token)
        assert abs(last_seen() - start - 61_000) <= 2
