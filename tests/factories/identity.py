"""Communities, accounts and signed-in clients for tests. Names are invented."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient

from backend.db import Database
from backend.identity.keys import Keyring
from backend.identity.service import create_account, create_community, grant_role

#: The secret of the ``settings`` fixture.
SECRET_KEY = b"k" * 32
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class AccountFixture:
    login: str
    password: str
    id: UUID
    community_id: UUID
    membership_id: UUID


def make_community(db: Database, keyring: Keyring | None = None, **values: Any) -> UUID:
    """A community of the test's own."""
    values = {"name": "福泉社区", "short_name": "福泉", **values}
    with db.transaction() as session:
        return create_community(session, keyring or Keyring(SECRET_KEY), **values)


def make_account(
    db: Database,
    community_id: UUID,
    role: str = "grid_worker",
    place_id: UUID | None = None,
    *,
    name: str = "石小满",
    password: str = PASSWORD,
) -> AccountFixture:
    """An account with one role in ``community_id``."""
    login = f"u{uuid4().hex[:16]}"
    with db.transaction([community_id]) as session:
        account_id = create_account(session, login, name, password)
        membership_id = grant_role(session, community_id, account_id, role, place_id)
    return AccountFixture(login, password, account_id, community_id, membership_id)


def give_role(
    db: Database, account: AccountFixture, community_id: UUID, role: str, place_id: UUID | None = None
) -> UUID:
    """A further role for ``account``, also in another community."""
    with db.transaction([community_id]) as session:
        return grant_role(session, community_id, account.id, role, place_id)


def log_in(client: FlaskClient, account: AccountFixture, install_id: UUID | None = None) -> dict[str, Any]:
    """The log-in's answer (both tokens)."""
    answer = client.post(
        "/sync/v1/auth/login",
        json={
            "username": account.login,
            "password": account.password,
            "install_id": str(install_id or uuid4()),
            "device_name": "测试机",
        },
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def sign_in(client: FlaskClient, account: AccountFixture, install_id: UUID | None = None) -> dict[str, str]:
    """Headers of a signed-in client, for its community."""
    token = log_in(client, account, install_id)["access_token"]
    return {"Authorization": f"Bearer {token}", "X-Community": str(account.community_id)}
