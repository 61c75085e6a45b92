"""Papers over HTTP: who may what, receipts page by page, pages that hold nobody's markup."""

from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from backend.app import create_app
from backend.db import Database
from backend.places.models import Place
from backend.settings import Settings
from tests.factories.identity import make_account, make_community, sign_in
from tests.factories.meetings import Call, Door, History, Life
from tests.meetings.conftest import WEEK, Office, SilentBell

START = WEEK.start_ms
HOSTILE = '<script>alert("门")</script>'
Member = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def client(settings: Settings, db: Database) -> FlaskClient:
    return create_app(settings, db, SilentBell()).test_client()


@pytest.fixture
def member(client: FlaskClient, office: Office) -> Member:
    """Headers of a new member of the office's community with a role, over a place or everywhere."""

    def make(role: str, door: Door | None = None) -> dict[str, str]:
        account = make_account(office.db, office.community, role, door.id if door else None)
        return sign_in(client, account)

    return make


@dataclass
class Street:
    """Two grids with a building each; three hazards in the first, two in the second."""

    grids: tuple[Door, Door]
    history: History


@pytest.fixture
def street(office: Office) -> Street:
    grids = Door("grid", name="第一网格"), Door("grid", name="第二网格")
    buildings = [Door("building", name=HOSTILE), Door("building", name="4栋")]
    homes = [Door("household", building=b, name="甲单元501室") for b in buildings]
    lives = [Life(homes[n % 2], [("registered", START + n, 1)], deadline_ms=START + 60) for n in range(5)]
    calls = [Call(homes[0], START + 9, "no_answer"), Call(buildings[1], START + 10)]
    history = History([*grids, *buildings, *homes], calls, lives)
    office.write(history)
    with office.db.transaction([office.community]) as session:
        for grid, building, home in zip(grids, buildings, homes, strict=True):
            path = grid.id.hex
            for door, below in ((building, path), (home, f"{path}.{building.id.hex}")):
                values = {"path": f"{below}.{door.id.hex}", "grid_id": grid.id}
                here = Place.community_id == office.community, Place.id == door.id
                session.execute(update(Place).where(*here).values(values))
    return Street(grids, history)


