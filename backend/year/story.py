"""The year as it is told: phones and office through the public API, then the paper and the checks of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from backend.demo.community import Person
from backend.demo.office import Office
from backend.demo.story import IDENTITY, Check, without_receipts
from backend.evacuations import rebuild as houses
from backend.http.context import Runtime
from backend.rectification import rebuild
from backend.year.community import Codes, YearCommunity
from backend.year.diary import Diary
from backend.year.field import Field
from backend.year.homes import plan_homes
from backend.year.life import dangerous_houses, plan_life
from backend.year.office import Houses, annual_paper, start_sweeps
from backend.year.phones import YearPhones
from backend.year.report import Printed, figures_of, printed_lines
from backend.year.sweeps import plan_sweeps

SEED = 2022
Count = Callable[[str, int, int], None]


@dataclass(slots=True)
class YearStory:
    """What came of the year, as rows for a table and values for JSON."""

    records: int = 0
    refused: int = 0
    paper: dict[str, Any] = field(default_factory=dict)
    lines: list[Printed] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "ok": all(line.ok for line in self.lines) and all(check.ok for check in self.checks),
            "seconds": round(self.seconds, 1),
            "records": self.records,
            "refused": self.refused,
            "paper": self.paper,
            "lines": [line._asdict() for line in self.lines],
            "checks": [{"promise": c.promise, "what": c.what, "ok": c.ok, "detail": c.detail} for c in self.checks],
        }


def tell_year(runtime: Runtime, base_url: str, community: YearCommunity, count: Count) -> YearStory:
    """Play the year, ask for its paper and check what it says."""
    began, story = time.monotonic(), YearStory()
    carriers = [person for person in community.people if person.role != "viewer"]
    phones = YearPhones(base_url, carriers, SEED, count)
    try:
        committee, officer = (_office(base_url, community.of(role)[0]) for role in ("committee", "safety_officer"))
        codes, places = Codes.all(), phones.places(community.of("committee")[0])
        start_sweeps(committee, codes, places, count)
        plan = Field(Diary(community.community_id, places, Random(SEED)), community, codes)
        for part in (plan_sweeps, plan_homes, plan_life):
            part(plan)
        phones.write(plan.diary)
        phones.push()
        story.records, story.refused = len(phones.records()), len(phones.refused())
    finally:
        phones.close()
    emptying = Houses(officer, codes, places)
    grave = dangerous_houses(plan)
    for done, (code, grade) in enumerate(grave.items(), 1):
        emptying.empty(code, grade)
        count("dangerous houses", done, len(grave))
    count("the annual paper", 0, 1)
    paper = annual_paper(committee)
    count("the annual paper", 1, 1)
    _judge(runtime, committee, community, story, paper, count)
    story.seconds = time.monotonic() - began
    return story


def _office(base_url: str, person: Person) -> Office:
    return Office(base_url, person.login, person.password)


def _judge(
    runtime: Runtime, office: Office, community: YearCommunity, story: YearStory, paper: dict[str, Any], count: Count
) -> None:
    content = paper["content"] or {"figures": {}, "sections": [], "data": {}}
    values = content["figures"]
    story.paper = {
        **{name: paper[name] for name in ("id", "number", "state")},
        "figures": values,
        "said": [
            "".join(_text(part) for part in block["parts"])
            for section in content["sections"]
            if section["heading"].startswith("五、")
            for block in section["blocks"]
        ],
    }
    story.lines = printed_lines(values)
    checks = story.checks
    checks.append(Check("P1", "every record of the year is stored", story.refused == 0, f"{story.records} records"))
    wrong = without_receipts(office, paper["id"], figures_of(values))
    checks.append(Check("P5", "every figure of the year opens to its rows", not wrong, "; ".join(wrong) or "all"))
    start, new, back, closed, void, end = (values.get(key, 0) for key in IDENTITY)
    detail = f"{start}+{new}+{back}−{closed}−{void}={end}"
    checks.append(Check("P5", "期初+新增+反弹−销号−撤销=期末", start + new + back - closed - void == end, detail))
    late = {name: number for name, number in content["data"].items() if number}
    checks.append(Check("P5", "nothing of the year waits outside the paper", not late, str(late or "nothing")))
    report = rebuild.check(runtime, community.community_id, lambda done, total: count("rebuild --check", done, total))
    houses.check(runtime, community.community_id, report)
    differences = report.differences.total()
    detail = f"{report.places} places, {differences} differences" + "".join(f"; {s}" for s in report.shown[:3])
    checks.append(Check("P3", "the projections are what the facts say", differences == 0, detail))


def _text(part: Any) -> str:
    return part if isinstance(part, str) else str(part["value"])
