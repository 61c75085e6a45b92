"""P6, the matrix: every role at every guarded route of the running API, cell by cell; several communities, one pool."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.app import create_app
from backend.db import Database
from backend.hazards.lifecycle import STEP_KINDS
from backend.identity import authentication, permissions
from backend.identity.permission_table import ROLE_NAMES, matrix
from backend.identity.permissions import ALL_PERMISSIONS, PERMISSIONS, ROLES
from backend.places.models import Place
from backend.rectification import queries
from backend.settings import Settings
from tests.architecture.test_routes_guarded import path_of, rules
from tests.factories.identity import AccountFixture, give_role, log_in, make_account, make_community, sign_in
from tests.factories.places import make_tree
from tests.factories.sweeps import Person, Sweep, assignment, make_sweep

README = Path(__file__).resolve().parents[2] / "backend/identity/README.md"
#: Asked for inside a route or when a record is folded, beside the permission at its door.
ASKED_WITHIN = {"record.correct", "person.sensitive", "sync.push", "sync.pull"} | {
    kind.permission for kind in STEP_KINDS.values()
}


@dataclass(frozen=True)
class Door:
    """A route that names a permission."""

    method: str
    path: str
    permission: str


def doors(app: Flask) -> Iterator[Door]:
    for rule, guard in rules(app):
        if guard is not None and guard.permission is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Door(method, path_of(rule), guard.permission)


def let_in(client: FlaskClient, headers: dict[str, str], door: Door) -> bool:
    answer = client.open(door.path, method=door.method, json={}, headers=headers)
    problem = answer.get_json(silent=True) or {}
    refused = answer.status_code == 403 and problem.get("code") == "permission_denied"
    return not (refused and problem.get("permission") == door.permission)


def wrong_cells(app: Flask, role: str, headers: dict[str, str], *, over_a_part: bool = False) -> set[tuple[str, Door]]:
    """Doors that are open to the role and should not be, or the reverse. Permissions as the table writes them, not as
    the code computes them."""
    client = app.test_client()
    held = permissions.PERMISSIONS[role] - (permissions.WHOLE_COMMUNITY if over_a_part else frozenset())
    return {(role, d) for d in doors(app) if let_in(client, headers, d) is not (d.permission in held)}


@pytest.mark.parametrize("over_a_part", [False, True], ids=["whole community", "a grid"])
@pytest.mark.parametrize("role", ROLES)
def test_every_door_opens_to_whom_the_matrix_says(app: Flask, db: Database, role: str, over_a_part: bool) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        grid = make_tree(session, community_id).grids[0]
    account = make_account(db, community_id, role, grid if over_a_part else None)
    headers = sign_in(app.test_client(), account)
    assert wrong_cells(app, role, headers, over_a_part=over_a_part) == set()


def test_cell_that_is_wrong_is_found(app: Flask, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = sign_in(app.test_client(), make_account(db, make_community(db), "viewer"))
    generous = {**PERMISSIONS, "viewer": PERMISSIONS["viewer"] | {"audit.read"}}
    monkeypatch.setattr(permissions, "PERMISSIONS", generous)
    monkeypatch.setattr(authentication, "permissions_of", lambda role, over_a_part: PERMISSIONS[role])
    assert {door.permission for _, door in wrong_cells(app, "viewer", headers)} == {"audit.read"}


def test_role_over_a_grid_that_holds_what_is_the_communitys_is_found(
    app: Flask, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        grid = make_tree(session, community_id).grids[0]
    headers = sign_in(app.test_client(), make_account(db, community_id, "committee", grid))
    monkeypatch.setattr(authentication, "permissions_of", lambda role, over_a_part: PERMISSIONS[role])
    found = {door.permission for _, door in wrong_cells(app, "committee", headers, over_a_part=True)}
    assert found == permissions.WHOLE_COMMUNITY


@dataclass(frozen=True)
class Corner:
    """One of two grids with something in it of each kind that a scope bounds."""

    grid: UUID
    household: UUID
    visit: UUID
    hazard: UUID

    def calls(self) -> dict[str, tuple[str, str, dict[str, object]]]:
        """Permission → a call that needs it at this corner."""
        return {
            "task.read": ("GET", f"/tasks/{self.hazard}", {}),
            "place.read": ("GET", f"/places/{self.household}", {}),
            "record.read": ("GET", f"/records/{self.visit}", {}),
            "person.unmask": ("POST", "/persons/unmask", {"what": "task", "id": str(self.hazard), "reason": "verify"}),
            "task.assign": ("POST", f"/tasks/{self.hazard}/assign", assignment()),
            "task.void": ("POST", f"/tasks/{self.hazard}/void", {"reason": "误报"}),
        }


@pytest.fixture(scope="module")
def corners(app: Flask, db: Database) -> tuple[Sweep, list[Corner]]:
    sweep = make_sweep(app, db)
    made = []
    for grid, household in zip(sweep.tree.grids, (sweep.tree.households[0], sweep.tree.households[2]), strict=True):
        visit = sweep.visit(household)
        made.append(Corner(grid, household, visit, sweep.hazard_id(household)))
    return sweep, made


def reached(person: Person, corner: Corner) -> set[str]:
    """The permissions with which a call at the corner gets beyond who may (a wrong state is beyond)."""
    found = set()
    for permission, (method, path, body) in corner.calls().items():
        answer = person.app.test_client().open(
            f"/api/v1{path}",
            method=method,
            json=body or None,
            headers={**person.headers, "If-Match": '"999999"'},
        )
        if answer.status_code not in (403, 404):
            found.add(permission)
    return found


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reaches_what_it_holds_and_only_in_its_own_places(
    corners: tuple[Sweep, list[Corner]], role: str
) -> None:
    sweep, (own, other) = corners
    held = set(own.calls()) & PERMISSIONS[role]
    scoped, whole = sweep.person(role, own.grid), sweep.person(role)
    assert (reached(scoped, own), reached(scoped, other)) == (held, set())
    assert (reached(whole, own), reached(whole, other)) == (held, held)
    listed = {task["id"] for task in scoped.get("/tasks").json["items"]}
    assert listed == {str(own.hazard)}


def test_scope_that_is_forgotten_is_found(corners: tuple[Sweep, list[Corner]], monkeypatch: pytest.MonkeyPatch) -> None:
    sweep, (own, other) = corners
    monkeypatch.setattr(queries, "in_scope", lambda scope: Place.id.is_not(None))
    assert reached(sweep.person("grid_head", own.grid), other) >= {"task.read"}


def test_every_permission_is_asked_for_somewhere(app: Flask) -> None:
    assert ALL_PERMISSIONS - {door.permission for door in doors(app)} - ASKED_WITHIN == set()


def test_matrix_in_the_readme_is_the_one_in_force() -> None:
    assert set(ROLE_NAMES) == set(ROLES)
    assert matrix() in README.read_text(encoding="utf-8"), "put the output of `python3 -m backend permissions` there"


@dataclass
class Street:
    """A street officer of two communities, somebody of each, and an API with one pooled connection for all of them."""

    app: Flask
    sweeps: list[Sweep]
    hazards: list[UUID]
    officer: AccountFixture
    tokens: dict[str, dict[str, str]]

    def seen(self, who: str, community: int | None) -> tuple[int, str | None, frozenset[str]]:
        """Status, code, and the tasks that are listed."""
        headers = dict(self.tokens[who])
        if community is not None:
            headers["X-Community"] = str(self.sweeps[community].community_id)
        answer = self.app.test_client().get("/api/v1/tasks", headers=headers)
        body = answer.json or {}
        return answer.status_code, body.get("code"), frozenset(task["id"] for task in body.get("items", ()))

    def expected(self, who: str, community: int | None) -> tuple[int, str | None, frozenset[str]]:
        serves = {"officer": (0, 1), "first": (0,), "second": (1,)}[who]
        if community is None and len(serves) > 1:
            return 422, "community_required", frozenset()
        chosen = serves[0] if community is None else community
        if chosen not in serves:
            return 403, "permission_denied", frozenset()
        return 200, None, frozenset({str(self.hazards[chosen])})


@pytest.fixture(scope="module")
def street(settings: Settings, app: Flask, db: Database) -> Iterator[Street]:
    sweeps = [make_sweep(app, db) for _ in range(3)]
    hazards = [sweep.hazard(sweep.tree.households[0]) for sweep in sweeps]
    officer = make_account(db, sweeps[0].community_id, "street")
    give_role(db, officer, sweeps[1].community_id, "street")
    people = {"officer": officer}
    people |= {n: make_account(db, sweeps[i].community_id, "committee") for i, n in enumerate(("first", "second"))}
    client = app.test_client()
    tokens = {n: {"Authorization": f"Bearer {log_in(client, p)['access_token']}"} for n, p in people.items()}
    one = Database(settings.database_url, pool_size=1)
    one.engine.pool._max_overflow = 0  # type: ignore[attr-defined]
    yield Street(create_app(settings, one), sweeps, hazards, officer, tokens)
    one.dispose()


@hypothesis_settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.sampled_from(["officer", "first", "second"]), st.sampled_from([None, 0, 1, 2])),
        min_size=2,
        max_size=8,
    )
)
def test_requests_on_one_connection_see_their_own_community(
    street: Street, asked: list[tuple[str, int | None]]
) -> None:
    assert [street.seen(*one) for one in asked] == [street.expected(*one) for one in asked]


def test_officer_reaches_nothing_of_one_community_while_in_the_other(street: Street) -> None:
    client = street.app.test_client()
    for here, there in ((0, 1), (1, 0), (0, 2)):
        headers = {**street.tokens["officer"], "X-Community": str(street.sweeps[here].community_id)}
        place = street.sweeps[there].tree.households[0]
        for path in (
            f"tasks/{street.hazards[there]}",
            f"places/{place}",
            f"places/{place}/dossier",
        ):
            assert client.get(f"/api/v1/{path}", headers=headers).status_code == 404, path
    headers = {**street.tokens["officer"], "X-Community": str(street.sweeps[2].community_id)}
    assert client.get(f"/api/v1/tasks/{street.hazards[2]}", headers=headers).status_code == 403
