"""P5 for what was done for people: any history counts as an independent recount does; seeded bugs are caught."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from sqlalchemy import select

from backend.app import create_app
from backend.clock import DAY_MS
from backend.db import Database
from backend.forms.service import publish_shipped
from backend.http.context import Runtime
from backend.identity.keys import Keyring
from backend.meetings import answer_figures as answered
from backend.meetings.answer_figures import Told, blocks, cases, dated, told
from backend.meetings.answers import Answers
from backend.meetings.figures import Figure, Rows, Scope, store_figures
from backend.meetings.hazard_figures import opened
from backend.meetings.models import PaperFigureRow
from backend.meetings.office_figures import houses, swept
from backend.meetings.periods import period_of
from backend.meetings.service_figures import SERVICE_FIGURES
from backend.notices.models import NoticeService
from backend.settings import Settings
from backend.year import answers as say
from tests.factories.identity import make_community
from tests.factories.places import Tree, make_tree
from tests.factories.services import Blocks, Call, Services, write_services
from tests.meetings.raw_facts import read_raw
from tests.meetings.service_recount import CASES, Year, recount

WEEK = period_of("weekly", date(2026, 11, 18))
START, END = WEEK.start_ms, WEEK.end_ms
DAYS = [day.isoformat() for day in (WEEK.first - timedelta(1), WEEK.first, WEEK.last, WEEK.after)]
PEOPLE = [str(UUID(int=n)) for n in range(1, 4)]


@dataclass
class Town:
    """A community with two buildings of a few doors each."""

    db: Database
    runtime: Runtime
    id: UUID
    tree: Tree


@pytest.fixture(scope="module")
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings, db)


@pytest.fixture(scope="module")
def town(app: Flask, db: Database) -> Town:
    """Where histories come and go."""
    return make_town(app, db)


@pytest.fixture(scope="module")
def busy_town(app: Flask, db: Database) -> Town:
    """Where a busy week was."""
    made = make_town(app, db)
    with db.transaction([made.id]) as session:
        write_services(session, made.runtime, made.id, made.tree, busy_week(made.tree))
    return made


def make_town(app: Flask, db: Database) -> Town:
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        publish_shipped(session, 0)
        tree = make_tree(session, community_id, buildings=2, households=3, premises=2)
    return Town(db, app.extensions["saolou"], community_id, tree)


def check_services(town: Town, history: Services | None, figures: Sequence[Figure] = SERVICE_FIGURES) -> None:
    """Values and receipts of a history, or of what is there, against the recount. Leaves nothing behind."""
    with town.db.transaction([town.id], isolation="REPEATABLE READ") as session:
        if history is not None:
            write_services(session, town.runtime, town.id, town.tree, history)
        keyring, paper = town.runtime.part(Keyring), uuid4()
        expected = recount(read_raw(session, keyring, town.id), Year(WEEK.first, WEEK.last), town.id)
        answers = Answers(session, keyring.sealer(session, town.id), town.id)
        values = store_figures(session, figures, Scope.of(town.id, WEEK, END + DAY_MS, (), answers), paper)
        r = PaperFigureRow
        rows = session.execute(select(r.key, r.row_id, r.amount).filter_by(community_id=town.id, paper_id=paper)).all()
        session.rollback()
    for figure in figures:
        amounts = Counter[Any]()
        for row in (row for row in rows if row.key == figure.key):
            amounts[row.row_id] += row.amount or 1
        counted = Counter({what: n for what, n in expected[figure.key].items() if n})
        assert values[figure.key] == amounts.total() == counted.total(), figure.key
        if figure.key in CASES:
            assert sorted(amounts.values()) == sorted(counted.values()), figure.key
        else:
            assert amounts == counted, figure.key


# -- histories --------------------------------------------------------------------------------


def answers_of(draw: st.DrawFn, kind: str) -> tuple[str, dict[str, Any]]:
    """One block that may be filled at a kind of place."""
    day, who = draw(st.sampled_from(DAYS)), draw(st.sampled_from(PEOPLE))
    number = draw(st.integers(0, 3))
    anywhere = [
        ("resident_request", say.request("漏水", "housing", "许小舟", day)),
        ("resident_request", say.request("漏水", "housing", "许小舟", day, result="已修", replied_on=day)),
        ("resident_request", say.request("漏水", "housing", "许小舟", day, replied_on=day)),
    ]
    events = [
        ("community_event", say.event(kind, "活动", day, 40 + number, **({"units": number} if number else {})))
        for kind in ("study", "drill", "greening")
    ]
    homes = [
        ("anti_theft_window", say.opened_window(3, day)),
        ("anti_theft_window", say.window(3)),
        ("anti_theft_window", say.window(3, retrofit_on=day)),
        ("smoke_alarm_install", say.alarm(who, who, f"S{number}", day)),
        ("gas_retrofit", say.gas("agree")),
        ("low_income_review", say.welfare(who, number, ["石小满"], actual=draw(st.integers(0, 3)))),
        *[
            ("elderly_vaccination", say.vaccination(who, "a70", status))
            for status in ("done", "willing", "deferred", "refused")
        ],
        ("helper_assignment", say.helper(who, "许小舟", DAYS[0])),
        ("helper_assignment", say.helper(who, "许小舟", DAYS[0], ended_on=day)),
    ]
    buildings = [
        ("self_built_house", say.house("周某")),
        ("self_built_house", say.appraised_house("周某", "B", "HZ-1", day)),
    ]
    fitting = anywhere + {"household": homes, "building": buildings + events}.get(kind, events)
    return draw(st.sampled_from(fitting))


@st.composite
def histories(draw: st.DrawFn, tree: Tree) -> Services:
    """Visits with any forms at times that like the period's edges, and corrections of them."""
    edges = st.sampled_from([START - 1, START, END - 1, END])
    times = edges | st.integers(START - 3 * DAY_MS, END + 3 * DAY_MS)
    kinds = {**dict.fromkeys(tree.households, "household"), **dict.fromkeys(tree.buildings, "building")}
    kinds |= dict.fromkeys(tree.grids, "grid")

    def some_blocks(kind: str) -> Blocks:
        return [answers_of(draw, kind) for _ in range(draw(st.integers(1, 3)))]

    calls = []
    for _ in range(draw(st.integers(0, 8))):
        place = draw(st.sampled_from(sorted(kinds)))
        call = Call(place, draw(times), some_blocks(kinds[place]))
        if draw(st.integers(0, 3)) == 0:
            blocks_ = some_blocks(kinds[place]) if draw(st.integers(0, 3)) else None
            call.later.append((max(draw(times), call.at_ms + 1), blocks_))
        calls.append(call)
    return Services(calls)


