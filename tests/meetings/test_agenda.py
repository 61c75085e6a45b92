"""P8 in papers: what is proposed to a meeting is within a community's power; grids, outlook, plan and charts agree."""

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from backend.app import create_app
from backend.clock import DAY_MS, local_day
from backend.db import Database
from backend.hazards.models import Hazard, Transition
from backend.meetings import agenda_sections, service
from backend.meetings.agenda_sections import MATTERS, Matter
from backend.meetings.charts import Series, Share, by_severity, by_share, trend
from backend.meetings.grid_figures import OF_HAZARDS
from backend.meetings.labels import SEVERITY_ZH
from backend.meetings.models import PaperFigure, PaperFigureRow
from backend.meetings.periods import period_of
from backend.meetings.plan import Plan, plan_of, set_plan
from backend.meetings.sentences import plain
from backend.notices.wording import words_of_power
from backend.places.models import Place
from backend.settings import Settings
from tests.factories.identity import make_account, sign_in
from tests.factories.meetings import Call, Door, History, Life
from tests.meetings.conftest import ACTOR, WEEK, Office, SilentBell
from tests.meetings.test_papers import long_ago, text_of

START, END = WEEK.start_ms, WEEK.end_ms


def a_street(office: Office) -> tuple[Door, Door]:
    """Two grids; in the first a grave hazard that is overdue and one struck off, in the second one that falls due next
    week, one that waits for a look, one referred; a door that refused and one that did not answer."""
    grids = Door("grid", name="第一网格"), Door("grid", name="第二网格")
    homes = [Door(name=f"{n}") for n in range(4)]
    lives = [
        Life(homes[0], [("registered", START + 1, 1)], "red", deadline_ms=START + DAY_MS, rules=("EBC-01",)),
        Life(homes[0], [("registered", START + 2, 1), ("review", START + 3, 1), ("closed", START + 4, 1)]),
        Life(homes[1], [("registered", START + 5, 1)], deadline_ms=END + DAY_MS),
        Life(homes[1], [("registered", START + 6, 1), ("review", START + 7, 1)], deadline_ms=END + 90 * DAY_MS),
        Life(homes[1], [("registered", START + 8, 1), ("referred", START + 9, 1)], deadline_ms=END + 90 * DAY_MS),
    ]
    calls = [Call(homes[2], START + 9, "refused"), Call(homes[3], START + 9, "no_answer"), long_ago(homes[0])]
    office.write(History([*grids, *homes], calls, lives))
    with office.db.transaction([office.community]) as session:
        for n, door in enumerate(homes):
            here = Place.community_id == office.community, Place.id == door.id
            session.execute(update(Place).where(*here).values(grid_id=grids[n % 2].id))
        for life in lives:
            grid_id = grids[homes.index(life.door) % 2].id
            for table, column in ((Hazard, Hazard.id), (Transition, Transition.hazard_id)):
                here = table.community_id == office.community, column == life.id
                session.execute(update(table).where(*here).values(grid_id=grid_id))
    return grids


def content_of(office: Office) -> dict[str, Any]:
    return office.paper(office.make()).content or {}


def test_says_what_the_meeting_has_to_settle_and_what_comes_next(office: Office) -> None:
    first, _ = a_street(office)
    make_account(office.db, office.community, "grid_head", first.id, name="田大禾")
    said = text_of(content_of(office))
    assert "重大隐患1处未销号\n逐处明确措施、责任、资金、时限、预案，落实每日查看，报街道确认\n社区两委、街道" in said
    assert "隐患1处逾期未整改，其中重大1处" in said
    assert "已移交1处尚无反馈" in said
    assert "拒访1处" in said
    assert "未见面1处" in said
    assert "11月23日至11月29日\n第一网格\n督办逾期1处\n田大禾" in said
    assert "11月23日至11月29日\n第二网格\n督促到期整改1处，复查1处\n网格长" in said
    assert "期末待反馈1处" in said


def test_counts_by_grid_what_it_counts_in_all_each_with_its_rows(office: Office) -> None:
    first, second = a_street(office)
    paper_id = office.make()
    of_paper = {"community_id": office.community, "paper_id": paper_id}
    with office.db.transaction([office.community]) as session:
        values = {f.key: f.value for f in session.query(PaperFigure).filter_by(**of_paper)}
        keys = [row.key for row in session.query(PaperFigureRow).filter_by(**of_paper)]
    for key in (*OF_HAZARDS, "registered", "completed", "refused", "not_met"):
        parts = {k: v for k, v in values.items() if k.startswith(f"{key}.g")}
        assert sum(parts.values()) == values[key], key
        assert all(keys.count(part) == value for part, value in parts.items())
    assert values[f"closed.g{first.id.hex}"] == 1
    assert values[f"open_end.g{second.id.hex}"] == 3
    # They are no figures that a later paper would correct.
    assert not [key for key in content_of(office)["figures"] if ".g" in key or key == "awaiting"]


def check_powers() -> None:
    """What is proposed to a meeting never is a word of power."""
    assert words_of_power([text for matter in agenda_sections.MATTERS for text in matter]) == []


def test_proposals_are_within_a_communitys_power() -> None:
    check_powers()


def test_proposal_to_seal_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = Matter("overdue", "逾期{overdue}处", "对拒不整改的予以查封、断电并罚款", "社区两委")
    monkeypatch.setattr(agenda_sections, "MATTERS", (*MATTERS, seeded))
    with pytest.raises(AssertionError):
        check_powers()


