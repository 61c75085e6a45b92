"""Which community a caller acts in, how far its roles reach there, and what the transaction may then see."""

from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import event, select

from backend.app import create_app
from backend.db import Database
from backend.http import Actor, Blueprint, RequestContext, requires, signed_in
from backend.http.guards import CommunityRequired, PermissionDenied
from backend.identity.authentication import authenticate, choose_community
from backend.identity.models import Community, Membership
from backend.identity.service import revoke_role
from tests.factories.identity import give_role, log_in, make_account, make_community, sign_in
from tests.factories.places import make_tree


@pytest.fixture
def seen() -> list[Actor]:
    return []


@pytest.fixture
def app(settings, db, seen: list[Actor]) -> Flask:
    """The application with two more routes, which note the actor they were handed."""
    blueprint = Blueprint("probe", __name__)

    def note(ctx: RequestContext) -> dict[str, object]:
        seen.append(ctx.actor)
        return {"communities": [str(c) for c in ctx.session.scalars(select(Community.community_id))]}

    blueprint.get("/probe/assign", guard=requires("task.assign"), endpoint="assign")(note)
    blueprint.get("/probe/read", guard=requires("task.read"), endpoint="read")(note)
    blueprint.get("/probe/any", guard=signed_in(needs_community=False), endpoint="any")(note)
    blueprint.get("/probe/here", guard=signed_in(), endpoint="here")(note)
    app = create_app(settings, db)
    app.register_blueprint(blueprint)
    return app


def tree_of(db, community_id: UUID):
    with db.transaction([community_id]) as session:
        return make_tree(session, community_id, grids=2, buildings=1, households=1)


def test_single_community_needs_no_header_and_sees_no_other(app: Flask, db: Database, seen: list[Actor]) -> None:
    make_community(db)
    account = make_account(db, make_community(db, clock_offset_ms=86_400_000), "committee")
    headers = sign_in(app.test_client(), account)
    del headers["X-Community"]
    answer = app.test_client().get("/probe/assign", headers=headers)
    assert answer.json == {"communities": [str(account.community_id)]}
    assert (seen[0].community_id, seen[0].role, seen[0].scope_paths) == (account.community_id, "committee", ())
    assert seen[0].clock_offset_ms == 86_400_000


def test_several_communities_must_be_named(app: Flask, db: Database, seen: list[Actor]) -> None:
    client, first, second = app.test_client(), make_community(db), make_community(db)
    account = make_account(db, first, "committee")
    give_role(db, account, second, "viewer")
    headers = sign_in(client, account)
    unnamed = {"Authorization": headers["Authorization"]}
    refused = client.get("/probe/here", headers=unnamed)
    assert (refused.status_code, refused.json["code"]) == (422, "community_required")
    assert client.get("/probe/any", headers=unnamed).json == {"communities": []}
    assert client.get("/probe/assign", headers=headers).json == {"communities": [str(first)]}
    there = client.get("/probe/assign", headers={**unnamed, "X-Community": str(second)})
    assert (there.status_code, there.json["code"]) == (403, "permission_denied")
    assert client.get("/probe/read", headers={**unnamed, "X-Community": str(second)}).status_code == 200
    assert seen[-1].role == "viewer"


@pytest.mark.parametrize("named", ["another", "nonsense"])
def test_foreign_community_is_denied(app: Flask, db: Database, named: str) -> None:
    client, account = app.test_client(), make_account(db, make_community(db), "committee")
    headers = sign_in(client, account) | {"X-Community": str(make_community(db)) if named == "another" else "x"}
    assert client.get("/probe/read", headers=headers).json["code"] == "permission_denied"
    assert client.get("/probe/any", headers=headers).json == {"communities": []}


def test_account_without_any_role_is_denied(app: Flask, db: Database) -> None:
    client, account = app.test_client(), make_account(db, make_community(db), "committee")
    headers = sign_in(client, account)
    with db.transaction([account.community_id]) as session:
        revoke_role(session, account.community_id, account.membership_id)
    assert client.get("/probe/read", headers=headers).json["code"] == "permission_denied"
    assert client.get("/probe/any", headers=headers).status_code == 200


