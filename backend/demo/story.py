"""The demonstration's story, told through the public API, and the checks of what was promised."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from backend import clock
from backend.demo.community import DemoState, Person
from backend.demo.office import Office, OfficeError
from backend.demo.pictures import drawn_photo
from backend.demo.sweep import account_of, is_honest, start_campaign
from backend.http.context import Runtime
from backend.rectification import rebuild
from backend.rectification.compile import clock_offset_ms
from mobile_contract.conformance.fleet import run_fleet
from mobile_contract.conformance.options import FleetOptions, Mirror
from mobile_contract.conformance.phone import Login
from mobile_contract.conformance.report import FleetReport

PHONES, DAYS, VISITS_PER_DAY, SEED = 8, 7, 10, 7
ASSIGNED, CLOSED = 6, 4
DOCUMENTS = 4
PAPER_PATIENCE_S = 90
FIELD_ROLES = ("grid_worker", "grid_head")
IDENTITY = ("open_start", "new", "rebound", "closed", "void", "open_end")
Count = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise checked: ``ok`` False ends the demonstration with exit code 1."""

    promise: str
    what: str
    ok: bool
    detail: str


@dataclass(slots=True)
class Story:
    """What happened, as rows for a table and values for JSON."""

    fleet: FleetReport
    tasks: dict[str, int] = field(default_factory=dict)
    assigned: int = 0
    closed: int = 0
    refused: list[str] = field(default_factory=list)
    paper: dict[str, Any] = field(default_factory=dict)
    draft: dict[str, Any] = field(default_factory=dict)
    campaign: dict[str, Any] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "ok": self.ok,
            "seconds": round(self.seconds, 1),
            "fleet": self.fleet.to_json(),
            "tasks": self.tasks,
            "assigned": self.assigned,
            "closed": self.closed,
            "paper": self.paper,
            "draft": self.draft,
            "campaign": self.campaign,
            "checks": [{"promise": c.promise, "what": c.what, "ok": c.ok, "detail": c.detail} for c in self.checks],
        }


def tell(runtime: Runtime, base_url: str, state: DemoState, count: Count) -> Story:
    """A campaign starts, phones come back from a week offline, the office assigns and strikes off, papers are made."""
    began = time.monotonic()
    now_ms = _now_ms(runtime, UUID(state.community_id))
    campaign = start_campaign(_office(base_url, state.person("committee")), clock.local_day(now_ms))
    story = Story(
        run_fleet(
            fleet_options(state, base_url, count, phones=PHONES, days=DAYS, seed=SEED, visits_per_day=VISITS_PER_DAY)
        )
    )
    officer, committee = (_office(base_url, state.person(role)) for role in ("safety_officer", "committee"))
    _assign(officer, state, story, count)
    _close(committee, story, count)
    story.tasks = _count_states(committee)
    _make_papers(committee, now_ms, story, count)
    story.campaign = account_of(committee, campaign)
    _check(runtime, state, committee, story, count)
    story.seconds = time.monotonic() - began
    return story


def _office(base_url: str, person: Person) -> Office:
    return Office(base_url, person.login, person.password)


def fleet_options(state: DemoState, base_url: str, count: Count, **options: Any) -> FleetOptions:
    """A fleet of the community's field workers; the mirror community is pushed the same records in order."""
    logins, mirrored = ([Login(p.login, p.password) for p in people if p.role in FIELD_ROLES] for people in state.both)
    committee = state.person("committee")
    office = Login(committee.login, committee.password)
    return FleetOptions(base_url, logins, office=office, mirror=Mirror(mirrored), progress=count, **options)


def _assign(officer: Office, state: DemoState, story: Story, count: Count) -> None:
    """交办: the gravest registered hazards get a responsible party, measures and a date."""
    waiting = officer.pages("/api/v1/tasks", state="registered", service_gap="false")
    for done, task in enumerate(waiting[:ASSIGNED], 1):
        body = {
            "assignee_account_id": None,
            "responsible_party": "住户",
            "measures": "限期整改，整改前落实临时防范",
            "deadline_ms": int(task["deadline"]["ms"]) + 7 * clock.DAY_MS,
            "severity": task["severity"],
            "funds": "住户自筹",
            "plan": "专人看守，备灭火器材",
        }
        story.assigned += _try_step(officer, task, "assign", body, story)
        count("office assigns", done, ASSIGNED)


def _close(committee: Office, story: Story, count: Count) -> None:
    """复查销号: hazards whose re-visit saw them gone, by somebody who did not report them."""
    for task in committee.pages("/api/v1/tasks", state="review"):
        if story.closed >= CLOSED:
            break
        full = committee.get(f"/api/v1/tasks/{task['id']}")
        if "close" in full["may"] and full["revisit_id"]:
            photo = committee.put_photo(drawn_photo(story.closed))
            body = {
                "revisit_id": full["revisit_id"],
                "basis": [visit["visit_id"] for visit in full["history"]["visits"]],
                "note": "已现场复查",
                "evidence": [{"kind": item["code"], "attachments": [photo]} for item in full["evidence"]],
            }
            story.closed += _try_step(committee, full, "close", body, story)
        count("office strikes off", story.closed, CLOSED)


def _try_step(office: Office, task: dict[str, Any], kind: str, body: dict[str, Any], story: Story) -> int:
    try:
        office.post(f"/api/v1/tasks/{task['id']}/{kind}", body, rev=task["rev"])
    except OfficeError as error:
        story.refused.append(f"{kind} {task['number']}: {error}")
        return 0
    return 1


