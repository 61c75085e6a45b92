"""Whose word a record is: only who signed in on the phone can be its author, as what they were where."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.bulk import array_text
from backend.hazards.models import Hazard
from backend.http.context import Runtime
from backend.identity.models import Membership
from backend.identity.service import revoke_role
from backend.inspections.models import Record
from backend.rectification.compile import compile_places
from backend.rectification.models import TaskStep
from backend.sync.taking import Author, Taking
from mobile_contract.rules import hazard_id
from tests.factories.identity import give_role, make_account, make_community
from tests.factories.phones import Phone
from tests.factories.records import CLEAR_EBIKE, PARKED_EBIKE
from tests.sync.conftest import World

CHAIN, LOCUS = "EBC-ROUTE", "STAIR/3"


def fold(world: World) -> list[str]:
    """Compile the home; the states of its hazards."""
    runtime: Runtime = world.app.extensions["saolou"]
    with world.db.transaction([world.community_id]) as session:
        compile_places(session, runtime, world.community_id, [world.home])
    with world.db.transaction([world.community_id]) as session:
        return list(session.scalars(select(Hazard.state)))


def closing(phone: Phone, world: World, author: UUID, visits: list[str]) -> dict[str, Any]:
    """A step that strikes the home's hazard off in the name of ``author``."""
    step = {"kind": "close", "revisit_id": visits[-1], "basis": visits, "note": "已复查", "evidence": []}
    hazard = hazard_id(world.community_id, world.home, CHAIN, LOCUS)
    about = {"hazard_id": str(hazard), "place_id": str(world.home)}
    return phone.record("task_step", phone.payload(author_id=str(author), step={**about, **step}))


def forge(world: World) -> None:
    """A worker's phone signs with a supervisor's name: nothing of it may count."""
    phone, supervisor = world.phone(), world.account("safety_officer")
    phone.take_anchor()
    seen, gone = phone.visit(world.home, answers=dict(PARKED_EBIKE)), phone.visit(world.home, answers=dict(CLEAR_EBIKE))
    assert [result["status"] for result in phone.push(seen, gone)] == ["stored", "stored"]
    assert fold(world) == ["review"]
    forged = closing(phone, world, supervisor.id, [seen["id"], gone["id"]])
    (result,) = phone.push(forged)
    assert fold(world) == ["review"]
    assert (result["status"], result["errors"][0]["code"]) == ("quarantined", "author_unknown")
    assert result["errors"][0]["path"] == "/payload/author_id"
    with world.db.transaction([world.community_id]) as session:
        assert session.scalars(select(TaskStep.id)).all() == []


def trusting(taking: Taking, names: set[str]) -> None:
    """The seeded bug: whoever serves the community is the author if a record says so."""
    held = taking.session.execute(
        select(Membership.account_id, Membership.role).where(Membership.account_id.in_([UUID(name) for name in names]))
    )
    for account_id, role in held:
        scopes = (f"{role}@",)
        taking.authors[str(account_id)] = Author(account_id, scopes, role, array_text(scopes) or "{}")


def test_forged_author_is_quarantined_and_takes_no_step(world: World) -> None:
    forge(world)


def test_forged_author_would_close_a_task_if_records_were_believed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Taking, "learn_authors", trusting)
    with pytest.raises(AssertionError, match="closed"):
        forge(world)


def test_author_who_signs_in_later_is_requeued_with_success(world: World) -> None:
    phone, head, office = world.phone(), world.account("grid_head"), world.office()
    held = phone.push(phone.visit(world.home, author_id=str(head.id)))[0]["quarantine_id"]
    url = f"/api/v1/quarantine/{held}/requeue"
    assert office.client.post(url, headers=office.headers).json["status"] == "quarantined"
    Phone(phone.client, head, phone.install_id)
    assert office.client.post(url, headers=office.headers).json["status"] == "stored"


def test_author_without_a_field_role_here_is_quarantined(world: World) -> None:
    phone = world.phone()
    elsewhere = make_account(world.db, make_community(world.db), "grid_head")
    for account in (world.account("viewer"), elsewhere):
        Phone(phone.client, account, phone.install_id)
        (result,) = phone.push(phone.visit(world.home, author_id=str(account.id)))
        assert (result["status"], result["errors"][0]["code"]) == ("quarantined", "author_unknown")


def test_author_whose_role_ended_is_stored_without_a_role(world: World) -> None:
    phone, gone = world.phone(), world.account("grid_head")
    Phone(phone.client, gone, phone.install_id)
    with world.db.transaction([world.community_id]) as session:
        revoke_role(session, world.community_id, gone.membership_id)
    assert phone.push(phone.visit(world.home, author_id=str(gone.id)))[0]["status"] == "stored"
    with world.db.transaction([world.community_id]) as session:
        row = session.scalars(select(Record)).one()
        assert (row.actor_role, row.actor_scopes) == (None, [])


def test_roles_are_frozen_with_their_places(world: World) -> None:
    account = world.account("grid_head", world.tree.grids[0])
    give_role(world.db, account, world.community_id, "grid_worker")
    phone = world.phone(account)
    assert phone.push(phone.visit(world.home))[0]["status"] == "stored"
    with world.db.transaction([world.community_id]) as session:
        row = session.scalars(select(Record)).one()
        assert row.actor_role == "grid_head"
        assert row.actor_scopes == [f"grid_head@{world.tree.grids[0]}", "grid_worker@"]
