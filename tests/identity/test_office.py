"""Accounts, roles, devices and the audit trail through the office API; nobody rises above their own role or place."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from backend.db import Database
from backend.identity.permissions import ROLES, may_grant
from tests.factories.identity import PASSWORD, AccountFixture, give_role, log_in, make_account, make_community, sign_in
from tests.factories.places import Tree, make_tree

API = "/api/v1"


@pytest.fixture
def community_id(db: Database) -> UUID:
    return make_community(db)


@pytest.fixture
def tree(db: Database, community_id: UUID) -> Tree:
    with db.transaction([community_id]) as session:
        return make_tree(session, community_id, grids=2, buildings=1, households=1)


@pytest.fixture
def admin(db: Database, client: FlaskClient, community_id: UUID) -> dict[str, str]:
    return sign_in(client, make_account(db, community_id, "administrator"))


def invitation(role: str, place_id: UUID | None = None) -> dict[str, object]:
    return {
        "login": f"u{uuid4().hex[:16]}",
        "name": "田大禾",
        "password": PASSWORD,
        "role": role,
        "place_id": str(place_id) if place_id else None,
    }


def audit_of(client: FlaskClient, headers: dict[str, str]) -> list[dict]:
    return client.get(f"{API}/audit-events?limit=500", headers=headers).json["items"]


def test_me_shows_account_permissions_and_all_roles(db: Database, client: FlaskClient, community_id: UUID) -> None:
    account, elsewhere = make_account(db, community_id, "committee"), make_community(db, name="槐荫社区")
    give_role(db, account, elsewhere, "viewer")
    headers = sign_in(client, account)
    me = client.get(f"{API}/me", headers=headers).json
    assert (me["account_id"], me["login"], me["name"]) == (str(account.id), account.login, "石小满")
    assert (me["community_id"], me["role"]) == (str(community_id), "committee")
    assert "paper.issue" in me["permissions"]
    assert {(m["community_name"], m["role"]) for m in me["memberships"]} == {
        ("福泉社区", "committee"),
        ("槐荫社区", "viewer"),
    }
    communities = client.get(f"{API}/communities", headers=headers).json["items"]
    assert {c["community_id"] for c in communities} == {str(community_id), str(elsewhere)}


def test_change_password_signs_out_everywhere_else(db: Database, client: FlaskClient, community_id: UUID) -> None:
    account, here, there = make_account(db, community_id), uuid4(), uuid4()
    headers, other = sign_in(client, account, here), sign_in(client, account, there)
    body = {"current_password": PASSWORD, "new_password": "another good one"}
    assert client.post(f"{API}/me/password", json=body, headers=headers).status_code == 204
    assert client.get(f"{API}/me", headers=headers).status_code == 200
    assert client.get(f"{API}/me", headers=other).json["code"] == "token_unknown"
    again = client.post(
        "/sync/v1/auth/login",
        json={"username": account.login, "password": "another good one", "install_id": str(there)},
    )
    assert again.status_code == 200


@pytest.mark.parametrize("weak", ["short", "九个字符的密码而已"])
def test_change_to_a_weak_password_is_refused(db: Database, client: FlaskClient, community_id: UUID, weak: str) -> None:
    headers = sign_in(client, make_account(db, community_id))
    answer = client.post(
        f"{API}/me/password", json={"current_password": PASSWORD, "new_password": weak}, headers=headers
    )
    assert (answer.status_code, answer.json["code"]) == (422, "password_too_weak")


def test_invite_account_signs_in_with_its_role(client: FlaskClient, admin: dict[str, str], tree: Tree) -> None:
    body = invitation("grid_worker", tree.grids[0])
    made = client.post(f"{API}/accounts", json=body, headers=admin)
    assert made.status_code == 201
    assert (made.json["login"], made.json["disabled"]) == (body["login"], False)
    assert [(m["role"], m["place_id"]) for m in made.json["memberships"]] == [("grid_worker", str(tree.grids[0]))]
    signed_in = client.post(
        "/sync/v1/auth/login",
        json={"username": body["login"], "password": PASSWORD, "install_id": str(uuid4())},
    )
    assert signed_in.json["memberships"][0]["place_id"] == str(tree.grids[0])
    assert {"account_created", "role_granted"} <= {e["action"] for e in audit_of(client, admin)}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"role": "mayor"}, 422, "invalid_input"),
        ({"login": "a\u0000b"}, 422, "invalid_input"),
        ({"name": " "}, 422, "invalid_input"),
        ({"password": "short"}, 422, "password_too_weak"),
        ({"place_id": str(uuid4())}, 422, "place_unknown"),
        ({"surprise": 1}, 422, "invalid_input"),
    ],
)
def test_invite_with_bad_input_is_refused(
    client: FlaskClient, admin: dict[str, str], changes: dict[str, object], status: int, code: str
) -> None:
    answer = client.post(f"{API}/accounts", json=invitation("grid_worker") | changes, headers=admin)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_invite_taken_login_is_refused(client: FlaskClient, admin: dict[str, str]) -> None:
    body = invitation("viewer")
    assert client.post(f"{API}/accounts", json=body, headers=admin).status_code == 201
    again = client.post(f"{API}/accounts", json=body | {"login": str(body["login"]).upper()}, headers=admin)
    assert (again.status_code, again.json["code"]) == (409, "login_taken")


@pytest.mark.parametrize("granter", ROLES)
def test_invite_only_roles_below_ones_own(db: Database, client: FlaskClient, community_id: UUID, granter: str) -> None:
    headers = sign_in(client, make_account(db, community_id, granter))
    for role in ROLES:
        answer = client.post(f"{API}/accounts", json=invitation(role), headers=headers)
        assert answer.status_code == (201 if may_grant(granter, role) else 403), role


def test_grid_head_grants_within_the_own_grid_only(
    db: Database, client: FlaskClient, community_id: UUID, tree: Tree
) -> None:
    headers = sign_in(client, make_account(db, community_id, "grid_head", tree.grids[0]))
    inside = tree.buildings[0]
    assert tree.grid_of[inside] == tree.grids[0]
    for place_id, role, status in (
        (tree.grids[0], "grid_worker", 201),
        (inside, "grid_worker", 201),
        (tree.grids[1], "grid_worker", 403),
        (None, "grid_worker", 403),
        (inside, "grid_head", 403),
        (inside, "administrator", 403),
    ):
        answer = client.post(f"{API}/accounts", json=invitation(role, place_id), headers=headers)
        assert answer.status_code == status, (place_id, role)


def test_scope_of_one_role_does_not_lend_to_another(
    db: Database, client: FlaskClient, community_id: UUID, tree: Tree
) -> None:
    """Grid head here and safety officer there makes no safety officer here."""
    account = make_account(db, community_id, "grid_head", tree.grids[0])
    give_role(db, account, community_id, "safety_officer", tree.grids[1])
    headers = sign_in(client, account)
    for grid, status in ((tree.grids[1], 201), (tree.grids[0], 403)):
        answer = client.post(f"{API}/accounts", json=invitation("grid_head", grid), headers=headers)
        assert answer.status_code == status


def test_list_accounts_pages_through_the_own_scope(
    db: Database, client: FlaskClient, community_id: UUID, tree: Tree
) -> None:
    head = make_account(db, community_id, "grid_head", tree.grids[0])
    inside = [make_account(db, community_id, "grid_worker", tree.grids[0]) for _ in range(3)]
    make_account(db, community_id, "grid_worker", tree.grids[1])
    make_account(db, make_community(db), "grid_worker")
    headers, seen, cursor = sign_in(client, head), [], ""
    while cursor is not None:
        answer = client.get(f"{API}/accounts?limit=2" + (f"&cursor={cursor}" if cursor else ""), headers=headers).json
        seen += [a["id"] for a in answer["items"]]
        cursor = answer["next_cursor"]
    assert seen == [str(a.id) for a in (head, *inside)]


def test_grant_and_revoke_role_take_effect_at_once(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account = make_account(db, community_id, "viewer")
    theirs = sign_in(client, account)
    assert client.get(f"{API}/audit-events", headers=theirs).status_code == 403
    body = {"account_id": str(account.id), "role": "committee", "place_id": None}
    made = client.post(f"{API}/memberships", json=body, headers=admin)
    assert made.status_code == 201
    assert client.post(f"{API}/memberships", json=body, headers=admin).json["id"] == made.json["id"]
    assert client.get(f"{API}/audit-events", headers=theirs).status_code == 200
    for status in (204, 404):
        assert client.delete(f"{API}/memberships/{made.json['id']}", headers=admin).status_code == status
    assert client.get(f"{API}/audit-events", headers=theirs).status_code == 403
    changes = [e["action"] for e in audit_of(client, admin) if e["action"].startswith("role_")]
    assert changes[:2] == ["role_revoked", "role_granted"]


def test_revoke_what_one_could_not_grant_is_denied(
    db: Database, client: FlaskClient, community_id: UUID, tree: Tree
) -> None:
    headers = sign_in(client, make_account(db, community_id, "grid_head", tree.grids[0]))
    for account in (
        make_account(db, community_id, "administrator"),
        make_account(db, community_id, "grid_head", tree.grids[0]),
        make_account(db, community_id, "grid_worker", tree.grids[1]),
        make_account(db, community_id, "grid_worker"),
    ):
        answer = client.delete(f"{API}/memberships/{account.membership_id}", headers=headers)
        assert (answer.status_code, answer.json["code"]) == (403, "permission_denied")
        for action, body in (("disable", None), ("password", {"new_password": "mine from now on"})):
            answer = client.post(f"{API}/accounts/{account.id}/{action}", json=body, headers=headers)
            assert (answer.status_code, answer.json["code"]) == (403, "permission_denied")


def test_bring_in_an_account_of_another_community_is_refused(
    db: Database, client: FlaskClient, admin: dict[str, str]
) -> None:
    """A second community changes what the account's phones must send: no tenant may do that to another."""
    stranger = make_account(db, make_community(db))
    body = {"account_id": str(stranger.id), "role": "viewer", "place_id": None}
    answer = client.post(f"{API}/memberships", json=body, headers=admin)
    assert (answer.status_code, answer.json["code"]) == (404, "account_not_found")
    assert client.post(f"{API}/accounts/{stranger.id}/disable", headers=admin).status_code == 404
    assert client.delete(f"{API}/memberships/{stranger.membership_id}", headers=admin).status_code == 404


