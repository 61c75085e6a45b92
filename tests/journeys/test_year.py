"""`demo --year` in a process of its own: the figures as reported, against an independent recount of the raw records."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from backend.demo.office import Office
from backend.identity.keys import Keyring
from backend.meetings.service_figures import SERVICE_FIGURES
from tests.journeys.serving import Serving
from tests.meetings.raw_facts import read_raw
from tests.meetings.service_recount import CASES, Recount, Year, recount

pytestmark = pytest.mark.timeout(600)
YEAR = Year(date(2022, 1, 1), date(2022, 12, 31))
PRINTED = [
    *("53处", "87户", "17户", "7份、13户", "全部", "14栋、约500户、19天", "55件", "42户、67人", "98.3%", "4人", "9次"),
    "2次、14个乡镇、200余人",
]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("year") / "year"
    made = Serving(folder, "demo", "--year", "--json", str(folder.parent / "year.json"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def story(serving: Serving) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((serving.folder.parent / "year.json").read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def counted(serving: Serving) -> Recount:
    state = json.loads((serving.folder / "year.json").read_text(encoding="utf-8"))
    runtime, community_id = serving.runtime(), UUID(state["community_id"])
    with runtime.db.transaction([community_id]) as session:
        raw = read_raw(session, runtime.part(Keyring), community_id)
    return recount(raw, YEAR, community_id)


def test_play_the_year_prints_every_figure_as_reported(serving: Serving, story: dict[str, Any]) -> None:
    assert [line["printed"] for line in story["lines"]] == PRINTED == [line["reported"] for line in story["lines"]]
    assert [check for check in story["checks"] if not check["ok"]] == []
    assert story["ok"]
    shown = serving.log.read_text(encoding="utf-8")
    assert "为87户防盗网开设逃生口，为17户安装独立式感烟报警器。" in shown
    assert "DIFFERS" not in shown
    assert "FAILED" not in shown
    assert "Traceback" not in shown


def test_play_the_year_figures_are_those_of_an_independent_recount(story: dict[str, Any], counted: Recount) -> None:
    figures = {figure.key: story["paper"]["figures"][figure.key] for figure in SERVICE_FIGURES}
    assert figures == {figure.key: counted[figure.key].total() for figure in SERVICE_FIGURES}


def test_play_the_year_every_figure_opens_to_the_rows_recounted(
    serving: Serving, story: dict[str, Any], counted: Recount
) -> None:
    state = json.loads((serving.folder / "year.json").read_text(encoding="utf-8"))
    committee = next(person for person in state["people"] if person["role"] == "committee")
    office = Office(serving.base_url, committee["login"], committee["password"])
    for figure in SERVICE_FIGURES:
        rows = office.pages(f"/api/v1/papers/{story['paper']['id']}/figures/{figure.key}/rows")
        amounts = Counter[str]()
        for row in rows:
            amounts[row["row_id"]] += row["amount"] or 1
        expected = Counter({str(what): n for what, n in counted[figure.key].items() if n})
        if figure.key in CASES:
            assert sorted(amounts.values()) == sorted(expected.values()), figure.key
            assert {row["place"] for row in rows} == {None}, figure.key
        else:
            assert amounts == expected, figure.key