def busy_week(tree: Tree) -> Services:
    """One of everything that is counted, beside what must not be."""
    home, other, third, *_ = tree.households
    house, second = tree.buildings
    shop, shop2, shop3, shop4 = tree.premises
    asked = say.request("漏水", "housing", "许小舟", DAYS[2])
    solved = asked | {"result": "已修", "replied_on": DAYS[1]}
    noon = START + DAY_MS // 2
    expired = [("street_shop", say.shop("便民店", extinguisher="expired"))]
    fine = [("street_shop", say.shop("便民店"))]
    finds = [Call(place, noon + n, expired) for n, place in enumerate((shop, shop2, shop3))]
    before = Call(shop4, START - DAY_MS, expired)
    gone = [Call(place, noon + 100, fine) for place in (shop, shop2, shop4)]
    back = Call(shop2, noon + 300, expired)
    alarms = [("smoke_alarm_install", say.alarm(PEOPLE[0], PEOPLE[0], f"S{n}", DAYS[1])) for n in (1, 2)]
    states = zip(PEOPLE, ("willing", "done", "deferred"), strict=True)
    asked_first = [("elderly_vaccination", say.vaccination(who, "a80", status)) for who, status in states]
    made = [
        Call(home, noon, [("anti_theft_window", say.opened_window(3, DAYS[1]))]),
        Call(other, noon, [("anti_theft_window", say.window(3))]),
        Call(home, noon + 1, alarms),
        Call(home, START, [("gas_retrofit", say.gas("wait"))]),
        Call(home, noon, [("gas_retrofit", say.gas("agree"))]),
        Call(other, END - 1, [("gas_retrofit", say.gas("agree"))]),
        Call(third, END, [("gas_retrofit", say.gas("agree"))]),
        Call(tree.grids[0], START - DAY_MS, [("resident_request", asked)], [(noon, [("resident_request", solved)])]),
        Call(home, noon, [("resident_request", asked)]),
        Call(home, noon, [("low_income_review", say.welfare(PEOPLE[0], 2, ["石小满"]))]),
        Call(home, noon + 5, [("low_income_review", say.welfare(PEOPLE[0], 2, ["石小满"], actual=3))]),
        Call(other, noon, asked_first),
        Call(other, noon + 6, [("elderly_vaccination", say.vaccination(PEOPLE[0], "a80", "done"))]),
        Call(third, noon + 6, [("elderly_vaccination", say.vaccination(str(UUID(int=9)), "a60", "refused"))]),
        Call(home, noon, [("helper_assignment", say.helper(PEOPLE[0], "许小舟", DAYS[0]))]),
        Call(other, noon, [("helper_assignment", say.helper(PEOPLE[1], "许小舟", DAYS[0], ended_on=DAYS[0]))]),
        Call(tree.grids[0], noon, [("community_event", say.event("study", "学习", DAYS[1], 20))] * 2),
        Call(tree.grids[0], noon, [("community_event", say.event("drill", "演练", DAYS[2], 90, units=6))]),
        Call(tree.grids[0], noon, [("community_event", say.event("drill", "演练", DAYS[0], 50, units=2))]),
        Call(house, noon, [("self_built_house", say.house("周某", appraisal="doing"))]),
        Call(house, noon + 7, [("self_built_house", say.appraised_house("周某", "C", "HZ-1", DAYS[1]))]),
    ]  # fmt: skip
    first, corrected, about_hazard, early = (uuid4() for _ in range(4))
    listed = [(noon, house, "listed", place, {"persons": 3}) for place in (home, other, third)]
    left = [(noon + 10 + n, house, "left", place, {"destination": "rental"}) for n, place in enumerate((home, other))]
    return Services(
        [*made, *finds, before, *gone, back],
        [(noon + 200, finds[0], "close"), (noon + 201, finds[1], "close"), (noon + 202, before, "close")],
        [(("street_shop",), ("premises",), START, END), (("self_built_house",), ("building",), START, END)],
        [
            (noon - 1, house, "appraised", None, {"grade": "C"}),
            *listed,
            *left,
            (noon + 20, house, "checked", None, {"returned": [str(other)]}),
        ],
        [
            (first, "evacuation", house, noon, None),
            (corrected, "evacuation", house, noon + 1, first),
            (about_hazard, "rectification", shop, noon, None),
            (early, "evacuation", second, START - 2, None),
        ],
        [
            (first, home, noon + 1),
            *((corrected, place, noon + 2 + n) for n, place in enumerate((home, other))),
            (about_hazard, None, noon + 3),
            *((early, None, at_ms) for at_ms in (START - 1, noon)),
        ],
    )