def test_disable_account_ends_its_tokens(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account = make_account(db, community_id)
    headers = sign_in(client, account)
    for _ in range(2):
        assert client.post(f"{API}/accounts/{account.id}/disable", headers=admin).status_code == 204
    assert client.get(f"{API}/me", headers=headers).json["code"] == "token_unknown"
    listed = client.get(f"{API}/accounts", headers=admin).json["items"]
    assert [a["disabled"] for a in listed if a["id"] == str(account.id)] == [True]
    assert [e["action"] for e in audit_of(client, admin)].count("account_disabled") == 1


def test_account_that_serves_elsewhere_is_not_ours_to_disable(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account = make_account(db, community_id)
    give_role(db, account, make_community(db), "viewer")
    for action, body in (("disable", None), ("password", {"new_password": "mine from now on"})):
        answer = client.post(f"{API}/accounts/{account.id}/{action}", json=body, headers=admin)
        assert (answer.status_code, answer.json["code"]) == (409, "account_serves_elsewhere")
    assert client.delete(f"{API}/memberships/{account.membership_id}", headers=admin).status_code == 204


def test_nobody_takes_their_own_access_away(db: Database, client: FlaskClient, community_id: UUID) -> None:
    account = make_account(db, community_id, "administrator")
    headers = sign_in(client, account)
    assert client.post(f"{API}/accounts/{account.id}/disable", headers=headers).json["code"] == "not_yourself"
    assert client.delete(f"{API}/memberships/{account.membership_id}", headers=headers).json["code"] == "not_yourself"


def test_reset_password_signs_the_account_out(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    account = make_account(db, community_id)
    headers = sign_in(client, account)
    body = {"new_password": "a fresh new start"}
    assert client.post(f"{API}/accounts/{account.id}/password", json=body, headers=admin).status_code == 204
    assert client.get(f"{API}/me", headers=headers).json["code"] == "token_unknown"
    fresh = AccountFixture(account.login, "a fresh new start", account.id, community_id, account.membership_id)
    assert log_in(client, fresh)["account_id"] == str(account.id)


def test_devices_are_listed_and_revoked_within_the_scope(
    db: Database, client: FlaskClient, community_id: UUID, tree: Tree, admin: dict[str, str]
) -> None:
    worker = make_account(db, community_id, "grid_worker", tree.grids[0])
    install_id = uuid4()
    phone = sign_in(client, worker, install_id)
    heads = [sign_in(client, make_account(db, community_id, "grid_head", grid)) for grid in tree.grids]

    def listed(headers: dict[str, str]) -> set[str]:
        return {d["install_id"] for d in client.get(f"{API}/devices", headers=headers).json["items"]}

    assert str(install_id) in listed(heads[0])
    assert str(install_id) not in listed(heads[1])
    path = f"{API}/devices/{install_id}/revoke"
    assert client.post(path, headers=heads[1]).json["code"] == "device_not_found"
    assert client.post(path, headers=phone).status_code == 403
    for _ in range(2):
        assert client.post(path, headers=heads[0]).status_code == 204
    assert client.get(f"{API}/me", headers=phone).json["code"] == "device_revoked"
    events = [e for e in audit_of(client, admin) if e["action"] == "device_revoked"]
    assert [e["subject"] for e in events] == [f"device:{install_id}"]
    assert len(events[0]["request_id"]) >= 8


def test_revoked_phone_is_revoked_for_the_communitys_own_accounts_only(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    install_id, elsewhere = uuid4(), make_community(db)
    ours = [sign_in(client, make_account(db, community_id), install_id) for _ in range(2)]
    theirs = sign_in(client, make_account(db, elsewhere), install_id)
    their_admin = sign_in(client, make_account(db, elsewhere, "administrator"))
    listed = client.get(f"{API}/devices?limit=200", headers=admin).json["items"]
    here = [item for item in listed if item["install_id"] == str(install_id)]
    assert len({item["account_id"] for item in here}) == len(here) == 2
    assert client.post(f"{API}/devices/{install_id}/revoke", headers=admin).status_code == 204
    assert [client.get(f"{API}/me", headers=phone).json.get("code") for phone in ours] == ["device_revoked"] * 2
    assert client.get(f"{API}/me", headers=theirs).status_code == 200
    assert client.post(f"{API}/devices/{install_id}/revoke", headers=their_admin).status_code == 204
    assert client.get(f"{API}/me", headers=theirs).json["code"] == "device_revoked"
    stranger = sign_in(client, make_account(db, make_community(db), "administrator"))
    answer = client.post(f"{API}/devices/{install_id}/revoke", headers=stranger)
    assert (answer.status_code, answer.json["code"]) == (404, "device_not_found")


def test_audit_events_are_paged_newest_first_and_ones_own(
    db: Database, client: FlaskClient, community_id: UUID, admin: dict[str, str]
) -> None:
    for _ in range(5):
        client.post(f"{API}/accounts", json=invitation("viewer"), headers=admin)
    whole = audit_of(client, admin)
    paged, cursor = [], ""
    while cursor is not None:
        answer = client.get(f"{API}/audit-events?limit=3" + (f"&cursor={cursor}" if cursor else ""), headers=admin).json
        paged += answer["items"]
        cursor = answer["next_cursor"]
    assert paged == whole
    assert [e["at_ms"] for e in whole] == sorted((e["at_ms"] for e in whole), reverse=True)
    assert whole[-1]["action"] == "community_created"
    stranger = sign_in(client, make_account(db, make_community(db), "administrator"))
    assert not {e["id"] for e in audit_of(client, stranger)} & {e["id"] for e in whole}


@pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "WyJhIiwiYiJd", "WzEsMl0"])
@pytest.mark.parametrize("path", ["accounts", "devices", "audit-events"])
def test_bad_cursor_is_named_so(client: FlaskClient, admin: dict[str, str], path: str, cursor: str) -> None:
    answer = client.get(f"{API}/{path}?cursor={cursor}", headers=admin)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_cursor")


def test_problem_speaks_the_callers_language(client: FlaskClient) -> None:
    chinese = client.get(f"{API}/me").json["detail"]
    english = client.get(f"{API}/me", headers={"Accept-Language": "en"}).json["detail"]
    assert (chinese, english) == ("请先登录。", "Sign in first.")
