"""Rate limits of sign-in: failures are counted per address and per account, also while Redis is down."""

from dataclasses import replace
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from tests.factories.identity import AccountFixture, make_account, make_community, sign_in


def attempt(client: FlaskClient, username: str, password: str, address: str, **headers: str):
    return client.post(
        "/sync/v1/auth/login",
        json={"username": username, "password": password, "install_id": str(uuid4()), "device_name": None},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": address},
    )


@pytest.fixture
def account(db: Database) -> AccountFixture:
    return make_account(db, make_community(db))


@pytest.fixture
def address() -> str:
    """A /64 of the test's own."""
    return f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"


@pytest.fixture(params=["redis", "redis is down"])
def client(request: pytest.FixtureRequest, settings: Settings, db: Database) -> FlaskClient:
    url = settings.redis_url if request.param == "redis" else "redis+socket:///nowhere.sock?virtual_host=0"
    return create_app(replace(settings, redis_url=url), db).test_client()


def test_guessing_one_account_from_an_address_is_stopped_there_and_its_owner_signs_in_elsewhere(
    client: FlaskClient, account: AccountFixture, address: str
) -> None:
    answers = [
        attempt(client, account.login if i % 2 else account.login.upper(), "not the password", address)
        for i in range(11)
    ]
    assert [a.status_code for a in answers] == [401] * 10 + [429]
    problem = answers[-1]
    assert problem.json["code"] == "too_many_requests"
    assert problem.mimetype == "application/problem+json"
    assert 1 <= int(problem.headers["Retry-After"]) <= 601
    assert attempt(client, account.login, account.password, address).status_code == 429
    assert attempt(client, account.login, account.password, "2001:db8:1:2::1").status_code == 200


def test_guessing_one_account_from_many_addresses_is_stopped_in_the_end(
    client: FlaskClient, account: AccountFixture
) -> None:
    codes = [attempt(client, account.login, "not the password", f"198.51.100.{i}").status_code for i in range(101)]
    assert codes == [401] * 100 + [429]


def test_guessing_on_the_page_and_the_api_counts_together(
    client: FlaskClient, account: AccountFixture, address: str
) -> None:
    codes = []
    for i in range(11):
        if i % 2:
            codes.append(attempt(client, account.login, "not the password", address).status_code)
        else:
            form = {"username": account.login, "password": "not the password"}
            caller = {"REMOTE_ADDR": address}
            codes.append(client.post("/login", data=form, environ_overrides=caller).status_code)
    assert codes == [401] * 10 + [429]


def test_guessing_from_one_address_is_stopped_for_any_account(
    client: FlaskClient, account: AccountFixture, address: str
) -> None:
    subscriber = address.removesuffix("1")
    codes = [attempt(client, f"guess-{i}", "not the password", f"{subscriber}{i + 1:x}").status_code for i in range(61)]
    assert codes == [401] * 60 + [429]
    assert attempt(client, account.login, account.password, address).status_code == 429
    assert attempt(client, account.login, account.password, "2001:db8:1:1::1").status_code == 200


def test_forwarded_address_counts_only_behind_trusted_proxies(
    settings: Settings, db: Database, account: AccountFixture
) -> None:
    direct = create_app(settings, db).test_client()
    behind = create_app(replace(settings, trusted_proxies=1), db).test_client()
    proxy = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"
    client_block = f"2001:db8:{uuid4().hex[:4]}:"
    for client, last in ((behind, 401), (direct, 429)):
        codes = [
            attempt(
                client, f"g-{uuid4().hex}", "not the password", proxy, **{"X-Forwarded-For": f"{client_block}{i:x}::1"}
            )
            for i in range(61)
        ]
        assert codes[-1].status_code == last


def test_signing_in_rightly_is_never_limited(client: FlaskClient, account: AccountFixture, address: str) -> None:
    codes = {attempt(client, account.login, account.password, address).status_code for _ in range(15)}
    assert codes == {200}


def test_wrong_current_password_is_limited(client: FlaskClient, account: AccountFixture) -> None:
    headers = sign_in(client, account)
    body = {"current_password": "not the password", "new_password": "another good one"}
    answers = [
        client.post(
            "/api/v1/me/password",
            json=body,
            headers=headers,
            environ_overrides={"REMOTE_ADDR": f"198.51.100.{i}"},
        )
        for i in range(11)
    ]
    assert [a.status_code for a in answers] == [403] * 10 + [429]