def _count_states(office: Office) -> dict[str, int]:
    states: dict[str, int] = {}
    for task in office.pages("/api/v1/tasks"):
        states[task["state"]] = states.get(task["state"], 0) + 1
    return dict(sorted(states.items()))


def _make_papers(committee: Office, now_ms: int, story: Story, count: Count) -> None:
    """The paper of the week that was played, issued; and a draft of the week that has begun, with the office's work."""
    today = clock.local_day(now_ms)
    count("papers", 0, 2)
    story.paper = _make_paper(committee, today - timedelta(days=7))
    if story.paper["state"] == "draft":
        committee.post(f"/api/v1/papers/{story.paper['id']}/issue", {})
        story.paper = _shown(committee.get(f"/api/v1/papers/{story.paper['id']}"))
    count("papers", 1, 2)
    story.draft = _make_paper(committee, today)
    count("papers", 2, 2)


def _make_paper(committee: Office, day: date) -> dict[str, Any]:
    asked = committee.post("/api/v1/papers", {"kind": "weekly", "period_start": day.isoformat()})
    path = f"/api/v1/papers/{asked['id']}"
    return _shown(committee.wait_for(path, lambda paper: paper["state"] != "queued", PAPER_PATIENCE_S))


def _shown(paper: dict[str, Any]) -> dict[str, Any]:
    shown = {name: paper[name] for name in ("id", "number", "state", "sha256", "seal_holds")}
    return {**shown, "figures": (paper["content"] or {}).get("figures", {})}


def _now_ms(runtime: Runtime, community_id: UUID) -> int:
    with runtime.db.transaction([community_id]) as session:
        return clock.now_ms(clock_offset_ms(session, community_id))


def _check(runtime: Runtime, state: DemoState, committee: Office, story: Story, count: Count) -> None:
    checks = story.checks
    checks += [Check(c.promise, c.name, c.ok is not False, c.detail) for c in story.fleet.checks]
    checks += [Check("P1", "no phone gave up", not story.fleet.troubles, "; ".join(story.fleet.troubles[:3]) or "none")]
    checks.append(_check_rebuild(runtime, UUID(state.community_id), count))
    for paper in (story.paper, story.draft):
        checks.append(_check_identity(paper))
        checks.append(_check_receipts(committee, paper))
    total = story.campaign["total"]
    detail = f"{total['target']}={total['settled']}+{total['outstanding']}, {story.campaign['named']} named"
    checks.append(Check("P4", "doors = settled + missed, each missed one named", is_honest(story.campaign), detail))
    issued = story.paper["state"] == "issued" and story.paper["seal_holds"]
    checks.append(Check("P5", "the paper is issued and its seal holds", bool(issued), str(story.paper["number"])))
    checks.append(_check_documents(committee, story.paper))
    worked = story.assigned > 0 and story.closed > 0
    detail = f"{story.assigned} assigned, {story.closed} struck off" + "".join(f"; {r}" for r in story.refused[:2])
    checks.append(Check("P6", "the office assigned and struck off through the API", worked, detail))


def _check_rebuild(runtime: Runtime, community_id: UUID, count: Count) -> Check:
    report = rebuild.check(runtime, community_id, lambda done, total: count("rebuild --check", done, total))
    differences = report.differences.total()
    detail = f"{report.places} places, {differences} differences" + "".join(f"; {s}" for s in report.shown[:3])
    return Check("P3", "the projections are what the facts say", differences == 0, detail)


def _check_identity(paper: dict[str, Any]) -> Check:
    """期初未销号 + 新增 + 反弹 − 销号 − 撤销 = 期末未销号."""
    figures, what = paper["figures"], f"{paper['number']}: 期初+新增+反弹−销号−撤销=期末"
    if not all(key in figures for key in IDENTITY):
        return Check("P5", what, False, f"the paper is {paper['state']}")
    start, new, back, closed, void, end = (figures[key] for key in IDENTITY)
    detail = f"{start}+{new}+{back}−{closed}−{void}={end}"
    return Check("P5", what, start + new + back - closed - void == end, detail)


def _check_documents(office: Office, paper: dict[str, Any]) -> Check:
    """HTML, PDF, DOCX and the ledger as XLSX, made by the worker."""
    path = f"/api/v1/papers/{paper['id']}"
    made = office.wait_for(path, lambda found: len(found["documents"]["files"]) == DOCUMENTS, PAPER_PATIENCE_S)
    files = {file["format"]: file["size"] for file in made["documents"]["files"]}
    detail = ", ".join(f"{name} {size // 1024} KB" for name, size in files.items()) or "none"
    return Check("P5", f"{paper['number']}: its documents are made", len(files) == DOCUMENTS, detail)


def _check_receipts(office: Office, paper: dict[str, Any]) -> Check:
    wrong = without_receipts(office, paper["id"], paper["figures"])
    detail = str(wrong) if wrong else f"{len(paper['figures'])} figures"
    return Check("P5", f"{paper['number']}: every figure opens to its rows", not wrong, detail)


def without_receipts(office: Office, paper_id: str, figures: Mapping[str, int]) -> list[str]:
    """Figures of a paper whose rows do not add up to them; a row counts for as many as it says, or for one."""
    path = f"/api/v1/papers/{paper_id}/figures"
    amounts = {key: sum(_amount(row) for row in office.pages(f"{path}/{key}/rows")) for key in figures}
    return [f"{key}: {amounts[key]} of {value}" for key, value in figures.items() if amounts[key] != value]


def _amount(row: dict[str, Any]) -> int:
    return 1 if row["amount"] is None else int(row["amount"])
