"""Minutes: drafted over an issued paper, issued once; their decisions are tasks and come back in the next paper."""

from datetime import date
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.app import create_app
from backend.clock import DAY_MS, local_day
from backend.db import Database
from backend.meetings import decisions
from backend.meetings.decisions import Standing, stand
from backend.meetings.models import DecisionStep
from backend.meetings.periods import period_at
from backend.settings import Settings
from tests.factories.identity import AccountFixture, make_account, sign_in
from tests.meetings.conftest import WEEK, Office, SilentBell, run_sql
from tests.meetings.test_papers import a_week, text_of

NEXT = period_at("weekly", WEEK.end_ms)
TEXT = "清理3栋消防通道，联系13800138000"


@pytest.fixture(scope="module")
def client(settings: Settings, db: Database) -> FlaskClient:
    return create_app(settings, db, SilentBell()).test_client()


class Member:
    """Somebody signed in."""

    def __init__(self, client: FlaskClient, account: AccountFixture) -> None:
        self.client, self.account, self.headers = client, account, sign_in(client, account)

    def ask(self, method: str, path: str, status: int, body: Any = None) -> Any:
        answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers=self.headers)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.json if answer.is_json else answer.data


@pytest.fixture
def committee(client: FlaskClient, office: Office) -> Member:
    return Member(client, make_account(office.db, office.community, "committee", name="田大禾"))


@pytest.fixture
def worker(client: FlaskClient, office: Office) -> Member:
    return Member(client, make_account(office.db, office.community, "grid_worker", name="石小满"))


