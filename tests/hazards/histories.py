"""Random histories as plain data: visits through four forms, corrections, steps, and changes of the rules.

Most of a history follows the life of a few hazards, with things left out, doubled and mistaken; the rest is noise.
Anything with ``random.Random``'s methods will do: Hypothesis's draws (which shrink) or a seeded one.
"""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from tests.hazards.judging import TABLES, result_of
from tests.hazards.oracle import DAY, HOUR, NIL, Oracle, hazard_of, locus_of

History = dict[str, Any]
START = 1_794_000_000_000
#: The second version of the e-bike rules judges from here on.
SECOND_MS = START + 20 * DAY
PLACES = [str(UUID(int=0x7000 << 80 | n, version=4)) for n in range(1, 4)]
PEOPLE = [str(UUID(int=0xA000 << 80 | n, version=4)) for n in range(4)]
PHONES = [str(UUID(int=0xB000 << 80 | n, version=4)) for n in range(2)]
PHOTO = str(UUID(int=0xE000 << 80 | 1, version=4))
ROLES = ["grid_worker", "grid_head", "safety_officer", "committee", "street", "department", "viewer"]
RULES = {
    "ebike_charging": [(0, 1), (SECOND_MS, 2)],
    "anti_theft_window": [(0, 1)],
    "self_built_house": [(0, 1)],
    "extinguisher_check": [(0, 1)],
}
FIRST_DAY = date(2026, 11, 7)
#: An invented holiday of five days, with a Saturday worked in its stead; told in two parts.
NATIONAL = [
    {"id": str(UUID(int=0xE000 << 80 | n, version=4)), "day": f"2026-11-{day}", "works": day == 28, "from": since}
    | {"own": False}
    for n, (day, since) in enumerate([(18, 0), (19, 0), (20, 0), (23, START + 5 * DAY), (28, START + 5 * DAY)])
]
YES_NO = ["yes", "no", "unknown"]


def ebike(rng: Random) -> dict[str, Any]:
    """Answers to the e-bike form, mostly about one of two spots."""
    place = rng.choice(["stair", "stair", "hall", "home", "station", "basement"])
    said = {
        "place": place,
        "floor_label": rng.choice(["3F", "３f ", "1F", None]),
        "building_class": rng.choice(["high_res", "high_res", "low"]),
        "behaviours": rng.choice([["none"], ["none"], ["park"], ["charge"], ["park", "charge"], ["battery_in"]]),
        "battery": rng.choice(["lithium", "lead", "unknown"]),
        "gb43854": rng.choice(YES_NO),
        "blocks_escape": rng.choice(YES_NO),
        "facility": rng.choice(["none", "enough"]),
        "auto_cutoff": rng.choice(YES_NO),
        "fire_gear": "yes",
        "separated": rng.choice(YES_NO),
    }
    return {name: value for name, value in said.items() if value is not None and rng.random() > 0.05}


def window(rng: Random) -> dict[str, Any]:
    said = {
        "premises": rng.choice(["home", "rental", "crowded"]),
        "highrise": rng.random() < 0.5,
        "sealed": rng.choice(YES_NO),
        "opening": rng.choice(YES_NO),
        "open_w": rng.choice([0.7, 0.9]),
        "open_h": rng.choice([0.9, 1.0]),
        "inside_open": rng.choice(YES_NO),
        "lock": rng.choice(["none", "key", "welded"]),
        "key_fixed": rng.choice(YES_NO),
        "obstructed": "no",
        "loose": rng.choice(YES_NO),
    }
    return {name: value for name, value in said.items() if rng.random() > 0.05}


def house(rng: Random) -> dict[str, Any]:
    said = {
        "appraisal": rng.choice(["done", "done", "doing"]),
        "grade": rng.choice(["A", "C", "D"]),
        "occupant_persons": rng.choice([0, 3]),
        "facade_loose": rng.choice(YES_NO),
    }
    return {name: value for name, value in said.items() if rng.random() > 0.05}


def extinguisher(rng: Random) -> dict[str, Any]:
    day = rng.choice(["2026-10-20", "2026-11-20", "2026-12-05", "2026-12-20", "2027-01-10"])
    said = {
        "spot": rng.choice(["A", "b "]),
        "fitted": rng.choice(["yes", "yes", "no"]),
        "kind": rng.choice(["powder", "powder", "water", "unknown"]),
        "valid_until": day,
    }
    return {name: value for name, value in said.items() if rng.random() > 0.05}


