"""Every reminder exactly once: whenever workers look, however many at a time, and whoever of them dies."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from backend import clock
from backend.clock import DAY_MS, day_start_ms, local_day
from backend.db import Database
from backend.jobs import ledger
from backend.notifications import reminding
from mobile_contract.rules import hazard_id
from tests.factories.records import block, visit_body
from tests.factories.sweeps import Person, Sweep, make_sweep
from tests.notifications.people import queued, told

HOUR_MS = 3_600_000
#: Each story has its own time, far from the others'.
APART_DAYS = 60
DUE_DAY = 10
LATE = ((1, "grid_head", "late1"), (3, "committee", "late3"), (7, "street", "late7"))
ROLES = ("grid_head", "committee", "street", "safety_officer")
take_slots = ledger.take_slots


class Killed(Exception):
    """The worker is no more: nothing of its transaction is."""


@dataclass(frozen=True)
class Story:
    """A hazard due on the tenth day. ``looks``: the hours after the story's first midnight in which beats come, as
    many at once as there are flags, true for a worker that dies before its commit; every other hour nobody works.
    ``void_after``: how many of these hours are over when the hazard is void."""

    severity: str
    looks: dict[int, list[bool]]
    void_after: int


@dataclass(repr=False)
class Stage:
    """A community whose people watch one story after another, each at a household of its own."""

    sweep: Sweep
    people: dict[str, Person]
    numbers: Iterable[int] = field(default_factory=count)


stories = st.builds(
    Story,
    severity=st.sampled_from(("yellow", "orange", "red")),
    looks=st.dictionaries(
        st.integers(0, 20 * 24), st.lists(st.booleans(), min_size=1, max_size=3), min_size=1, max_size=12
    ),
    void_after=st.integers(1, 16),
)


@pytest.fixture(scope="module")
def stage(app: Flask, db: Database) -> Stage:
    sweep = make_sweep(app, db, households=40)
    people = {role: sweep.person(role) for role in ROLES}
    body = {"kind": "email", "name": "邮件组", "addresses": ["an-quan@example.org"]}
    assert people["committee"].post("/notification-channels", body).status_code == 201
    return Stage(sweep, people)


def beat(sweep: Sweep, at_ms: int, dies: bool) -> None:
    """A worker's minute, as far as reminders go."""
    try:
        with sweep.db.transaction([sweep.community_id]) as session:
            reminding.due_reminders(session, sweep.community_id, at_ms)
            if dies:
                raise Killed
    except Killed:
        return


def beats(sweep: Sweep, at_ms: int, deaths: Iterable[bool]) -> None:
    threads = [threading.Thread(target=beat, args=(sweep, at_ms, dies)) for dies in deaths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def play(stage: Stage, story: Story) -> UUID:
    """Let the story happen; the hazard is settled at its end."""
    at = next(iter(stage.numbers))
    first_ms = day_start_ms(local_day(clock.now_ms()) + timedelta(days=APART_DAYS * (at + 1)))
    home = stage.sweep.tree.households[at]
    record = stage.sweep.put(visit_body(home, [block("anti_theft_window", home, {"loose": "yes"})]))
    stage.sweep.compile(home)
    hazard = hazard_id(stage.sweep.community_id, home, "ATW-07", "")
    assigned = {"deadline_ms": first_ms + (DUE_DAY + 1) * DAY_MS - 1, "severity": story.severity}
    answer = stage.people["grid_head"].take("assign", hazard, **assigned)
    assert answer.status_code == 200, answer.json
    looks = sorted(story.looks.items())
    for hour, deaths in looks[: story.void_after]:
        beats(stage.sweep, first_ms + hour * HOUR_MS, deaths)
    stage.sweep.put({}, voids=record, reason="看错了门")
    stage.sweep.compile(home)
    assert stage.people["grid_head"].task(hazard)["state"] == "void"
    for hour, deaths in looks[story.void_after :]:
        beats(stage.sweep, first_ms + hour * HOUR_MS, deaths)
    return hazard


def expected(story: Story) -> Counter[tuple[str, str]]:
    """(role, kind) of everything that is to be told: the plain rule, day by day."""
    looks = sorted(story.looks.items())[: story.void_after]
    days = sorted({hour // 24 for hour, deaths in looks if 8 <= hour % 24 < 20 and not all(deaths)})
    found: Counter[tuple[str, str]] = Counter()
    if not days:
        return found
    found["grid_head", "due"] = int(days[-1] >= DUE_DAY - 2)
    for late, role, kind in LATE:
        found[role, kind] = int(days[-1] >= DUE_DAY + late)
    if story.severity == "red":
        found["grid_head", "watch"] = found["safety_officer", "watch"] = len(days)
    return +found


def check_once(stage: Stage, story: Story) -> None:
    """What was to be told is in the inboxes of those whom it is for, and queued for the channel, once."""
    hazard = play(stage, story)
    role_of = {person.account.id: role for role, person in stage.people.items()}
    rows = [(role_of[account], slot) for account, slot in told(stage.sweep) if str(hazard) in slot]
    assert Counter((role, slot.split(":")[0]) for role, slot in rows) == expected(story)
    assert Counter(slot for _, slot in queued(stage.sweep) if str(hazard) in slot) == Counter(
        {slot for _, slot in rows}
    )


@settings(max_examples=15)
@given(story=stories)
def test_remind_any_beats_and_deaths_tells_everything_once(stage: Stage, story: Story) -> None:
    check_once(stage, story)


def taken_apart(db: Database) -> Callable[[Session, UUID, Iterable[str]], set[str]]:
    """The seeded bug: slots are committed before what they are for."""

    def take(_session: Session, community_id: UUID, slots: Iterable[str]) -> set[str]:
        with db.transaction([community_id]) as apart:
            return take_slots(apart, community_id, slots)

    return take


def test_check_catches_slots_taken_before_the_work(stage: Stage, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "take_slots", taken_apart(db))
    check = settings(max_examples=15, phases=[Phase.generate])(
        given(story=stories)(lambda story: check_once(stage, story))
    )
    with pytest.raises(AssertionError):
        check()


def test_check_catches_reminders_of_what_is_settled(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded bug: whatever state it is in, it is told of."""
    everything = frozenset({"registered", "assigned", "fixing", "review", "referred", "closed", "void"})
    monkeypatch.setattr("backend.notifications.escalation.OPEN_STATES", everything)
    monkeypatch.setattr(reminding, "OPEN_STATES", everything)
    with pytest.raises(AssertionError):
        check_once(stage, Story("yellow", {9: [False], 18 * 24 + 9: [False]}, 1))
