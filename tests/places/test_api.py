"""The office's API of places: what it answers, and what it keeps from those who may not."""

import io
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from backend.app import create_app
from backend.db import Database, new_id
from backend.http.messages import MESSAGES
from backend.places.service import record_place_events
from backend.settings import Settings
from tests.factories.identity import make_account, make_community, sign_in
from tests.factories.places import Tree, make_tree, registered
from tests.places.test_roster import BAD, GOOD, csv_text, line, xlsx

Headers = dict[str, str]


class Office:
    """A community with a tree, seen by its committee and by the worker of its first grid."""

    def __init__(self, db: Database, client: FlaskClient) -> None:
        self.db, self.client = db, client
        self.community_id = make_community(db)
        with db.transaction([self.community_id]) as session:
            self.tree: Tree = make_tree(session, self.community_id, grids=2, buildings=12, households=1)
        self.committee = sign_in(client, make_account(db, self.community_id, "committee"))
        worker = make_account(db, self.community_id, "grid_worker", self.tree.grids[0])
        self.worker = sign_in(client, worker)

    def get(self, path: str, who: Headers | None = None, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query_string=query, headers=who or self.committee)

    def post(self, path: str, body: Any = None, who: Headers | None = None, **options: Any) -> Any:
        if body is not None:
            options["json"] = body
        return self.client.post(f"/api/v1{path}", headers=who or self.committee, **options)

    def pages(self, who: Headers | None = None, **query: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor = None
        while True:
            answer = self.get("/places", who, **query, **({"cursor": cursor} if cursor else {}))
            assert answer.status_code == 200, answer.text
            items += answer.json["items"]
            cursor = answer.json["next_cursor"]
            if cursor is None:
                return items


@pytest.fixture(scope="module")
def client(settings: Settings, db: Database) -> FlaskClient:
    return create_app(settings, db).test_client()


@pytest.fixture(scope="module")
def office(db: Database, client: FlaskClient) -> Office:
    return Office(db, client)


def test_list_buildings_pages_in_the_order_people_count(office: Office) -> None:
    found = office.pages(kind="building", parent_id=office.tree.grids[0], limit=5)
    assert [place["name"] for place in found] == [f"{n}栋" for n in range(1, 13)]


def test_list_places_filters_combine(office: Office) -> None:
    building, grid = office.tree.buildings[0], office.tree.grids[1]
    assert {p["kind"] for p in office.pages(under=building)} == {"unit", "household"}
    assert len(office.pages(grid_id=grid, kind="household")) == 12
    assert office.pages(under=uuid4()) == []
    assert [p["id"] for p in office.pages(kind="grid", q="di2wang")] == [str(grid)]
    assert [p["id"] for p in office.pages(kind="grid", q="第2")] == [str(grid)]
    assert office.pages(q="100%") == []


def test_list_places_within_scope_shows_one_grid_only(office: Office) -> None:
    assert {p["grid_id"] for p in office.pages(office.worker)} == {str(office.tree.grids[0])}
    assert office.pages(office.worker, grid_id=office.tree.grids[1]) == []


def test_get_place_gives_ancestors_from_the_community_down(office: Office) -> None:
    home = office.tree.households[0]
    answer = office.get(f"/places/{home}")
    assert answer.status_code == 200
    assert [a["kind"] for a in answer.json["ancestors"]] == ["community", "grid", "building", "unit"]
    assert answer.json["ancestors"][0]["name"] == "福泉社区"
    code = answer.json["field_code"]
    assert office.get(f"/places/by-code/{code.lower().replace('-', '')}").json == answer.json


def test_get_place_outside_scope_or_community_is_not_found(office: Office) -> None:
    other = office.tree.households[-1]
    code = office.get(f"/places/{other}").json["field_code"]
    for path in (f"/places/{other}", f"/places/by-code/{code}", f"/places/{uuid4()}"):
        answer = office.get(path, office.worker)
        assert (answer.status_code, answer.json["code"]) == (404, "place_not_found")
    stranger = Office(office.db, office.client)
    assert stranger.get(f"/places/{other}").status_code == 404


def test_register_place_with_and_without_code(office: Office) -> None:
    body = {"kind": "building", "parent_id": str(office.tree.grids[0]), "name": "临时棚"}
    made = office.post("/places", {**body, "location": {"lat": 25.79, "lon": 113.03, "datum": "wgs84"}})
    assert made.status_code == 201
    assert len(made.json["field_code"]) == 11
    assert made.json["location"]["source_datum"] == "wgs84"
    assert office.post("/places", {**body, "field_code": "棚-1"}).json["field_code"] == "棚-1"
    taken = office.post("/places", {**body, "field_code": " 棚-1"})
    assert (taken.status_code, taken.json["code"]) == (409, "field_code_taken")
    bad = office.post("/places", {**body, "field_code": "a b?"})
    assert (bad.status_code, bad.json["code"]) == (422, "field_code_invalid")


def test_register_place_wrongly_is_refused(office: Office) -> None:
    body = {"kind": "building", "parent_id": str(office.tree.units[0]), "name": "倒置"}
    assert office.post("/places", body).json["code"] == "place_parent_wrong"
    assert office.post("/places", {**body, "parent_id": str(uuid4())}).status_code == 404
    assert office.post("/places", {**body, "name": "a\x00b"}).status_code == 422
    assert office.post("/places", {**body, "kind": "community"}).status_code == 422
    bare = office.post("/places", {**body, "location": {"lat": 25.79, "lon": 113.03}})
    assert [e["pointer"] for e in bare.json["errors"]] == ["/location/datum"]
    assert office.post("/places", body, office.worker).json["code"] == "permission_denied"


def test_move_then_merge_place_and_read_the_redirect(db: Database, client: FlaskClient) -> None:
    office = Office(db, client)
    one, two = office.tree.buildings[0], office.tree.buildings[1]
    grid = office.tree.grids[1]
    moved = office.post(f"/places/{one}/move", {"parent_id": str(grid)})
    assert (moved.status_code, moved.json["grid_id"], moved.json["rev"]) == (200, str(grid), 2)
    assert office.get(f"/places/{office.tree.households[0]}").json["grid_id"] == str(grid)
    gone = office.post(f"/places/{one}/merge", {"into_id": str(two)})
    assert (gone.status_code, gone.json["merged_into"]) == (200, str(two))
    assert str(one) not in {p["id"] for p in office.pages(kind="building")}
    assert str(one) in {p["id"] for p in office.pages(kind="building", merged="true")}
    assert office.get(f"/places/{office.tree.units[0]}").json["parent_id"] == str(two)
    for path, body, code in (
        (f"/places/{two}/merge", {"into_id": str(one)}, "place_merged"),
        (f"/places/{two}/merge", {"into_id": str(two)}, "place_kinds_differ"),
        (f"/places/{two}/merge", {"into_id": str(grid)}, "place_kinds_differ"),
        (f"/places/{grid}/move", {"parent_id": str(two)}, "place_parent_wrong"),
        (f"/places/{office.community_id}/move", {"parent_id": str(grid)}, "place_is_root"),
        (f"/places/{office.tree.units[2]}/move", {"parent_id": str(one)}, "place_merged"),
    ):
        assert office.post(path, body).json["code"] == code, path


def test_import_roster_by_api_dry_run_then_all(db: Database, client: FlaskClient) -> None:
    office = Office(db, client)
    template = office.get("/roster/template")
    assert template.status_code == 200
    assert template.data.startswith(b"PK")
    content = xlsx(GOOD)
    tried = office.post("/roster/dry-run", data={"file": (io.BytesIO(content), "名册.xlsx")})
    assert (tried.status_code, tried.json["added"], tried.json["imported"]) == (200, len(GOOD), False)
    assert office.get("/places/by-code/FQ-03").status_code == 404
    done = office.post("/roster/import", data=csv_text(GOOD).encode(), content_type="text/csv")
    assert (done.status_code, done.json["added"], done.json["imported"]) == (200, len(GOOD), True)
    assert office.get("/places/by-code/fq-03").json["name"] == "3栋"


def test_import_bad_roster_by_api_is_refused_with_the_report(office: Office) -> None:
    content = csv_text([line("G", "网格", "一", ""), line("B", "楼栋", "1", "G"), BAD[0][0]]).encode()
    answer = office.post("/roster/import", data=content, content_type="text/csv")
    assert (answer.status_code, answer.json["code"], answer.json["bad_rows"]) == (422, "roster_refused", 1)
    error = answer.json["report"]["errors"][0]
    assert (error["row"], error["column"], error["code"]) == (4, "名称", "row_name_missing")
    assert (error["zh"], error["en"]) == MESSAGES["row_name_missing"]
    assert office.get("/places/by-code/B").status_code == 404


def test_import_large_roster_is_not_stopped_by_the_usual_cap(office: Office) -> None:
    content = (csv_text([line("BIG", "网格", "一", "")]) + "\n" + "," * 5_000_000).encode()
    assert office.post("/roster/dry-run", data=content, content_type="text/csv").status_code == 200
    over = office.post("/roster/dry-run", data=b"x" * (16 * 1024 * 1024 + 1), content_type="text/csv")
    assert (over.status_code, over.json["code"]) == (413, "body_too_large")


def test_import_roster_needs_the_whole_community(office: Office) -> None:
    for path in ("/roster/dry-run", "/roster/import"):
        assert office.post(path, who=office.worker, data=b"x").status_code == 403
    clerk = make_account(office.db, office.community_id, "committee", office.tree.grids[0])
    limited = sign_in(office.client, clerk)
    answer = office.post("/roster/dry-run", who=limited, data=csv_text(GOOD).encode())
    assert (answer.status_code, answer.json["code"]) == (403, "permission_denied")
    outside = {"kind": "building", "parent_id": str(office.tree.grids[1]), "name": "外"}
    assert office.post("/places", outside, limited).status_code == 404


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "WyJhIiwiYiJd", "WyJcdTAwMDAiLCJiIl0"])
def test_list_places_with_a_made_up_cursor_is_refused(office: Office, cursor: str) -> None:
    answer = office.get("/places", cursor=cursor)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_cursor")


def test_list_places_of_equal_names_misses_none(db: Database, client: FlaskClient) -> None:
    office = Office(db, client)
    grid: UUID = office.tree.grids[0]
    same = [registered(new_id(), "premises", "便民店", grid) for _ in range(7)]
    with db.transaction([office.community_id]) as session:
        record_place_events(session, office.community_id, same)
    found = office.pages(kind="premises", limit=2)
    assert [p["id"] for p in found] == sorted(str(fact.place_id) for fact in same)
