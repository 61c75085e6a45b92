"""P6, the canaries: a resident is named wherever somebody can be named; what the system emits to those who may not see
it holds no trace of them: no log line, no error, no address, no feed, no paper, no export, no column at rest."""

import io
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask import Flask

from backend.db import Database
from backend.identity.permissions import PERMISSIONS, ROLES
from backend.logs import configure_logs
from backend.rectification import task_details
from backend.sync import feed_entities
from tests.factories.sweeps import Person, make_sweep
from tests.privacy.canaries import CANARIES, Net, Story, ask_wrongly, pull, read_everything, rows_at_rest, tell


class Log:
    """What was logged, at the most talkative level, while the story was told and asked about."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self) -> str:
        return self.stream.getvalue()


@pytest.fixture(scope="module")
def logged() -> Iterator[Log]:
    root, log, before = logging.getLogger(), Log(), sys.stderr
    kept = (root.handlers[:], root.level)
    sys.stderr = log.stream
    configure_logs("DEBUG")
    yield log
    structlog.reset_defaults()
    root.handlers[:], root.level = kept
    sys.stderr = before


@pytest.fixture(scope="module")
def story(app: Flask, db: Database, logged: Log) -> Story:
    return tell(app, make_sweep(app, db))


#: Who neither leads nor keeps the installation: persons are masked for them wherever they look.
BLIND = [role for role in ROLES if "task.assign" not in PERMISSIONS[role] and role != "administrator"]


def seen_by(app: Flask, story: Story, person: Person) -> set[str]:
    net = Net()
    read_everything(app, story, person, net)
    pull(app, story, person.account, net)
    assert len(net.caught) > 40
    return net.found()


@pytest.mark.parametrize("role", BLIND)
def test_nothing_personal_reaches_a_role_that_may_not_see_it(app: Flask, story: Story, role: str) -> None:
    serves = {
        "notice.serve": "GET /api/v1/notices/<uuid:notice_id>",
        "evacuation.record": "GET /api/v1/dangerous-houses/<uuid:house_id>",
    }
    theirs = {route for permission, route in serves.items() if permission in PERMISSIONS[role]}
    assert seen_by(app, story, story.sweep.person(role)) == theirs, "whoever serves a notice reads whom it is for"


def test_administrator_sees_persons_in_quarantined_bytes_for_a_reason_only(app: Flask, story: Story) -> None:
    person = story.sweep.person("administrator")
    assert seen_by(app, story, person) == {"GET /api/v1/quarantine/<uuid:quarantine_id>"}
    answer = person.get(f"/quarantine/{story.ids['quarantine_id']}")
    assert not any(word in answer.get_data(as_text=True) for word in CANARIES)
    noted = story.head.get("/audit-events", action="unmasked", account_id=str(person.account.id)).json["items"]
    assert {event["details"]["reason"] for event in noted} == {"verify"}


def test_nothing_reaches_leaders_of_another_grid_or_community(app: Flask, db: Database, story: Story) -> None:
    for role in ("grid_head", "safety_officer", "committee"):
        stranger = story.sweep.person(role, story.sweep.tree.grids[1])
        assert seen_by(app, story, stranger) == set(), role
    assert seen_by(app, story, make_sweep(app, db).person("committee")) == set()


def test_committee_sees_them_so_the_net_is_not_blind(app: Flask, story: Story) -> None:
    found = seen_by(app, story, story.head)
    assert {
        "GET /api/v1/tasks/<uuid:hazard_id>",
        "GET /api/v1/records/<uuid:record_id>",
        "GET /api/v1/work-orders/issued/<uuid:order_id>",
        "POST /sync/v1/pull",
    } <= found
    assert not found & {
        "GET /api/v1/audit-events",
        "GET /api/v1/audit-events.csv",
        "GET /api/v1/papers/<uuid:paper_id>",
        "GET /api/v1/papers/<uuid:paper_id>.html",
        "GET /metrics",
    }


@pytest.mark.parametrize("role", ["committee", "viewer"])
def test_no_refusal_repeats_what_was_typed(app: Flask, story: Story, role: str) -> None:
    net = Net()
    ask_wrongly(app, story, story.sweep.person(role), net)
    assert len(net.caught) > 60
    assert net.found() == set()


def test_nothing_at_rest_can_be_read_without_the_secret(story: Story) -> None:
    net = Net()
    rows_at_rest(story.sweep, net)
    assert {"table record", "table quarantine", "table task_step", "table audit_event"} <= {w for w, _ in net.caught}
    assert net.found() == set()


def test_no_line_was_logged_with_any_of_it(app: Flask, story: Story, logged: Log) -> None:
    """Runs on the log of all the tests above, and of calls of its own."""
    ask_wrongly(app, story, story.sweep.person("committee"), Net())
    net = Net()
    net.take("log", logged.lines())
    assert logged.lines().count("\n") > 100
    assert net.found() == set()


def leak_in_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.sync.pull.Reader._put", unmasked_put)


def unmasked_put(self: Any, entity: feed_entities.FeedEntity, row: feed_entities.FeedRow) -> dict[str, Any]:
    return {"entity": entity.name, "id": row.id, "op": "put", "rev": row.rev, "data": row.data}


def leak_at_the_office(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_details, "sees_persons", lambda *_: True)


@pytest.mark.parametrize("leak", [leak_in_the_feed, leak_at_the_office])
def test_leak_is_caught(app: Flask, story: Story, monkeypatch: pytest.MonkeyPatch, leak: Any) -> None:
    person: Person = story.sweep.person("grid_worker")
    leak(monkeypatch)
    with pytest.raises(AssertionError):
        assert seen_by(app, story, person) == set()


def test_net_sees_escaped_words() -> None:
    for emitted in (
        f'{{"a": "{CANARIES[0]}"}}',
        "%E6%AC%A7%E9%98%B3%E6%8B%82%E6%99%93",
        "\\u6b27\\u9633\\u62c2\\u6653",
    ):
        net = Net()
        net.take("x", emitted)
        assert net.found() == {"x"}
