"""Short stories about one place, told in days, and what the product's fold makes of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tests.factories.records import CHARGING_EBIKE, CLEAR_EBIKE, PARKED_EBIKE
from tests.hazards.histories import PEOPLE, PHONES, PLACES, RULES, START, History
from tests.hazards.oracle import DAY, Chain
from tests.hazards.system import fold_history

HOME, OTHER = PLACES[0], PLACES[1]
WORKER, HEAD, OFFICER, SECOND_WORKER = PEOPLE
COMMUNITY = str(UUID(int=77))
ROUTE: Chain = (HOME, "EBC-ROUTE", "STAIR/3")
ROLE_OF = {WORKER: "grid_worker", HEAD: "grid_head", OFFICER: "safety_officer", SECOND_WORKER: "grid_worker"}
PARKED, CHARGING, CLEAR = dict(PARKED_EBIKE), dict(CHARGING_EBIKE), dict(CLEAR_EBIKE)
Answers = Mapping[str, Any]


def day(number: float) -> int:
    """Noon in Shanghai, ``number`` days after the start."""
    return (START + 8 * 3_600_000) // DAY * DAY + 4 * 3_600_000 + int(number * DAY)


def end_of(number: float) -> int:
    """The last millisecond of that day in Shanghai."""
    return day(number) + 12 * 3_600_000 - 1


class Story:
    """Every method adds a fact and returns its id; ``hazards`` folds all of them."""

    def __init__(self, **family: str) -> None:
        self.history: History = {
            **{name: [] for name in ("records", "console", "overrides", "reassessments")},
            "rules": RULES,
            "family": family,
        }
        self.made = 0

    def _id(self) -> str:
        self.made += 1
        return str(UUID(int=0xD000 << 80 | self.made, version=4))

    def record(self, kind: str, at: float, author: str, body: Any, **more: Any) -> str:
        record = {
            **{"id": self._id(), "type": kind, "ms": day(at), "install": PHONES[0], "seq": self.made},
            **{"author": author, "role": ROLE_OF[author], "amends": None, "voids": None, "reason": None},
            "visit" if kind == "visit" else "step": body,
            **more,
        }
        self.history["records"].append(record)
        return str(record["id"])

    def visit(
        self,
        at: float,
        *answers: Answers,
        form: str = "ebike_charging",
        place: str = HOME,
        outcome: str = "done",
        fixed: Sequence[str] = (),
        author: str = WORKER,
        **more: Any,
    ) -> str:
        blocks = [{"form": form, "place": place, "answers": said, "fixed": list(fixed)} for said in answers]
        return self.record("visit", at, author, {"place": place, "outcome": outcome, "blocks": blocks}, **more)

    def void(self, at: float, record_id: str, author: str = WORKER, **more: Any) -> str:
        kind = next(r["type"] for r in self.history["records"] if r["id"] == record_id)
        return self.record(kind, at, author, None, voids=record_id, **more)

    def step(self, at: float, kind: str, actor: str = OFFICER, chain: Chain = ROUTE, **fields: Any) -> str:
        """A step taken on a phone; ``assign`` and ``close`` get what they need unless it is given."""
        if kind == "assign":
            fields = {"severity": "orange", "deadline_ms": day(at + 3), **fields}
        body = {"kind": kind, "chain": chain, "place": chain[0], **fields}
        return self.record("task_step", at, actor, body)

    def console(self, at: float, kind: str, actor: str = OFFICER, chain: Chain = ROUTE, **fields: Any) -> str:
        """A step taken at the console."""
        if kind == "assign":
            fields = {"severity": "orange", "deadline_ms": day(at + 3), **fields}
        step = {"id": self._id(), "ms": day(at), "author": actor, "role": ROLE_OF[actor]}
        self.history["console"].append({**step, "step": {"kind": kind, "chain": chain, "place": chain[0], **fields}})
        return str(step["id"])

    def override(self, at: float, rule: str, enabled: bool = True, due: str | None = None) -> None:
        said = {"id": self._id(), "rule": rule, "from": day(at), "enabled": enabled, "due": due}
        self.history["overrides"].append(said)

    def reassess(self, at: float, form: str = "ebike_charging", version: int = 2) -> str:
        fact = {"id": self._id(), "form": form, "version": version, "ms": day(at)}
        self.history["reassessments"].append(fact)
        return str(fact["id"])

    def worked_off(self, at: float = 1) -> None:
        """Assigned, accepted and reported as put right by the worker, within a day."""
        for n, (kind, actor) in enumerate((("assign", HEAD), ("accept", WORKER), ("submit", WORKER))):
            self.step(at + n / 4, kind, actor)

    def hazards(self, as_of: float = 60) -> dict[Chain, dict[str, Any]]:
        return fold_history(self.history, COMMUNITY, day(as_of))[0]

    def hazard(self, chain: Chain = ROUTE, as_of: float = 60) -> dict[str, Any]:
        return self.hazards(as_of)[chain]

    def why(self, step_id: str) -> str | None:
        """Why a step does not apply; None when it does."""
        return fold_history(self.history, COMMUNITY, day(60))[1][step_id]


def path(hazard: dict[str, Any]) -> list[str]:
    """The steps a hazard went through."""
    return [change[1] for change in hazard["changes"]]