def minutes_body(owner_id: UUID | None = None, **changed: Any) -> dict[str, Any]:
    due = local_day(NEXT.end_ms).isoformat()
    decided = [
        {"text": TEXT, "owner": "石小满", "owner_id": str(owner_id) if owner_id else None, "due": due},
        {"text": "向街道申请充电设施", "owner": "王建国", "due": local_day(WEEK.end_ms).isoformat()},
    ]
    body: dict[str, Any] = {"held_ms": WEEK.end_ms + DAY_MS // 2, "place": "社区会议室", "chair": "田大禾"}
    body |= {"attendees": ["石小满", "喆㼆"]}
    return {**body, "topics": "通报本周排查情况。", "decisions": decided, **changed}


def test_minutes_are_drafted_issued_and_become_tasks(office: Office, committee: Member, worker: Member) -> None:
    office.write(a_week())
    paper_id = office.make()
    path = f"/papers/{paper_id}/minutes"
    committee.ask("GET", path, 404)
    assert committee.ask("PUT", path, 409, minutes_body())["code"] == "minutes_paper_open"
    office.issue(paper_id)
    assert committee.ask("PUT", path, 422, minutes_body(uuid4()))["code"] == "decision_owner_unknown"
    committee.ask("PUT", path, 200, minutes_body())
    draft = committee.ask("PUT", path, 200, minutes_body(worker.account.id))
    assert (draft["state"], len(draft["content"]["decisions"])) == ("draft", 2)
    assert committee.ask("GET", "/decisions", 200)["items"] == []
    issued = committee.ask("POST", f"{path}/issue", 200)
    assert (issued["state"], len(issued["sha256"])) == ("issued", 64)
    assert committee.ask("PUT", path, 409, minutes_body())["code"] == "minutes_issued"
    assert committee.ask("POST", f"{path}/issue", 409)["code"] == "minutes_issued"
    assert {one["text"] for one in committee.ask("GET", "/decisions", 200)["items"]} == {TEXT, "向街道申请充电设施"}
    [mine] = worker.ask("GET", "/decisions", 200)["items"]
    assert (mine["text"], mine["owner"], mine["state"]) == (TEXT, "石小满", "open")
    for kind in ("pdf", "docx"):
        assert committee.ask("GET", f"{path}.{kind}", 200) == committee.ask("GET", f"{path}.{kind}", 200)
        worker.ask("GET", f"{path}.{kind}", 403)


def decided(office: Office, committee: Member, owner: Member) -> dict[str, str]:
    """Issues a paper and minutes over it; decision ids by text."""
    office.write(a_week())
    paper_id = office.issued()
    committee.ask("PUT", f"/papers/{paper_id}/minutes", 200, minutes_body(owner.account.id))
    committee.ask("POST", f"/papers/{paper_id}/minutes/issue", 200)
    return {one["text"]: one["id"] for one in committee.ask("GET", "/decisions", 200)["items"]}


def test_decisions_come_back_in_the_next_paper(office: Office, committee: Member, worker: Member) -> None:
    ids = decided(office, committee, worker)
    worker.ask("POST", f"/decisions/{ids[TEXT]}/steps", 200, {"kind": "done", "note": "已清理，301室配合"})
    said = text_of(office.paper(office.make(NEXT)).content or {})
    assert "以前会议议定事项落实情况" in said
    assert "清理3栋消防通道，联系138****8000\n石小满" in said
    assert "已完成\n已清理，***室配合" in said
    assert "向街道申请充电设施\n王*" in said
    assert "逾期未完成" in said
    assert "上次议定事项1项到期未完成" in said
    assert "落实议定事项：向街道申请充电设施" in said
    assert "落实议定事项：清理3栋消防通道" not in said


def test_decision_is_reported_on_by_its_owner_and_moved_by_the_committee(
    office: Office, committee: Member, worker: Member
) -> None:
    ids = decided(office, committee, worker)
    own, other = f"/decisions/{ids[TEXT]}/steps", f"/decisions/{ids['向街道申请充电设施']}/steps"
    worker.ask("POST", other, 404, {"kind": "done", "note": "不是我的"})
    worker.ask("POST", own, 403, {"kind": "dropped", "note": "不想做"})
    assert committee.ask("POST", own, 422, {"kind": "postponed", "note": "下雨"})["code"] == "decision_due_missing"
    later = {"kind": "postponed", "note": "下雨", "due": "2040-01-09"}
    assert committee.ask("POST", own, 200, later)["due"] == "2040-01-09"
    assert worker.ask("POST", own, 200, {"kind": "done", "note": "已办"})["state"] == "done"
    assert worker.ask("POST", own, 409, {"kind": "done", "note": "再办"})["code"] == "decision_step_unfit"
    reopened = committee.ask("POST", own, 200, {"kind": "reopened", "note": "又堵了"})
    assert (reopened["state"], reopened["due"], reopened["rev"]) == ("open", "2040-01-09", 4)
    assert committee.ask("POST", own, 200, {"kind": "dropped", "note": "另案处理"})["state"] == "dropped"


def test_names_and_numbers_are_sealed_and_masked_to_readers(
    office: Office, committee: Member, worker: Member, client: FlaskClient
) -> None:
    decided(office, committee, worker)
    viewer = Member(client, make_account(office.db, office.community, "viewer"))
    seen = viewer.ask("GET", "/decisions", 200)["items"]
    assert {one["owner"] for one in seen} == {"石小满", "王*"}
    assert "13800138000" not in str(seen)
    with office.db.transaction([office.community]) as session:
        for table in ("minutes", "decision"):
            for sealed in session.scalars(text(f"SELECT sealed FROM {table}")):
                assert "王建国".encode() not in sealed


@pytest.mark.parametrize("statement", ["UPDATE minutes SET held_ms = 0", "DELETE FROM minutes"])
def test_refuses_to_change_issued_minutes_in_the_database(
    office: Office, committee: Member, worker: Member, statement: str
) -> None:
    decided(office, committee, worker)
    with pytest.raises(IntegrityError, match="issued minutes never change"):
        run_sql(office.db, office.community, statement)


def a_step(kind: str, at_ms: int, due: date | None = None) -> DecisionStep:
    return DecisionStep(id=uuid4(), kind=kind, effective_ms=at_ms, due=due)


STEPS = [a_step("postponed", 1, date(2026, 2, 1)), a_step("done", 2), a_step("reopened", 3), a_step("done", 4)]


def check_any_order() -> None:
    """Whatever order steps are read in, the decision stands the same."""
    due = date(2026, 1, 9)
    for steps in permutations(STEPS):
        assert decisions.stand(due, steps) == Standing("done", date(2026, 2, 1), 4)


def test_stand_in_any_order_is_the_same() -> None:
    check_any_order()


def test_stand_as_steps_arrive_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "sorted", lambda found, key: list(found), raising=False)
    with pytest.raises(AssertionError):
        check_any_order()


def test_stand_ignores_a_step_that_does_not_fit() -> None:
    assert stand(date(2026, 1, 9), [a_step("reopened", 1)]) == Standing("open", date(2026, 1, 9), None)
