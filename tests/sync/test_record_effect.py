"""The office sees what a stored record does: in force, replaced, void, refused, or without effect in a block."""

from typing import Any
from uuid import UUID

from backend.db import new_id
from tests.factories.phones import ANSWERS, Phone
from tests.sync.conftest import World

FITTED = {"in_force": True, "replaced_by": None, "voided": False, "reasons": []}


def effect(world: World, record: dict[str, Any]) -> dict[str, Any]:
    office = world.office()
    answer = office.client.get(f"/api/v1/records/{record['id']}", headers=office.headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json["effect"])


def codes(world: World, record: dict[str, Any]) -> list[tuple[str, str]]:
    told = effect(world, record)
    assert told["in_force"] is False
    assert all(reason["zh"] and reason["en"] for reason in told["reasons"])
    return [(reason["code"], reason["path"]) for reason in told["reasons"]]


def block(place_id: UUID | str, form: str = "ebike_charging") -> dict[str, Any]:
    return {"form": form, "version": 1, "place_id": str(place_id), "answers": ANSWERS, "fixed": []}


def stored(phone: Phone, *records: dict[str, Any]) -> None:
    assert {result["status"] for result in phone.push(*records)} == {"stored"}


def test_effect_of_corrections_follows_the_last_one(world: World) -> None:
    phone = world.phone()
    root = phone.visit(world.home)
    first = phone.visit(world.home, amends=root["id"])
    stored(phone, root)
    assert effect(world, root) == FITTED
    stored(phone, first)
    assert effect(world, root) == {**FITTED, "in_force": False, "replaced_by": first["id"]}
    assert effect(world, first) == FITTED
    void = phone.voiding(root)
    stored(phone, void)
    gone = {**FITTED, "in_force": False, "voided": True}
    assert (effect(world, root), effect(world, first)) == (gone, gone)
    assert effect(world, void) == {**FITTED, "voided": True}


def test_effect_of_refused_corrections_says_why(world: World) -> None:
    phone, stranger, head = world.phone(), world.phone(), world.phone(world.account("grid_head"))
    root, other = phone.visit(world.home), phone.visit(world.home)
    amended = phone.visit(world.home, amends=other["id"])
    stored(phone, root, other, amended)
    not_author = stranger.visit(world.home, amends=root["id"], reason="看错了")
    no_reason = head.visit(world.home, amends=root["id"])
    not_root = phone.voiding(amended)
    differs = phone.proposal(new_id(), world.tree.units[0], amends=root["id"])
    stored(stranger, not_author)
    stored(head, no_reason)
    stored(phone, not_root, differs)
    assert codes(world, not_author) == [("not_author", "/payload/amends")]
    assert codes(world, no_reason) == [("reason_missing", "/payload/amends")]
    assert codes(world, not_root) == [("not_root", "/payload/voids")]
    assert codes(world, differs) == [("type_differs", "/payload/amends")]
    assert effect(world, root) == FITTED
    assert effect(world, amended) == FITTED


def test_effect_of_a_waiting_correction_is_none_yet(world: World) -> None:
    phone = world.phone()
    root = phone.visit(world.home)
    early = phone.visit(world.home, amends=root["id"])
    stored(phone, early)
    assert codes(world, early) == []
    stored(phone, root)
    assert effect(world, early) == FITTED


def test_effect_names_blocks_at_places_of_the_wrong_kind_once_these_are_known(world: World) -> None:
    phone, door = world.phone(), new_id()
    visit = phone.visit(world.home, blocks=[block(world.home), block(world.tree.grids[0]), block(door)])
    stored(phone, visit)
    wrong = [("place_kind_invalid", f"/payload/visit/blocks/{n}") for n in (1, 2)]
    told = effect(world, visit)
    assert told["in_force"] is True
    assert [(reason["code"], reason["path"]) for reason in told["reasons"]] == wrong[:1]
    stored(phone, phone.proposal(door, world.tree.grids[0], kind="micro_grid"))
    assert [(reason["code"], reason["path"]) for reason in effect(world, visit)["reasons"]] == wrong