def test_roles_over_several_places_reach_as_far_as_each_permission(app: Flask, db: Database, seen: list[Actor]) -> None:
    client, community_id = app.test_client(), make_community(db)
    tree = tree_of(db, community_id)
    leads, helps = tree.grids
    account = make_account(db, community_id, "grid_head", leads)
    give_role(db, account, community_id, "grid_worker", helps)
    headers = sign_in(client, account)
    client.get("/probe/assign", headers=headers)
    client.get("/probe/read", headers=headers)
    assigning, reading = seen
    assert assigning.role == reading.role == "grid_head"
    assert [p.rpartition(".")[2] for p in assigning.scope_paths] == [leads.hex]
    assert {p.rpartition(".")[2] for p in reading.scope_paths} == {leads.hex, helps.hex}
    led, helped = (next(m.path for m in reading.memberships if m.place_id == g) for g in (leads, helps))
    assert reading.roles_at(f"{led}.{'a' * 32}") == ("grid_head",)
    assert reading.roles_at(helped) == ("grid_worker",)
    assert reading.roles_at(helped + "0") == ()
    assert reading.roles_at(None) == ()
    assert assigning.may("task.assign", led)
    assert not assigning.may("task.assign", helped)
    assert not assigning.may("task.assign", None)


def test_role_over_the_whole_community_outweighs_a_place(app: Flask, db: Database, seen: list[Actor]) -> None:
    client, community_id = app.test_client(), make_community(db)
    account = make_account(db, community_id, "grid_head", tree_of(db, community_id).grids[0])
    give_role(db, account, community_id, "safety_officer")
    client.get("/probe/assign", headers=sign_in(client, account))
    assert (seen[0].role, seen[0].scope_paths) == ("safety_officer", ())


def test_role_over_an_unknown_place_covers_nothing(app: Flask, db: Database, seen: list[Actor]) -> None:
    client, unknown = app.test_client(), uuid4()
    account = make_account(db, make_community(db), "grid_head", unknown)
    client.get("/probe/assign", headers=sign_in(client, account))
    assert seen[0].scope_paths == (unknown.hex,)


def test_choose_community_of_a_body(app: Flask, db: Database) -> None:
    first, second, foreign = make_community(db), make_community(db), make_community(db)
    account = make_account(db, first, "grid_worker")
    give_role(db, account, second, "viewer")
    token = log_in(app.test_client(), account)["access_token"]
    with db.transaction() as session:
        actor = authenticate(session, token, None)
        assert actor.community_id is None
        with pytest.raises(CommunityRequired):
            choose_community(session, actor, None)
        with pytest.raises(PermissionDenied):
            choose_community(session, actor, foreign)
        assert session.scalars(select(Community.community_id)).all() == []
        chosen = choose_community(session, actor, second)
        assert (chosen.community_id, chosen.role) == (second, "viewer")
        assert session.scalars(select(Community.community_id)).all() == [second]
        back = choose_community(session, chosen, first)
        assert (back.role, back.scope_paths) == ("grid_worker", ())
        assert session.scalars(select(Community.community_id)).all() == [first]
        assert choose_community(session, back, None) is back


def test_authenticate_takes_few_round_trips(app: Flask, db: Database) -> None:
    community_id = make_community(db)
    account = make_account(db, community_id, "grid_worker", tree_of(db, community_id).grids[0])
    token = log_in(app.test_client(), account)["access_token"]
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    with db.transaction() as session:
        authenticate(session, token, None)
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with db.transaction() as session:
            authenticate(session, token, None)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(statements) == 4, statements


def test_own_memberships_stay_hidden_from_others(app: Flask, db: Database) -> None:
    first, second = make_community(db), make_community(db)
    account = make_account(db, first, "committee")
    give_role(db, account, second, "viewer")
    with db.transaction([first]) as session:
        assert set(session.scalars(select(Membership.community_id))) == {first}