@given(day=st.dates(date(1999, 1, 1), date(2150, 12, 31)), starts_on=st.integers(1, 28))
def test_months_that_begin_on_a_day_of_their_own_cover_every_day_once(day: date, starts_on: int) -> None:
    period = period_of("monthly", day, starts_on)
    assert period.first <= day < period.after
    assert (period.first.day, period.after.day) == (starts_on, starts_on)
    assert period.following().first == period.after
    assert period.following().previous() == period
    ordinals = [p.year * 12 + p.issue for p in (period.previous(), period, period.following())]
    assert ordinals == list(range(ordinals[0], ordinals[0] + 3))
    middle = period.first + (period.after - period.first) / 2
    assert abs((middle - date(period.year, period.issue, 16)).days) <= 16


def test_plan_is_a_setting_of_the_community(office: Office, settings: Settings, db: Database) -> None:
    client: FlaskClient = create_app(settings, db, SilentBell()).test_client()
    committee = sign_in(client, make_account(db, office.community, "committee"))
    officer = sign_in(client, make_account(db, office.community, "safety_officer"))
    path = "/api/v1/paper-plan"
    assert client.get(path, headers=officer).json == {
        **{"kinds": ["weekly"], "starts_on": 1, "month_starts_on": 1, "hour": 6}
    }
    wanted = {"kinds": ["monthly", "annual", "monthly"], "starts_on": 5, "month_starts_on": 26, "hour": 8}
    assert client.put(path, json=wanted, headers=officer).status_code == 403
    assert client.put(path, json={**wanted, "month_starts_on": 29}, headers=committee).status_code == 422
    changed = client.put(path, json=wanted, headers=committee).json
    assert changed == {**wanted, "kinds": ["monthly", "annual"]}
    asked = {"kind": "monthly", "period_start": "2026-10-30"}
    paper = client.post("/api/v1/papers", json=asked, headers=committee).json
    assert (paper["first_day"], paper["last_day"], paper["number"]) == ("2026-10-26", "2026-11-25", "〔2026〕第11期")


def test_plan_decides_which_papers_are_due(office: Office) -> None:
    with office.db.transaction([office.community]) as session:
        set_plan(session, office.community, Plan(("weekly", "monthly"), 3, 10, 9), END, ACTOR)
        assert plan_of(session, office.community) == Plan(("weekly", "monthly"), 3, 10, 9)
        now_ms = office.now_ms + 3720 * DAY_MS
        due = service.due_papers(session, office.runtime, office.community, now_ms)
    weekly, monthly = (office.paper(paper_id) for paper_id in due)
    assert (weekly.kind, local_day(weekly.period_start_ms).isoweekday()) == ("weekly", 3)
    assert (monthly.kind, local_day(monthly.period_start_ms).day) == ("monthly", 10)


def labels_of(drawn: dict[str, Any]) -> list[str]:
    return [mark["text"] for mark in drawn["marks"] if mark["mark"] == "text"]


def check_inside(drawn: dict[str, Any]) -> None:
    for mark in drawn["marks"]:
        if mark["mark"] == "rect":
            assert 0 <= mark["x"] <= mark["x"] + mark["w"] <= drawn["width"]
            assert 0 <= mark["y"] <= mark["y"] + mark["h"] <= drawn["height"]


@given(st.lists(st.tuples(*[st.integers(0, 100_000)] * 3), min_size=1, max_size=30))
def test_draw_hazards_by_form_prints_every_sum_inside_the_page(counts: list[tuple[int, int, int]]) -> None:
    rows = [(f"表{n}", dict(zip(("red", "orange", "yellow"), found, strict=True))) for n, found in enumerate(counts)]
    drawn = by_severity("新增", rows, SEVERITY_ZH)
    check_inside(drawn)
    said = labels_of(drawn)
    assert all(str(sum(found)) in said for found in counts[:20])
    assert {"重大", "较大", "一般"} <= set(said)
    assert drawn["alt"].startswith("新增：表0重大")


@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 9999)), min_size=1, max_size=30))
def test_draw_shares_prints_both_numbers(found: list[tuple[int, int]]) -> None:
    shares = [Share(f"第{n}网格" * 5, part, whole) for n, (part, whole) in enumerate(found)]
    drawn = by_share("销号率", shares, ["1%"] * len(shares))
    check_inside(drawn)
    assert all(f"1%（{part}／{whole}）" in labels_of(drawn) for part, whole in found[:20])


@given(st.lists(st.tuples(*[st.integers(0, 9999)] * 4), min_size=3, max_size=3))
def test_draw_trend_tells_lines_apart_without_colour(values: list[tuple[int, ...]]) -> None:
    lines = [Series(name, found) for name, found in zip(("新增", "销号", "未销号"), values, strict=True)]
    drawn = trend("变化", ["一", "二", "三", "四"], lines)
    dots = [mark for mark in drawn["marks"] if mark["mark"] == "dot"]
    assert len({mark["shape"] for mark in dots}) == len({mark["fill"] for mark in dots}) == 3
    assert all(0 < mark["y"] < drawn["height"] for mark in dots)
    said = labels_of(drawn)
    assert all(said.count(str(value)) >= 1 for found in values for value in found)


def test_plain_of_a_cell_with_a_sentence() -> None:
    assert plain([{"parts": ["逾期", {"figure": "overdue", "value": 3}, "处"]}]) == "逾期3处"