def get(client: FlaskClient, url: str, headers: dict[str, str], status: int = 200) -> Any:
    answer = client.get(f"/api/v1{url}", headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json if answer.is_json else answer.get_data(as_text=answer.mimetype.startswith("text"))


def post(client: FlaskClient, url: str, headers: dict[str, str], status: int, body: Any = None) -> Any:
    answer = client.post(f"/api/v1{url}", json=body, headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def test_asks_makes_issues_and_lists_a_paper(
    client: FlaskClient, office: Office, street: Street, member: Member
) -> None:
    committee = member("committee")
    body = {"kind": "weekly", "period_start": "2026-11-18"}
    asked = post(client, "/papers", committee, 202, body)
    assert (asked["state"], asked["first_day"], asked["number"]) == ("queued", "2026-11-16", "〔2026〕第47期")
    paper_id = asked["id"]
    get(client, f"/papers/{paper_id}.html", committee, 409)
    post(client, f"/papers/{paper_id}/issue", committee, 409)
    for day in ("0001-01-01", "9999-12-31", "2150-01-01", "yesterday"):
        post(client, "/papers", committee, 422, {"period_start": day})
    office.make()
    issued = post(client, f"/papers/{paper_id}/issue", committee, 200)
    assert issued["state"] == "issued"
    assert post(client, "/papers", committee, 202, {"period_start": "2026-11-22"}) == issued
    shown = get(client, f"/papers/{paper_id}", committee)
    assert shown["seal_holds"] is True
    assert shown["content"]["figures"]["new"] == 5
    assert [p["id"] for p in get(client, "/papers?kind=weekly", committee)["items"]] == [paper_id]
    assert get(client, "/papers?kind=annual", committee) == {"items": [], "next_cursor": None}


def test_lists_papers_page_by_page_newest_first(client: FlaskClient, office: Office, member: Member) -> None:
    period, ids = WEEK, []
    for _ in range(5):
        ids.append(str(office.request(period)))
        period = period.previous()
    reader, found, cursor = member("safety_officer"), [], ""
    while cursor is not None:
        page = get(client, f"/papers?limit=2&cursor={cursor}", reader)
        found += [paper["id"] for paper in page["items"]]
        cursor = page["next_cursor"]
    assert found == ids
    get(client, "/papers?cursor=WyJ4Iiwi4piDIl0", reader, 400)


@pytest.mark.parametrize(
    "role, asks, issues, reads",
    [
        ("grid_worker", 403, 403, 403),
        ("grid_head", 403, 403, 200),
        ("safety_officer", 202, 403, 200),
        ("committee", 202, 200, 200),
        ("viewer", 403, 403, 200),
    ],
)
def test_lets_each_role_do_its_own(
    client: FlaskClient, office: Office, member: Member, role: str, asks: int, issues: int, reads: int
) -> None:
    paper_id, headers = office.make(), member(role)
    urls = (f"/papers/{paper_id}", f"/papers/{paper_id}.html", "/papers", f"/papers/{paper_id}/figures/new/rows")
    for url in (*urls, f"/papers/{paper_id}/figures/new.html"):
        get(client, url, headers, reads)
    post(client, f"/papers/{paper_id}/issue", headers, issues)
    post(client, "/papers", headers, asks, {"period_start": "2026-11-18"})


def test_hides_papers_of_another_community(client: FlaskClient, office: Office, db: Database, member: Member) -> None:
    paper_id = office.make()
    stranger = sign_in(client, make_account(db, make_community(db), "committee"))
    for url in (f"/papers/{paper_id}", f"/papers/{paper_id}.html", f"/papers/{paper_id}/figures/new/rows"):
        get(client, url, stranger, 404)
    post(client, f"/papers/{paper_id}/issue", stranger, 404)
    assert get(client, "/papers", stranger)["items"] == []


def test_shows_a_grid_head_issued_papers_and_receipts_of_the_own_grid(
    client: FlaskClient, office: Office, street: Street, member: Member
) -> None:
    paper_id = office.make()
    head, everywhere = member("grid_head", street.grids[1]), member("safety_officer")
    get(client, f"/papers/{paper_id}", head, 404)
    assert get(client, "/papers", head)["items"] == []
    office.issue(paper_id)
    assert [p["id"] for p in get(client, "/papers", head)["items"]] == [str(paper_id)]
    for key, own, every in (("new", 2, 5), ("visited", 1, 2), ("visits", 1, 2)):
        mine = get(client, f"/papers/{paper_id}/figures/{key}/rows", head)
        all_of_them = get(client, f"/papers/{paper_id}/figures/{key}/rows", everywhere)
        assert (mine["value"], len(mine["items"]), len(all_of_them["items"])) == (every, own, every)
        assert "4栋" in {row["place"] for row in mine["items"]}


def test_pages_receipts_without_rooms(client: FlaskClient, office: Office, street: Street, member: Member) -> None:
    paper_id, reader = office.make(), member("viewer")
    found, cursor = [], ""
    while cursor is not None:
        page = get(client, f"/papers/{paper_id}/figures/new/rows?limit=2&cursor={cursor}", reader)
        found += page["items"]
        cursor = page["next_cursor"]
    lives = street.history.lives
    assert [row["n"] for row in found] == [1, 2, 3, 4, 5]
    assert [row["number"] for row in found] == [life.number for life in lives]
    assert [row["row_id"] for row in found] == [str(life.id) for life in lives]
    assert found[0]["title"] == "高层公共部位违规停放"
    assert (found[0]["severity"], found[0]["state"], found[0]["category"]) == ("较大", "已登记", "电动车违规充电")
    assert "501" not in str([{k: v for k, v in row.items() if k not in ("row_id", "field_code")} for row in found])
    get(client, f"/papers/{paper_id}/figures/new/rows?cursor=WyIxIl0", reader, 400)
    get(client, f"/papers/{paper_id}/figures/nonsense/rows", reader, 404)
    get(client, f"/papers/{paper_id}/figures/new.%00/rows", reader, 404)
    get(client, f"/papers/{uuid4()}/figures/new/rows", reader, 404)
    assert get(client, f"/papers/{paper_id}/figures/void/rows", reader)["items"] == []


class Links(HTMLParser):
    """Every link of a page, and whatever tag or attribute could run."""

    def __init__(self) -> None:
        super().__init__()
        self.links, self.live = list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.live += [tag] if tag in ("script", "iframe", "object", "form", "img", "link") else []
        self.live += [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_links_every_number_to_receipts_and_escapes_names(
    client: FlaskClient, office: Office, street: Street, member: Member
) -> None:
    paper_id, reader = office.make(), member("viewer")
    page = get(client, f"/papers/{paper_id}.html", reader)
    parser = Links()
    parser.feed(page)
    assert parser.live == []
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "草稿，未印发" in page
    linked = {link.removeprefix(f"{paper_id}/figures/").removesuffix(".html") for link in parser.links}
    assert {"new", "new.ebike_charging.orange", "open_end", "overdue", "not_met.household"} <= linked
    values = get(client, f"/papers/{paper_id}", reader)["content"]["figures"]
    for key in sorted(linked):
        if key in values:
            receipts = get(client, f"/papers/{paper_id}/figures/{key}/rows?limit=500", reader)
            assert receipts["value"] == len(receipts["items"]) == values[key], key
    receipts_page = get(client, f"/papers/{paper_id}/figures/new.html?limit=2", reader)
    parser = Links()
    parser.feed(receipts_page)
    assert parser.live == []
    assert HOSTILE not in receipts_page
    [back, following] = parser.links
    assert back == f"../../{paper_id}.html"
    rest = get(client, f"/papers/{paper_id}/figures/{following}", reader)
    assert street.history.lives[2].number in rest


def test_links_no_number_that_has_no_receipts(
    client: FlaskClient, office: Office, street: Street, member: Member
) -> None:
    paper_id, reader = office.make(), member("viewer")
    office.documents(paper_id)
    parser = Links()
    parser.feed(get(client, f"/papers/{paper_id}.html", reader))
    for link in set(parser.links):
        get(client, f"/papers/{link}", reader)
