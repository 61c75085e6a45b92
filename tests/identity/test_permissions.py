"""The matrix of roles: who may do what, close what, grant what. P8: nobody may punish."""

import re

import pytest

from backend.identity.permissions import (
    ALL_PERMISSIONS,
    PERMISSIONS,
    ROLES,
    may_close,
    may_grant,
    permissions_of,
    strength,
)

COERCIVE = re.compile(r"penal|fine|punish|seal|power|shut|cut|evict|detain|confiscat|罚|封|断", re.IGNORECASE)
COMMUNITY_ROLES = ("grid_worker", "grid_head", "safety_officer", "committee", "administrator", "viewer")


def coercive(matrix: dict[str, frozenset[str]]) -> set[str]:
    return {p for permissions in matrix.values() for p in permissions if COERCIVE.search(p)}


def test_no_role_holds_a_coercive_permission() -> None:
    assert coercive(PERMISSIONS) == set()
    assert coercive({**PERMISSIONS, "committee": frozenset({"power.cut"})}) == {"power.cut"}


def test_every_role_has_its_row() -> None:
    assert set(PERMISSIONS) == set(ROLES)
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", p) for p in ALL_PERMISSIONS)
    assert permissions_of("mayor") == frozenset()
    assert sorted(ROLES, key=strength) == list(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_push(role: str) -> None:
    assert "sync.push" in permissions_of(role)


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        ("task.assign", {"grid_head", "safety_officer", "committee"}),
        ("task.submit", {"grid_worker", "grid_head", "safety_officer", "committee"}),
        ("task.close", {"grid_head", "safety_officer", "committee", "street", "department"}),
        ("task.void", {"safety_officer", "committee"}),
        ("paper.issue", {"committee"}),
        ("account.manage", {"grid_head", "safety_officer", "committee", "administrator"}),
        ("audit.read", {"committee", "administrator"}),
        ("quarantine.repair", {"safety_officer", "committee", "administrator"}),
        ("record.read", set(ROLES) - {"viewer"}),
        ("campaign.read", set(ROLES) - {"viewer", "department"}),
        ("campaign.manage", {"committee", "district", "administrator"}),
        ("building.declare", {"grid_worker", "grid_head", "safety_officer", "committee"}),
        ("building.approve", {"grid_head", "safety_officer", "committee"}),
    ],
)
def test_permission_is_held_by(permission: str, roles: set[str]) -> None:
    assert {r for r in ROLES if permission in permissions_of(r)} == roles


@pytest.mark.parametrize(
    ("closer", "roles"),
    [
        ("grid_head", {"grid_head", "safety_officer", "committee", "street"}),
        ("safety_officer", {"safety_officer", "committee", "street"}),
        ("committee", {"committee", "street"}),
        ("street", {"street"}),
        ("department", {"department"}),
        (("department", "safety_officer"), {"department", "safety_officer", "committee", "street"}),
        ("nobody", set()),
        ((), set()),
    ],
)
def test_hazard_is_closed_by_the_named_or_those_above(closer: str | tuple[str, ...], roles: set[str]) -> None:
    assert {r for r in ROLES if may_close(r, closer)} == roles


def test_whoever_may_close_something_holds_the_permission() -> None:
    closing = {role for role in ROLES if any(may_close(role, closer) for closer in ROLES)}
    assert closing == {role for role in ROLES if "task.close" in permissions_of(role)}


def test_grant_only_downwards() -> None:
    assert {r for r in ROLES if may_grant("grid_head", r)} == {"grid_worker"}
    assert {r for r in ROLES if may_grant("committee", r)} == {"grid_worker", "grid_head", "safety_officer", "viewer"}
    assert all(may_grant("administrator", r) for r in ROLES)
    for granter in ROLES:
        granted = {r for r in ROLES if may_grant(granter, r)}
        assert not granted or "account.manage" in permissions_of(granter)
        if granter != "administrator":
            assert granter not in granted
            assert all(permissions_of(r) <= permissions_of(granter) for r in granted), granter
