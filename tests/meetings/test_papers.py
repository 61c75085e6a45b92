"""Papers from request to issue: one snapshot, a seal, corrections by the next one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from backend.clock import DAY_MS
from backend.db import Database, new_id
from backend.identity.models import Community
from backend.jobs import ledger
from backend.jobs.models import Job
from backend.meetings import errors, making, service
from backend.meetings.models import Paper
from backend.meetings.periods import period_at
from backend.meetings.seals import verify_paper
from backend.meetings.sentences import plain
from backend.sync.models import Quarantine
from tests.factories.meetings import Call, Door, History, Life
from tests.meetings.conftest import WEEK, Office, run_sql

HOUR = 3_600_000
START, END = WEEK.start_ms, WEEK.end_ms
NEXT = period_at("weekly", END)
NEXT_BUT_ONE = period_at("weekly", NEXT.end_ms)


def a_week() -> History:
    """A door, a visit, two hazards: one open and grave, one struck off."""
    building = Door("building", name="3栋")
    home = Door("household", building=building, name="501室")
    lives = [
        Life(home, [("registered", START + 5, 1)], "red", deadline_ms=START + DAY_MS, rules=("EBC-01",)),
        Life(home, [("registered", START + 6, 1), ("review", START + 7, 1), ("closed", START + 8, 1)]),
    ]
    return History([building, home], [Call(home, START + 5), long_ago(home)], lives)


def long_ago(door: Door) -> Call:
    """A visit that makes no period of the tests the first."""
    return Call(door, START - 100 * DAY_MS)


def text_of(content: dict[str, Any]) -> str:
    """All sentences and cells of a paper."""
    said = []
    for section in [*content["sections"], *content["annexes"]]:
        said.append(section["heading"])
        for block in section["blocks"]:
            said.append(plain(block["parts"]) if "parts" in block else block.get("text", ""))
            said += [plain([cell]) for row in block.get("rows", []) for cell in row]
    return "\n".join(said)


def test_says_the_sentences_of_a_week(office: Office) -> None:
    week = a_week()
    office.write(week)
    content = office.paper(office.make()).content or {}
    said = text_of(content)
    assert content["title"] == "福泉社区安全隐患排查整治工作周报"
    assert content["number"] == "〔2026〕第47期"
    assert "本周共排查0栋1户、场所0家，完成率50%，未见面0户。" in said
    assert "新增隐患2处，其中重大1处；整改销号1处，逾期1处，移交0处；期末未销号1处。" in said
    assert "期初未销号0处 + 新增2处 + 反弹0处 − 销号1处 − 撤销0处 = 期末未销号1处" in said
    assert "新增隐患2处，较上周增加2处；" in said
    assert "新增隐患（重大）1处，较上周增加1处；" in said
    assert week.lives[0].number in said
    assert "高层公共部位违规充电" in said
    assert "501" not in said
    assert "疑似重大" in said


def test_says_an_empty_week_without_percentages(office: Office) -> None:
    door = Door("unit")
    office.write(History([door], [long_ago(door)]))
    content = office.paper(office.make()).content or {}
    said = text_of(content)
    assert "本周共排查0栋0户、场所0家，完成率—，未见面0户。" in said
    assert "本周无走访记录。" in said
    assert "与上周持平" in said
    assert "本周无民生服务记录。" in said
    assert "%" not in said
    assert content["identity"]["holds"]
    assert content["reconciliation"] is None


def test_compares_a_first_week_with_nothing(office: Office) -> None:
    door = Door()
    office.write(History([door], [], [Life(door, [("registered", START + 1, 1)])]))
    said = text_of(office.paper(office.make()).content or {})
    assert "本期为首期，上周无记录，不作对比。" in said
    assert "较上周" not in said


def test_compares_with_the_week_before(office: Office) -> None:
    door = Door()
    moments = [START - DAY_MS] * 4 + [START + 1] * 3
    office.write(History([door], [], [Life(door, [("registered", at, 1)]) for at in moments]))
    assert "新增隐患3处，较上周减少1处（25%）" in text_of(office.paper(office.make()).content or {})


def test_makes_a_draft_again_with_what_came_late(office: Office) -> None:
    office.write(a_week())
    first = office.make()
    door = Door()
    office.write(History([door], [], [Life(door, [("registered", START + 1, 1)])]))
    again = office.make()
    assert again == first
    assert office.paper(again).content["figures"]["new"] == 3  # type: ignore[index]


def test_keeps_an_issued_paper_and_states_corrections_in_the_next(office: Office) -> None:
    office.write(a_week())
    first = office.issued()
    before = office.paper(first)
    printed, page = orjson.dumps(before.content), office.documents(first)
    door = Door()
    late = [Life(door, [("registered", START + 1, 1)], "yellow", deadline_ms=END + DAY_MS)]
    office.write(History([door], [], late))
    assert office.make() == first
    second = office.issued(NEXT)
    after, following = office.paper(first), office.paper(second).content or {}
    assert (orjson.dumps(after.content), office.documents(first)) == (printed, page)
    [correction] = following["corrections"]
    assert correction["number"] == "〔2026〕第47期"
    changed = {entry["key"]: (entry["printed"], entry["now"]) for entry in correction["entries"]}
    assert changed["new"] == (2, 3)
    assert changed["open_end.ebike_charging.yellow"] == (0, 1)
    assert "closed" not in changed
    assert following["figures"]["open_start"] == 2
    said = text_of(following)
    assert "期末未销号1处，与本期期初2处不符，系下列迟到记录所致。" in said
    assert "新增隐患（一般）\n0\n1" in said
    third = office.paper(office.make(NEXT_BUT_ONE)).content or {}
    assert third["corrections"] == []
    assert "与本期期初2处相符" in text_of(third)


def test_seals_an_issued_paper_with_its_receipts(office: Office, db: Database) -> None:
    office.write(a_week())
    paper_id = office.issued()
    paper = office.paper(paper_id)
    with db.transaction([office.community]) as session:
        assert verify_paper(session, paper)
        content = {**(paper.content or {}), "title": "另一个标题"}
        assert not verify_paper(
            session, Paper(community_id=office.community, id=paper_id, content=content, sha256=paper.sha256)
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE paper SET state = 'draft'",
        "DELETE FROM paper",
        "UPDATE paper_figure SET value = value + 1",
        "DELETE FROM paper_figure WHERE key = 'new'",
        "DELETE FROM paper_figure_row",
        "UPDATE paper_figure_row SET at_ms = 0",
        "INSERT INTO paper_figure SELECT community_id, id, 'bribe', 1, 'hazard' FROM paper",
    ],
)
def test_refuses_to_change_an_issued_paper_in_the_database(office: Office, owner: Database, statement: str) -> None:
    office.write(a_week())
    office.issued()
    for role in (office.db, owner):
        with pytest.raises(IntegrityError, match="an issued paper never changes"):
            run_sql(role, office.community, statement)


def test_issues_no_paper_twice_nor_too_early_nor_unmade(office: Office) -> None:
    queued = office.request()
    with pytest.raises(errors.PaperNotReady):
        office.issue(queued)
    office.make()
    with pytest.raises(errors.PeriodNotOver):
        office.issue(queued, END - 1)
    office.issue(queued)
    with pytest.raises(errors.PaperIssued):
        office.issue(queued)
    with office.db.transaction([office.community]) as session, pytest.raises(errors.PeriodNotBegun):
        service.request_paper(session, office.community, WEEK, START - 1)


def test_issues_no_paper_whose_identity_does_not_hold(office: Office) -> None:
    door = Door()
    office.write(History([door], [], [Life(door, [("registered", START + 1, 1)])]))
    # A defect of the projection: a change without the change before it.
    run_sql(office.db, office.community, "UPDATE transition SET from_state = 'registered', to_state = 'assigned'")
    paper_id = office.make()
    assert "核对不符（推算为0处），不得印发" in text_of(office.paper(paper_id).content or {})
    with pytest.raises(errors.IdentityBroken):
        office.issue(paper_id)


def test_waits_for_compile_jobs_older_than_the_request_only(office: Office) -> None:
    cid = office.community
    with office.db.transaction([cid]) as session:
        ledger.want(session, "compile", cid, ["a place"])
        ledger.want(session, "compile", cid, ["tomorrow"], run_after=datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(errors.CompilePending):
        office.make()
    run_sql(
        office.db, cid, "UPDATE job SET attempts = 1, run_after = now() + interval '1 hour' WHERE subject = 'a place'"
    )
    with pytest.raises(errors.CompilePending):
        office.make()
    run_sql(office.db, cid, "UPDATE job SET done = wanted WHERE subject = 'a place' AND community_id = :cid", cid=cid)
    paper_id = office.request()
    with office.db.transaction([cid]) as session:
        ledger.want(session, "compile", cid, ["newer"])
        ledger.want(session, "compile", cid, ["dead"])
        row = {
            "community_id": cid,
            "id": new_id(),
            "sha256": b"",
            "bytes": 1,
            "code": "bad",
            "errors": [],
            "state": "held",
        }
        session.execute(insert(Quarantine), [row])
    run_sql(office.db, cid, "UPDATE job SET dead_at = now() WHERE subject = 'dead' AND community_id = :cid", cid=cid)
    with office.db.transaction([cid], isolation="REPEATABLE READ") as session:
        making.make_paper(session, office.runtime, cid, paper_id)
    content = office.paper(paper_id).content or {}
    assert content["data"] == {"pending": 1, "failed": 1, "waiting": 0, "quarantined": 1}
    assert "1处地点的新记录待汇总，1处地点汇总失败，0条记录待补资料，1条记录在隔离区" in text_of(content)


def test_refuses_to_make_a_paper_outside_one_snapshot(office: Office) -> None:
    paper_id = office.request()
    with office.db.transaction([office.community]) as session, pytest.raises(RuntimeError, match="REPEATABLE READ"):
        making.make_paper(session, office.runtime, office.community, paper_id)


def test_asks_for_each_due_paper_once(office: Office) -> None:
    cid = office.community

    def beat(now_ms: int) -> list[UUID]:
        with office.db.transaction([cid]) as session:
            return service.due_papers(session, office.runtime, cid, now_ms)

    with office.db.transaction([cid]) as session:
        community = session.get_one(Community, cid)
        born_ms = int(community.created_at.timestamp() * 1000) + community.clock_offset_ms
    first = period_at("weekly", born_ms)
    assert beat(first.end_ms + 6 * HOUR - 1) == []
    [paper_id] = beat(first.end_ms + 6 * HOUR)
    assert beat(first.end_ms + 6 * HOUR + 1) == []
    assert office.paper(paper_id).period_start_ms == first.start_ms
    with office.db.transaction() as session:
        slots = session.scalars(select(Job.subject).where(Job.community_id == cid, Job.kind == "schedule")).all()
    assert f"paper:weekly:{first.slot}" in slots
    assert ("paper", cid) in office.runtime.doorbell.rung  # type: ignore[attr-defined]
