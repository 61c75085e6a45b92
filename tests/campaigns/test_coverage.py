"""P4, coverage is honest: the denominator is frozen, doors found are added, nothing is done that was not, and the
figures are the same whatever was pushed in whatever order."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import clock
from backend.campaigns import boards, coverage, freezing
from backend.campaigns.coverage import TERMINAL
from backend.campaigns.feed import TARGET_ENTITY
from backend.campaigns.models import Campaign
from backend.campaigns.projecting import Claim, Doors, running_rounds
from backend.db import Database
from backend.rectification import rebuild
from backend.sync.feed import area_scope
from tests.campaigns.histories import GRIDS, PLANS, STARTED, Said, Streets, make_said, recount, stored
from tests.hazards.delivering import publish_all

MakeStreets = Callable[[], Streets]


@pytest.fixture(scope="module")
def make_streets(app: Flask, db: Database) -> MakeStreets:
    publish_all(db)
    return lambda: Streets(db, app.extensions["saolou"])


def check_coverage(streets: Streets, said: Said, seed: int | None) -> None:
    """Play a history; the projection is the recount, the identity holds per grid and in total, rebuild agrees."""
    campaigns = streets.play(said, None if seed is None else Random(seed))
    with streets.transaction() as session:
        for name, campaign in campaigns.items():
            rounds = running_rounds(campaign)
            expected = recount(said, PLANS[name], [(r.n, r.from_ms, r.to_ms) for r in rounds], streets.in_time)
            assert stored(session, campaign) == expected, name
            for one in rounds:
                lines = {door: row for (n, door), row in expected.items() if n == one.n}
                check_board(
                    boards.board(session, campaign, one, clock.day_start_ms(clock.local_day(STARTED)), ()), lines
                )
        check_feed(session, streets.community_id, campaigns)
    report = rebuild.check(streets.runtime, streets.community_id)
    assert not report.differences, report.shown


def check_board(board: dict[str, Any], lines: dict[UUID, Any]) -> None:
    """target = settled + outstanding = base + found, and frozen + found − merged − withdrawn = target."""
    for line in [*board["grids"], board["total"]]:
        grid = line.get("grid")
        here = [row for row in lines.values() if "grid" not in line or row[1] == (grid and grid["id"])]
        assert line["target"] == line["settled"] + line["outstanding"] == line["base"] + line["found"] == len(here)
        assert line["settled"] == sum(row[0] in TERMINAL for row in here)
        assert line["for_head"] == sum(row[0] not in TERMINAL and row[4] >= 3 for row in here)
    assert sum(line["target"] for line in board["grids"]) == board["total"]["target"]
    d = board["denominator"]
    assert d["frozen"] + d["found"] - d["merged"] - d["withdrawn"] == d["target"] == board["total"]["target"]


def check_feed(session: Any, community_id: UUID, campaigns: dict[str, Campaign]) -> None:
    """Phones get nothing of rounds that are over, and each door that is due once, in its grid of now."""
    for grid in GRIDS:
        rows = TARGET_ENTITY.after(session, community_id, area_scope(grid), None, 500)
        assert len({row.id for row in rows}) == len(rows)
        assert all(row.data["due"] and row.data["forms"] for row in rows)


@settings(
    max_examples=20,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_push_anything_in_any_order_covers_what_the_recount_says(
    make_streets: MakeStreets, history: int, order: int
) -> None:
    check_coverage(make_streets(), make_said(Random(history)), order)


@pytest.mark.long
def test_push_many_histories_covers_what_the_recount_says(make_streets: MakeStreets) -> None:
    for seed in range(300):
        check_coverage(make_streets(), make_said(Random(seed), 24), seed)


# --- seeded bugs ------------------------------------------------------------------------------------------------------


def no_answer_is_done(patch: pytest.MonkeyPatch) -> None:
    """Somebody knocked, so the door is done."""
    whole = coverage._not_inspected

    def broken(found: coverage.Standing, visit: Any) -> None:
        whole(found, visit)
        found.state = "done" if found.state == "no_answer" else found.state

    patch.setattr(coverage, "_not_inspected", broken)


def found_doors_are_dropped(patch: pytest.MonkeyPatch) -> None:
    """Only what the registry knew counts."""
    patch.setattr(Doors, "_was_found", lambda *_: False)


def registry_of_today(patch: pytest.MonkeyPatch) -> None:
    """The denominator is whatever the registry holds now."""

    def broken(self: Doors, campaign: Campaign, family: Any, own: Any) -> Claim | None:
        inside = not {scope.hex for scope in campaign.scope}.isdisjoint(own.path.split("."))
        counts = inside and own.kind in campaign.kinds and not own.withdrawn
        return Claim(family.grid_id, family.building_id, len(family.members)) if counts else None

    patch.setattr(Doors, "_claim", broken)


def losers_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A door that was merged into another takes its claim to the grave."""
    whole = Doors._claim

    def broken(self: Doors, campaign: Campaign, family: Any, own: Any) -> Claim | None:
        is_own = own.origin == "field" or family.place_id in self.frozen.get(campaign.id, {})
        return whole(self, campaign, family, own) if is_own else None

    patch.setattr(Doors, "_claim", broken)


def early_visits_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Visits that were here before the start are not looked at."""
    patch.setattr("backend.campaigns.service.want_visited", lambda *_: None)
    patch.setattr(freezing, "want_visited", lambda *_: None)


def one_witness_will_do(patch: pytest.MonkeyPatch) -> None:
    """空置 on one person's word."""
    patch.setattr("backend.rectification.loading._is_witnessed", lambda _: True)


def proposals_wake_nobody(patch: pytest.MonkeyPatch) -> None:
    """A door that is found without a visit is not looked at."""
    patch.setattr("backend.campaigns.projecting.COMPILE", "nobody")


BUGS = [
    proposals_wake_nobody,
    no_answer_is_done,
    found_doors_are_dropped,
    registry_of_today,
    losers_are_forgotten,
    early_visits_are_forgotten,
    one_witness_will_do,
]


@pytest.mark.parametrize("bug", BUGS)
def test_check_coverage_catches(
    make_streets: MakeStreets, monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None]
) -> None:
    def check_some() -> None:
        for seed in range(20):
            check_coverage(make_streets(), make_said(Random(seed)), seed)

    bug(monkeypatch)
    with pytest.raises(AssertionError):
        check_some()