FORMS: dict[str, Callable[[Random], dict[str, Any]]] = {
    "ebike_charging": ebike,
    "anti_theft_window": window,
    "self_built_house": house,
    "extinguisher_check": extinguisher,
}
WEIGHTED = ["ebike_charging"] * 3 + ["extinguisher_check"] * 2 + ["anti_theft_window", "self_built_house"]
FIXABLE = ["EBC-01", "EBC-02", "EBC-04", "ATW-07", "EXT-01", "EXT-02"]
LIVES = [
    ["assign", "accept", "submit", "again", "close", "again"],
    ["assign", "assign", "accept", "submit", "close", "again", "again", "close"],
    ["again", "close", "again", "again", "close"],
    ["void", "again"],
    ["assign", "again", "return", "submit", "again", "close"],
    ["assign", "accept", "extend", "extend", "extend", "submit", "again", "close", "relapse", "submit"],
    ["assign", "refer", "chase", "reassign", "feedback", "close", "relapse", "assign", "accept"],
    ["assign", "undo", "assign", "accept", "undo", "accept", "submit", "undo", "submit", "again", "close", "undo"],
    ["again", "close", "relapse", "undo", "relapse", "again", "return", "refer", "again", "close"],
    ["void", "undo", "refer", "feedback", "return", "accept", "submit"],
]
#: Who else takes a step as a rule, beside the committee.
STRONG = {"close": ["street", "department"], "feedback": ["street", "department"], "extend": ["street"] * 5}
#: Answers to any form that see nothing wrong.
CLEAN = {
    **{"behaviours": ["none"], "gb43854": "yes", "blocks_escape": "no", "auto_cutoff": "yes", "separated": "yes"},
    **{"sealed": "no", "opening": "no", "loose": "no", "appraisal": "done", "grade": "A", "facade_loose": "no"},
    **{"fitted": "yes", "kind": "powder", "valid_until": "2029-01-01"},
}


