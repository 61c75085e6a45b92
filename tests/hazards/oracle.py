"""What the records and steps of a place must come to, worked out naively from the written rules of the product.

Nothing of the product's fold is used here. Everything is plain dictionaries; for each hazard everything is gone through
from the beginning, and for each moment all looks are gone through again. Slow, short and meant to be read.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from tests.hazards.becoming import LEADS, both_due, saw, stepped
from tests.hazards.judging import (
    DAY,
    EAST,
    HOUR,
    LOCUS,
    PLACE_KINDS,
    TABLES,
    PlainRule,
    Truth,
    result_of,
    with_numbers,
)

Fact = Mapping[str, Any]
Key = tuple[int, str, int, str]
Chain = tuple[str, str, str]
"""(place, chain, locus)"""
NAME_SPACE = UUID("6f2b7c1e-52a4-5d0b-9c61-3d1f0a7e8b42")
NIL = "00000000-0000-0000-0000-000000000000"


def key_of(fact: Fact) -> Key:
    return (fact["ms"], fact["install"], fact["seq"], fact["id"])


def hazard_of(community: str, chain: Chain) -> str:
    return str(uuid5(NAME_SPACE, "|".join((community, *chain))))


def locus_of(block: Fact) -> str:
    said = [block["answers"].get(name) for name in LOCUS.get(block["form"], ())]
    return "/".join("-" if v is None else unicodedata.normalize("NFKC", v).strip().upper() or "-" for v in said)


def in_force(records: Iterable[Fact]) -> list[dict[str, Any]]:
    """Roots with what their last accepted correction says; the key stays the root's. Voided ones are left out."""
    held = {record["id"]: record for record in records}
    found = []
    for root in held.values():
        if root["amends"] or root["voids"]:
            continue
        last = root
        for other in sorted(held.values(), key=key_of):
            target = other["amends"] or other["voids"]
            is_own = other["author"] == root["author"]
            may = is_own or (other["role"] in LEADS and (other["reason"] or "").strip())
            if target == root["id"] and other["type"] == root["type"] and may:
                last = other
        if not last["voids"]:
            found.append({**last, "id": root["id"], "record": last["id"], "key": key_of(root), "ms": root["ms"]})
    return sorted(found, key=lambda fact: fact["key"])


