"""A dangerous house of tests: what the office records about it. People and bodies are invented."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend import clock
from tests.factories.sweeps import DAY_MS, Person, Sweep

APPRAISAL = {
    "grade": "D",
    "appraiser": "衡正房屋鉴定所",
    "report_no": "HZ-2026-018",
    "reported_on": "2026-11-20",
    "danger_parts": "承重墙贯通开裂",
}


def notice_to_leave(**changed: Any) -> dict[str, Any]:
    """What the office adds for a 危房劝离通知书."""
    return {
        "addressee": "王建国",
        "owner": "王建国",
        "deadline_ms": clock.now_ms() + DAY_MS,
        "resettlement": "投亲、租房或入住街道安置点",
        "contact": "石小满 0735-2220000",
        "help": "社区派人协助搬运",
        "utilities": "请自行关闭水电气总阀，带好贵重物品",
        "street": "下湄桥街道办事处",
        **changed,
    }


@dataclass
class House:
    """The first building of a sweep, with an officer and a street clerk who record about it."""

    sweep: Sweep
    officer: Person
    street: Person

    @property
    def id(self) -> UUID:
        return self.sweep.tree.buildings[0]

    @property
    def homes(self) -> list[UUID]:
        return [h for h in self.sweep.tree.households if self.sweep.tree.building_of[h] == self.id]

    def record(self, kind: str, *, by: Person | None = None, **body: Any) -> Any:
        """The answer to recording a fact."""
        said = {**APPRAISAL, **body} if kind == "appraised" else body
        return (by or self.officer).post(f"/dangerous-houses/{self.id}/{kind}", said)

    def done(self, kind: str, **body: Any) -> dict[str, Any]:
        """The house after a fact that must apply."""
        answer = self.record(kind, **body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.json)

    def now(self) -> dict[str, Any]:
        """The house as it stands."""
        answer = self.officer.get(f"/dangerous-houses/{self.id}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.json)

    def notice(self, **changed: Any) -> dict[str, Any]:
        """A notice to leave that was issued."""
        answer = self.officer.post(f"/dangerous-houses/{self.id}/notice", notice_to_leave(**changed))
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.json)


def make_house(sweep: Sweep) -> House:
    return House(sweep, sweep.person("safety_officer"), sweep.person("street"))