class Maker:
    """Makes one history; times mostly run on, sometimes collide or go back."""

    def __init__(self, rng: Random, places: list[str]) -> None:
        self.rng, self.places = rng, places
        self.now, self.made = START, 0
        #: Whether those who take the steps of a life may, and are quick.
        self.goes_well = False
        #: The step taken last.
        self.last: dict[str, Any] = {"id": NIL, "author": PEOPLE[0], "ms": START}
        self.history: History = {
            "records": [],
            "console": [],
            "overrides": [],
            "reassessments": [],
            "days": [*NATIONAL],
            "rules": RULES,
            "family": {},
        }

    def id(self) -> str:
        """Ids do not rise with time."""
        self.made += 1
        return str(UUID(int=self.rng.getrandbits(60) << 64 | self.made, version=4))

    def tick(self, kind: str = "") -> int:
        steps = [1, HOUR // 6, HOUR // 4, HOUR] if kind == "undo" else [0, 1, HOUR, 6 * HOUR, DAY, 3 * DAY, -DAY]
        step = self.rng.choice(steps) if not self.goes_well else min(self.rng.choice(steps[1:3]), HOUR // 6)
        self.now = max(START, self.now + step)
        return self.now

    def record(self, kind: str, body: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
        made = {
            "id": self.id(),
            "type": kind,
            "ms": self.tick((body or {}).get("kind", "")),
            "install": self.rng.choice(PHONES),
            "seq": self.made,
            "author": self.rng.choice(PEOPLE),
            "role": self.rng.choice(ROLES),
            "amends": None,
            "voids": None,
            "reason": None,
            "visit" if kind == "visit" else "step": body,
            **more,
        }
        self.history["records"].append(made)
        return made

    def block(self, form: str, place: str) -> dict[str, Any]:
        fixed = [self.rng.choice(FIXABLE)] if self.rng.random() < 0.12 else []
        answers = FORMS[form](self.rng)
        return {"form": form, "place": place, "answers": answers, "fixed": fixed}

    def visit_body(self, form: str | None = None, place: str | None = None) -> dict[str, Any]:
        rng = self.rng
        place = place or rng.choice(self.places)
        form = form or rng.choice(WEIGHTED)
        others = [
            (rng.choice([form, rng.choice(WEIGHTED)]), rng.choice(self.places)) for _ in range(rng.choice([0, 0, 1, 2]))
        ]
        outcome = rng.choice(["done"] * 9 + ["no_answer"])
        blocks = [self.block(f, p) for f, p in [(form, place), *others]]
        return {"place": place, "outcome": outcome, "blocks": blocks}

    def visit(self, form: str | None = None, place: str | None = None) -> dict[str, Any]:
        return self.record("visit", self.visit_body(form, place))

    def correct(self) -> None:
        """An amendment or a void of anything, by its author, a supervisor, or somebody who may not."""
        if not self.history["records"]:
            return
        root = self.rng.choice(self.history["records"])
        author = self.rng.choice([root["author"], root["author"], self.rng.choice(PEOPLE)])
        said = {"author": author, "reason": self.rng.choice(["看错了", "看错了", None, " "])}
        if self.rng.random() < 0.4:
            self.record(root["type"], None, voids=root["id"], **said)
        elif root["type"] == "visit":
            self.record("visit", self.visit_body(), amends=root["id"], **said)
        elif root["step"] is not None:
            self.record("task_step", {**root["step"], **self.fields(root["step"]["kind"])}, amends=root["id"], **said)

    def fields(self, kind: str) -> dict[str, Any]:
        rng = self.rng
        visits = [r["id"] for r in self.history["records"] if r["type"] == "visit" and not r["voids"]]
        date = self.now + rng.choice([1, 2, 9]) * DAY
        match kind:
            case "assign":
                said = {"deadline_ms": date, "severity": rng.choice(["red", "orange", "yellow"])}
                said["assignee_account_id"] = rng.choice([None, *PEOPLE])
                said |= {"responsible_party": "王建国", "measures": "移走车辆"}
                return said | rng.choice([{}, {"funds": "自筹", "plan": "专人看守"}, {"plan": "专人看守"}])
            case "accept":
                return {"refusal_witness": rng.choice([None, "田大禾"])}
            case "submit":
                return {"photos": rng.choice([[], [PHOTO]])}
            case "extend":
                until = self.now + rng.choice([1, 40, 80, 120]) * DAY
                return {"reason": "材料未到", "interim": "专人看守", "deadline_ms": until}
            case "refer":
                return {"recipient": "街道", "letter": "函"}
            case "chase":
                return {"note": "已电话催办"}
            case "feedback":
                return {"outcome": "已查处", "attachments": rng.choice([[], [PHOTO]])}
            case "relapse":
                return {"photos": rng.choice([[PHOTO], [PHOTO], []]), "deadline_ms": rng.choice([None, date])}
            case "reassign":
                return {"assignee_account_id": rng.choice(PEOPLE), "reason": "离岗"}
            case "undo":
                steps = [r["id"] for r in (*self.history["records"], *self.history["console"]) if r.get("step")]
                return {"undoes": rng.choice([self.last["id"], self.last["id"], *steps])}
            case "close":
                # The newest visit, as somebody would who just came back from it; sometimes any, sometimes none.
                cited = rng.choice([visits[-1:], visits[-1:], visits[-1:], visits, []])
                basis = [visit for visit in visits if rng.random() < 0.3]
                shown = [{"kind": kind, "attachments": [PHOTO]} for kind in ("ph", "xp") if rng.random() < 0.7]
                return {"revisit_id": rng.choice(cited) if cited else None, "basis": basis, "evidence": shown}
            case "return":
                return {"reason": "未整改到位", "deadline_ms": rng.choice([None, date])}
            case "void":
                return {"reason": "误报"}
        return {}

    def step(self, chain: tuple[str, str, str], kind: str, **more: Any) -> None:
        place = chain[0] if self.rng.random() > 0.03 else self.rng.choice(self.places)
        body = {"kind": kind, "chain": chain, "place": place, **self.fields(kind)}
        strong = STRONG.get(kind, ["safety_officer", "safety_officer"])
        role = self.rng.choice(["committee", "committee", *strong, self.rng.choice(ROLES)])
        if self.goes_well:
            role = strong[0] if kind in STRONG else "committee"
        said = {"role": role, "version": self.rng.choice([1, 2, 2]), **more}
        if kind == "undo":
            # Mostly by the same person soon afterwards, from wherever it was taken.
            said["author"] = self.rng.choice([self.last["author"]] * 4 + PEOPLE)
            self.now = self.last["ms"]
        if self.rng.random() < 0.5:
            self.last = self.record("task_step", body, **said)
        else:
            made = {"id": self.id(), "ms": self.tick(kind), "author": self.rng.choice(PEOPLE), "step": body}
            self.last = {**made, **said}
            self.history["console"].append(self.last)

    def life(self) -> None:
        """The life of something a visit saw, more or less as it should be."""
        rng = self.rng
        found = self.visit()
        seen = [(b, c) for b in found["visit"]["blocks"] for c in _present(b)]
        if not seen or found["visit"]["outcome"] != "done":
            return
        block, code = rng.choice(seen)
        chain = (block["place"], code, locus_of(block))
        self.goes_well = rng.random() < 0.35
        for kind in rng.choice(LIVES):
            if rng.random() < 0.05:
                continue
            self.now += rng.choice([1, HOUR, DAY])
            if kind == "again":
                self.look_again(block)
            else:
                self.step(chain, kind)
        self.goes_well = False

    def look_again(self, block: dict[str, Any]) -> None:
        """A visit to the same spot: mostly nothing there any more, sometimes the same, sometimes whatever."""
        body = self.visit_body(block["form"], block["place"])
        spot = {name: block["answers"].get(name) for name in ("place", "floor_label", "spot")}
        gone = {**block["answers"], **CLEAN, **{name: said for name, said in spot.items() if said is not None}}
        said = self.rng.choice([gone, gone, gone, block["answers"], body["blocks"][0]["answers"]])
        body["blocks"][0] = {**body["blocks"][0], "answers": said}
        self.record("visit", body)

    def calendar(self) -> None:
        """The community says of a few days in a row that they are worked, or are not, or takes back what it said."""
        rng = self.rng
        first, said = rng.randrange(40), rng.choice([False, False, True, None])
        since = rng.choice([self.now, self.now, 0, START + rng.randrange(30) * DAY])
        for n in range(rng.choice([1, 1, 3])):
            day = (FIRST_DAY + timedelta(days=first + n)).isoformat()
            self.history["days"].append({"id": self.id(), "day": day, "works": said, "from": since, "own": True})

    def rules(self) -> None:
        """The community changes a rule, or looks at its old visits anew."""
        rng = self.rng
        if rng.random() < 0.5:
            self.calendar()
        if rng.random() < 0.5:
            rule = rng.choice(["EBC-02", "EBC-01", "EXT-02", "ATW-07", "ATW-05", "ATW-05"])
            said = {"rule": rule, "enabled": rng.random() < 0.5, "due": rng.choice([None, "2d", "48h", "3wd"])}
            if rule == "ATW-05":
                numbers = rng.choice([None, {"open_w": 0.6}, {"open_h": 0.9}, {"open_w": 0.6, "open_h": 0.8}])
                said |= {"enabled": rng.random() < 0.8, "thresholds": numbers}
            self.history["overrides"].append({"id": self.id(), "from": self.tick(), **said})
        else:
            form, version = rng.choice([("ebike_charging", 2), ("ebike_charging", 2), ("extinguisher_check", 1)])
            self.history["reassessments"].append({"id": self.id(), "form": form, "version": version, "ms": self.tick()})


def _present(block: dict[str, Any]) -> set[str]:
    """Chains that a block's answers break by the first rules."""
    return {rule.chain for rule in TABLES[block["form"], 1] if result_of(rule, block["answers"])}


def make_history(rng: Random, size: int, places: list[str] = PLACES) -> History:
    """A history of about ``size`` × 3 facts."""
    maker = Maker(rng, places)
    moves: list[Callable[[], object]] = [maker.life, maker.visit, maker.correct, maker.rules]
    for _ in range(size):
        rng.choice([moves[0], *moves, moves[2]])()
    return maker.history


def for_community(history: History, community: str) -> History:
    """The same history with the hazard ids that its chains have in ``community``."""

    def named(fact: dict[str, Any]) -> dict[str, Any]:
        if fact.get("step") is None:
            return fact
        return {**fact, "step": {**fact["step"], "hazard": hazard_of(community, fact["step"]["chain"])}}

    return {**history, "records": [*map(named, history["records"])], "console": [*map(named, history["console"])]}


def oracle_of(history: History, community: str, as_of: int) -> Oracle:
    return Oracle(for_community(history, community), community, as_of)


__all__ = ["NIL", "PLACES", "History", "for_community", "make_history", "oracle_of"]