class Oracle:
    """``history`` holds records, console (steps), overrides, reassessments, days (what was
    said of them), rules (form → [(from, version)]), family
    (place → the place it is part of now) and kinds (place → kind, of those that are known)."""

    def __init__(self, history: Mapping[str, Any], community: str, as_of: int) -> None:
        self.history, self.community, self.as_of = history, community, as_of
        self.days = history.get("days", [])
        force = in_force(history["records"])
        self.visits = [fact for fact in force if fact["type"] == "visit"]
        steps = [fact for fact in force if fact["type"] == "task_step"]
        self.steps = steps + [{**step, "key": (step["ms"], NIL, 0, step["id"])} for step in history["console"]]

    def survivor(self, place: str) -> str:
        return str(self.history["family"].get(place, place))

    # --- what was seen -------------------------------------------------------------------------------------------

    def looks(self, chain: Chain) -> list[dict[str, Any]]:
        """All looks at a chain in order: visits, reassessments, and the days on which a dated rule came true."""
        place, code, locus = chain
        seen = []
        for form in {form for form, _ in TABLES}:
            filled = [(v, blocks) for v in self.visits if (blocks := self.blocks(v, form, place))]
            for visit, blocks in filled:
                version = self.version_at(form, visit["ms"])
                seen.append(self.look(visit, visit["key"], visit["id"], blocks, (form, version), code, locus))
            for fact in self.history["reassessments"]:
                before = [pair for pair in filled if pair[0]["ms"] < fact["ms"]]
                if fact["form"] == form and before:
                    visit, blocks = max(before, key=lambda pair: pair[0]["key"])
                    key = (fact["ms"], NIL, 0, fact["id"])
                    seen.append(self.look(visit, key, fact["id"], blocks, (form, fact["version"]), code, locus))
        found = sorted((look for look in seen if look is not None), key=lambda look: look["key"])
        days = []
        for look in found:
            following = [other["key"][0] for other in found if other["key"] > look["key"]]
            for day, fired in look["later"].items():
                if day <= self.as_of and all(day < at for at in following):
                    key = (day, NIL, 0, look["id"])
                    came = {"seen": "present", "fired": fired, "key": key, "evidence": key, "fixed": False}
                    days.append({**look, **came, "virtual": True})
        return sorted(found + days, key=lambda look: look["key"])

    def blocks(self, visit: Fact, form: str, place: str) -> list[Fact]:
        if visit["visit"]["outcome"] != "done":
            return []
        here = [b for b in visit["visit"]["blocks"] if b["form"] == form and self.survivor(b["place"]) == place]
        kinds = self.history.get("kinds", {})
        return [b for b in here if kinds.get(b["place"], "any") in (*PLACE_KINDS[form], "any")]

    def version_at(self, form: str, ms: int) -> int:
        in_force: list[tuple[int, int]] = [pair for pair in self.history["rules"][form] if pair[0] <= ms]
        return max(in_force)[1]

    def switched(self, rule: PlainRule, ms: int) -> Fact:
        said = [o for o in self.history["overrides"] if o["rule"] == rule.code and o["from"] <= ms]
        return max(said, key=lambda o: (o["from"], o["id"]), default={"enabled": True, "due": None})

    def look(
        self, visit: Fact, key: Key, id_: str, blocks: list[Fact], table: tuple[str, int], code: str, locus: str
    ) -> dict[str, Any] | None:
        """What one visit (or a reassessment of it) says about a chain at a locus; None: not a word."""
        rules = [rule for rule in TABLES[table] if rule.chain == code]
        if not rules:
            return None
        judged = [rule for rule in rules if self.switched(rule, key[0])["enabled"]]
        fired: list[tuple[PlainRule, tuple[int, int], bool]] = []
        later: dict[int, list[tuple[PlainRule, tuple[int, int], bool]]] = {}
        unsure = False
        for block in blocks:
            for rule in judged if locus_of(block) == locus else ():
                fixed = rule.code in block["fixed"]
                numbers = self.switched(rule, key[0]).get("thresholds")
                truth: Truth = True if fixed else result_of(with_numbers(rule, numbers), block["answers"])
                unsure = unsure or truth is None
                if truth:
                    from_ms = key[0] if fixed else max(key[0], _day_of(rule, block["answers"]))
                    said = self.switched(rule, key[0])["due"] or rule.due
                    due = both_due(said, rule.severity, from_ms, self.days, key[0])
                    (fired if from_ms == key[0] else later.setdefault(from_ms, [])).append((rule, due, fixed))
        seen = "unjudged" if not judged else "present" if fired else "unknown" if unsure else "absent"
        fixed = bool(fired) and all(each for _, _, each in fired)
        look = {"id": id_, "key": key, "evidence": visit["key"], "author": visit["author"], "seen": seen}
        return {**look, "fired": fired, "later": later, "fixed": fixed, "virtual": False, "form": table[0]}

    # --- what became of it ---------------------------------------------------------------------------------------

    def chains(self) -> set[Chain]:
        """Every chain that was ever present."""
        codes = {(form, rule.chain) for (form, _), rules in TABLES.items() for rule in rules}
        named = {
            (self.survivor(block["place"]), chain, locus_of(block))
            for visit in self.visits
            for block in visit["visit"]["blocks"]
            for form, chain in codes
            if form == block["form"]
        }
        return {chain for chain in named if any(look["seen"] == "present" for look in self.looks(chain))}

    def fold(self) -> tuple[dict[Chain, dict[str, Any]], dict[str, str | None]]:
        """All hazards, and for every step the reason why it does not apply (None: it does)."""
        hazards, outcomes = {}, {step["id"]: "hazard_unknown" for step in self.steps}
        told: dict[str, str | None] = dict(outcomes)
        for chain in self.chains():
            looks = self.looks(chain)
            members = {chain[0], *(p for p, into in self.history["family"].items() if into == chain[0])}
            ids = {hazard_of(self.community, (member, *chain[1:])) for member in members}
            steps = [
                s for s in self.steps if s["step"]["hazard"] in ids and self.survivor(s["step"]["place"]) == chain[0]
            ]
            hazard: dict[str, Any] = {"state": "", "cycle": 0, "changes": [], "ended": None, "days": self.days}
            for _, event in sorted([(x["key"], x) for x in looks] + [(x["key"], x) for x in steps], key=lambda e: e[0]):
                if "seen" in event:
                    saw(hazard, event)
                else:
                    why = stepped(hazard, event, looks)
                    if why and why.startswith("undid "):
                        told[why.removeprefix("undid ")], why = "undone", None
                    told[event["id"]] = why
            hazards[chain] = hazard
        return hazards, told


def _day_of(rule: PlainRule, answers: Mapping[str, Any]) -> int:
    if rule.at is None:
        return 0
    day = date.fromisoformat(answers[rule.at[0]]).toordinal() - date(1970, 1, 1).toordinal() + rule.at[1]
    return day * DAY - EAST


__all__ = ["DAY", "HOUR", "NIL", "Chain", "Oracle", "hazard_of", "locus_of"]
