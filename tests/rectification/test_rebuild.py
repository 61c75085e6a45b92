"""Projections can be proved and made again: ``check`` finds any difference and writes nothing, ``rebuild`` mends it."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend import clock
from backend.hazards.models import LedgerNumber
from backend.rectification import compile as compiling
from backend.rectification import rebuild
from backend.rectification.projection_tables import ALL_TABLES
from tests.factories.campaigns import make_campaign
from tests.factories.places import merged
from tests.hazards.delivering import NOW_MS, Town
from tests.hazards.histories import PLACES, History, make_history
from tests.hazards.oracle import DAY
from tests.hazards.projected import natural_rows
from tests.hazards.story import HEAD, PARKED, Story, day
from tests.hazards.test_seeing import EXT, FITTED

TABLES = [table.name for table in ALL_TABLES]
#: One changed value in every projection.
SPOILT = {
    "visit": "outcome = 'refused'",
    "observation": "results = '{}'",
    "hazard": "severity = 'blue'",
    "transition": "effective_ms = effective_ms + 1",
    "rectification_task": "assignee_id = gen_random_uuid()",
    "step_outcome": "reason = 'wrong_state'",
    "dated_fold": "next_ms = 1",
    "campaign_target": "state = 'done'",
}


def full_story() -> History:
    """Something in every projection but coverage: a hazard that was assigned, one whose day is still to come."""
    story = Story()
    story.visit(0, PARKED)
    story.step(1, "assign", HEAD)
    until = NOW_MS + 3 * DAY
    story.visit(2, {**FITTED, "valid_until": _iso(until)}, form=EXT)
    return story.history


def _iso(ms: int) -> str:
    return clock.local_day(ms).isoformat()


@pytest.fixture
def full(town: Town) -> Town:
    town.deliver(full_story())
    with town.transaction() as session:
        make_campaign(session, town.runtime, town.community_id, now_ms=NOW_MS, kinds=["building"], days_before=60)
    while town.work():
        pass
    return town


def everything(town: Town) -> dict[str, list[Any]]:
    """All rows of all projections and numbers, as they lie there."""
    with town.transaction() as session:
        return {
            name: sorted(map(str, session.execute(text(f"SELECT t.*, t.xmin FROM {name} t")).all()))
            for name in (*TABLES, "ledger_number", "sync_change", "task_step")
        }


def spoil(town: Town, *statements: str) -> None:
    with town.transaction() as session:
        for statement in statements:
            assert session.execute(text(statement)).rowcount  # type: ignore[attr-defined]


def check_finds(town: Town, difference: str) -> None:
    found = rebuild.check(town.runtime, town.community_id)
    assert found.differences[difference] >= 1, found
    assert any(line.startswith(difference.split(".")[0]) for line in found.shown)


def test_check_after_a_long_history_finds_nothing(town: Town) -> None:
    history = make_history(Random(3), 12)
    history["place_facts"] = [merged(UUID(PLACES[1]), UUID(PLACES[0]), day(5))]
    town.deliver(history, Random(1))
    report = rebuild.check(town.runtime, town.community_id)
    assert (dict(report.differences), report.shown, report.places) == ({}, [], 6)


def test_check_writes_nothing(full: Town) -> None:
    spoil(full, "UPDATE hazard SET severity = 'blue'", "DELETE FROM visit")
    before = everything(full)
    rebuild.check(full.runtime, full.community_id)
    assert everything(full) == before


@pytest.mark.parametrize("table", TABLES)
def test_check_finds_a_changed_row(full: Town, table: str) -> None:
    spoil(full, f"UPDATE {table} SET {SPOILT[table]}")
    check_finds(full, f"{table}.changed")


@pytest.mark.parametrize("table", TABLES)
def test_check_finds_a_missing_row(full: Town, table: str) -> None:
    spoil(full, f"DELETE FROM {table}")
    check_finds(full, f"{table}.missing")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("place", ["known", "unknown"])
def test_check_finds_a_surplus_row(full: Town, table: str, place: str) -> None:
    key = {table.name: table.key for table in ALL_TABLES}[table]
    column = next(c for c in key if c.endswith("id") and (c != "place_id" or table == "dated_fold"))
    changed = {column: f"'{PLACES[1]}'" if table == "dated_fold" and place == "known" else "gen_random_uuid()"}
    if place == "unknown" and table not in ("dated_fold", "transition"):
        changed["place_id"] = "gen_random_uuid()"
    if table == "transition" and place == "known":
        changed = {"n": "n + 50"}
    spoil(full, copy_statement(full, table, changed))
    check_finds(full, f"{table}.surplus")


def copy_statement(town: Town, table: str, changed: dict[str, str]) -> str:
    with town.transaction() as session:
        names = session.execute(
            text("SELECT column_name FROM information_schema.columns WHERE table_name = :t"), {"t": table}
        ).scalars()
        columns = list(names)
    values = ", ".join(changed.get(name, name) for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} LIMIT 1"


@pytest.mark.parametrize("dropped", [TABLES, ["hazard"], ["transition"], ["rectification_task", "visit"]])
def test_rebuild_after_dropping_projections_restores_the_same_rows_and_numbers(town: Town, dropped: list[str]) -> None:
    history = make_history(Random(5), 10)
    history["place_facts"] = [merged(UUID(PLACES[1]), UUID(PLACES[0]), day(5))]
    town.deliver(history, Random(2))
    with town.transaction() as session:
        before = natural_rows(session, town.community_id, history)
        numbers = sorted(str(session.execute(text("SELECT * FROM ledger_number")).all()))
        held = sorted(map(str, session.execute(text("SELECT * FROM hazard")).all()))
    spoil(town, *(f"DELETE FROM {table}" for table in dropped if before[table]))
    report = rebuild.rebuild(town.db, town.runtime, town.community_id)
    assert report.differences
    with town.transaction() as session:
        assert natural_rows(session, town.community_id, history) == before
        assert sorted(str(session.execute(text("SELECT * FROM ledger_number")).all())) == numbers
        assert sorted(map(str, session.execute(text("SELECT * FROM hazard")).all())) == held
    assert not rebuild.check(town.runtime, town.community_id).differences


def test_rebuild_removes_rows_that_belong_to_nothing(full: Town) -> None:
    for table in ("visit", "transition"):
        column = "id" if table == "visit" else "hazard_id"
        changed = {column: "gen_random_uuid()", "place_id": "gen_random_uuid()"}
        spoil(full, copy_statement(full, table, changed))
    rebuild.rebuild(full.db, full.runtime, full.community_id)
    assert not rebuild.check(full.runtime, full.community_id).differences


def test_rebuild_of_what_is_right_writes_nothing(full: Town) -> None:
    before = everything(full)
    assert not rebuild.rebuild(full.db, full.runtime, full.community_id).differences
    after = everything(full)
    assert {name: rows for name, rows in after.items() if name != "dated_fold"} == {
        name: rows for name, rows in before.items() if name != "dated_fold"
    }


def test_rebuild_folds_a_dated_place_for_the_day_it_was_folded_for(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day that has come while nobody folded is no difference yet: the job of that day makes it one."""
    story = Story()
    story.visit(0, {**FITTED, "valid_until": _iso(NOW_MS + 3 * DAY)}, form=EXT)
    town.deliver(story.history)
    later = NOW_MS + 9 * DAY
    monkeypatch.setattr("backend.clock.now_ms", lambda offset_ms=0: later)
    assert not rebuild.check(town.runtime, town.community_id).differences
    assert not rebuild.rebuild(town.db, town.runtime, town.community_id).differences
    with town.transaction() as session:
        compiling.compile_places(session, town.runtime, town.community_id, [PLACES[0]])
        assert session.query(LedgerNumber).filter_by(community_id=town.community_id, chain="EXT-LIFE").count() == 1
    assert not rebuild.check(town.runtime, town.community_id).differences


# --- seeded bugs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_check_that_looks_away_is_caught(full: Town, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that forgets one table would let that table's spoilt rows pass: the test above must notice."""
    add: Callable[..., None] = rebuild.RebuildReport.add
    forgetting = lambda report, name, difference: None if name == table else add(report, name, difference)  # noqa: E731
    monkeypatch.setattr(rebuild.RebuildReport, "add", forgetting)
    spoil(full, f"UPDATE {table} SET {SPOILT[table]}")
    with pytest.raises(AssertionError):
        check_finds(full, f"{table}.changed")


def test_rebuild_that_numbers_anew_is_caught(full: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are facts: giving them out again at a rebuild cannot pass."""
    spoil(full, "DELETE FROM hazard")
    monkeypatch.setattr("backend.rectification.projecting.Projector._numbered", lambda *_: {})
    with pytest.raises(IntegrityError):
        rebuild.rebuild(full.db, full.runtime, full.community_id)
