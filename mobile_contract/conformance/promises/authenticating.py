"""Log-in, refresh, log-out."""

from mobile_contract.conformance.promises.bench import Bench, expect, is_problem
from mobile_contract.conformance.promises.registry import promise
from mobile_contract.conformance.wire import Reply


def _refresh(bench: Bench, token: str, install_id: str) -> Reply:
    return bench.wire.post("/sync/v1/auth/refresh", {"refresh_token": token, "install_id": install_id})


@promise("login-shape", "§2")
def login_tells_who_and_where(bench: Bench) -> None:
    """Log-in gives tokens with their ends, the account, and its communities with roles."""
    answer = bench.log_in(bench.new_id())
    wanted = ("access_token", "access_expires_ms", "refresh_token", "refresh_expires_ms", "account_id", "name")
    missing = [name for name in (*wanted, "server_time_ms", "memberships") if name not in answer]
    expect(not missing, f"the answer lacks {missing}")
    for row in answer["memberships"]:
        expect({"community_id", "community_name", "role", "place_id"} <= set(row), "a membership lacks a field")


@promise("login-wrong-password", "§2, §9")
def wrong_password_is_refused(bench: Bench) -> None:
    """A wrong password is 401 `login_failed`."""
    body = {"username": bench.login.username, "password": "not it", "install_id": bench.new_id(), "device_name": "kit"}
    is_problem(bench.wire.post("/sync/v1/auth/login", body), 401, "login_failed")


@promise("token-unknown", "§2")
def unknown_token_is_401(bench: Bench) -> None:
    """An unknown token is 401 `token_unknown`, on push too, and stores nothing."""
    record = bench.visit()
    reply = bench.call("push", bench.envelope([record]), Authorization="Bearer made-up")
    is_problem(reply, 401, "token_unknown")
    answer = bench.ok("reconcile", {"ids": [record["id"]], "attachment_ids": []}).body
    expect(answer["missing"] == [record["id"]], "a record pushed with an unknown token was stored")


@promise("refresh-lost-answer", "§2")
def lost_refresh_can_be_repeated(bench: Bench) -> None:
    """The old refresh token stays valid until the new one is used: a lost answer is repaired by asking again."""
    install_id = bench.new_id()
    first = bench.log_in(install_id)["refresh_token"]
    expect(_refresh(bench, first, install_id).status == 200, "a refresh was refused")
    again = _refresh(bench, first, install_id)
    expect(again.status == 200, f"the same refresh again, its answer lost, got {again.status} {again.code}")


@promise("refresh-reused", "§2")
def reused_refresh_revokes_the_family(bench: Bench) -> None:
    """Once the new pair was used, the old refresh token is 401 `refresh_reused`, and the family is revoked."""
    install_id = bench.new_id()
    first = bench.log_in(install_id)["refresh_token"]
    second = _refresh(bench, first, install_id).body["refresh_token"]
    expect(_refresh(bench, second, install_id).status == 200, "the new refresh token was refused")
    is_problem(_refresh(bench, first, install_id), 401, "refresh_reused")
    expect(_refresh(bench, second, install_id).status == 401, "a token of the revoked family still refreshes")


@promise("refresh-install", "§2")
def refresh_is_bound_to_its_installation(bench: Bench) -> None:
    """A refresh token serves its own `install_id` only."""
    token = bench.log_in(bench.new_id())["refresh_token"]
    reply = _refresh(bench, token, bench.new_id())
    expect(reply.status == 401, f"another installation's refresh got {reply.status}")


@promise("logout", "§2")
def logout_ends_the_session(bench: Bench) -> None:
    """Log-out is 204, and its tokens are gone."""
    install_id = bench.new_id()
    tokens = bench.log_in(install_id)
    body = {"refresh_token": tokens["refresh_token"], "install_id": install_id}
    reply = bench.wire.post("/sync/v1/auth/logout", body, tokens["access_token"])
    expect(reply.status == 204, f"log-out answered {reply.status} {reply.code}")
    expect(_refresh(bench, tokens["refresh_token"], install_id).status == 401, "its refresh token still serves")