@trials(max_examples=30, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_counts_any_answers_as_the_recount_does(town: Town, data: st.DataObject) -> None:
    check_services(town, data.draw(histories(town.tree)))


def test_counts_a_busy_week_as_the_recount_does(busy_town: Town) -> None:
    check_services(busy_town, None)


# -- seeded bugs ------------------------------------------------------------------------------


def takes_consent_for_an_opening(scope: Scope) -> Rows:
    return told(answered.places_of((b, "") for b in blocks(scope, "anti_theft_window")))


def counts_devices(scope: Scope) -> Rows:
    fitted = [b for b, _ in dated(scope, "smoke_alarm_install", "installed_on")]
    return told(Told(b.visit_id, b.at_ms, b.form, None, str(b.n)) for b in fitted)


def counts_visits_for_homes(scope: Scope) -> Rows:
    return told(Told(b.visit_id, b.at_ms, b.form) for b in blocks(scope, "gas_retrofit"))


def counts_the_next_monday(scope: Scope) -> Rows:
    return answered.gas_homes(replace(scope, end_ms=scope.end_ms + 1))


def counts_days_in_utc(scope: Scope) -> Rows:
    days = {b.at_ms // DAY_MS: b for b in reversed(blocks(scope, "gas_retrofit"))}
    return told(Told(b.visit_id, b.at_ms, b.form) for b in days.values())


def overlooks_corrections(scope: Scope) -> Rows:
    return told(
        Told(b.visit_id, b.at_ms, b.form)
        for b in blocks(scope, "resident_request", None)
        if b.answers.get("result") and b.at_ms >= scope.start_ms
    )


def counts_the_first_review(scope: Scope) -> Rows:
    first = {b.answers["case_ref"]: b for b in reversed(blocks(scope, "low_income_review"))}
    return told(Told(b.visit_id, b.at_ms, b.form, amount=b.answers["actual"]) for b in first.values())


def counts_the_deferred(scope: Scope) -> Rows:
    return told(cases(scope, blocks(scope, "elderly_vaccination"), "person"))


def believes_the_first_answer(scope: Scope) -> Rows:
    first = {b.answers["person"]: b for b in reversed(blocks(scope, "elderly_vaccination"))}
    return told(cases(scope, [b for b in first.values() if b.answers["status"] == "done"], "person"))


def counts_ended_help(scope: Scope) -> Rows:
    return told(cases(scope, blocks(scope, "helper_assignment"), "person"))


def counts_drills_for_people(scope: Scope) -> Rows:
    return answered.events("drill")(scope)


def counts_events_by_the_visit(scope: Scope) -> Rows:
    found = blocks(scope, "community_event", None)
    return told(Told(b.visit_id, b.at_ms, b.form, None, str(b.n)) for b in found if b.answers["kind"] == "drill")


def forgets_houses_nobody_saw(scope: Scope) -> Rows:
    return answered.houses(scope, appraised=False)


def takes_known_for_appraised(scope: Scope) -> Rows:
    return houses(scope, appraised=False)


def counts_services(scope: Scope) -> Rows:
    s = NoticeService
    return select(
        *(s.id.label("row_id"), s.served_ms.label("at_ms"), s.mode.label("category"), s.mode.label("severity")),
        *(s.mode.label("state"), s.mode.label("detail")),
    ).where(s.community_id == scope.community_id, s.served_ms >= scope.start_ms, s.served_ms < scope.end_ms)


def counts_whoever_ever_left(scope: Scope) -> Rows:
    homes = [b.place_id for b in blocks(scope, "gas_retrofit")]
    return told(Told(home, scope.start_ms, "household") for home in dict.fromkeys(homes))


def counts_hazards_outside_of_sweeps(scope: Scope) -> Rows:
    return opened(scope)


BUGS: list[tuple[str, Callable[[Scope], Rows]]] = [
    ("windows_opened", takes_consent_for_an_opening),
    ("alarm_homes", counts_devices),
    ("gas_homes", counts_visits_for_homes),
    ("gas_homes", counts_the_next_monday),
    ("gas_days", counts_days_in_utc),
    ("requests_solved", overlooks_corrections),
    ("welfare_persons", counts_the_first_review),
    ("elderly_eligible", counts_the_deferred),
    ("elderly_vaccinated", believes_the_first_answer),
    ("helped_persons", counts_ended_help),
    ("drill_people", counts_drills_for_people),
    ("drills", counts_events_by_the_visit),
    ("houses_known", forgets_houses_nobody_saw),
    ("houses_appraised", takes_known_for_appraised),
    ("notices_to_leave", counts_services),
    ("homes_evacuated", counts_whoever_ever_left),
    ("sweep_found", counts_hazards_outside_of_sweeps),
    ("sweep_closed", swept),
]


@pytest.mark.parametrize("key, bug", BUGS, ids=[bug.__name__ for _, bug in BUGS])
def test_catches_a_seeded_bug_of_the_year(busy_town: Town, key: str, bug: Callable[[Scope], Rows]) -> None:
    broken = [replace(figure, rows=bug) for figure in SERVICE_FIGURES if figure.key == key]
    with pytest.raises(AssertionError):
        check_services(busy_town, None, broken)
