"""An independent recount of what was done for people: from raw facts in plain Python, without a query."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from mobile_contract.conformance.answers import form_of, rules_of
from mobile_contract.rules import RuleResult, evaluate, hazard_id, locus_of
from tests.meetings.raw_facts import Filled, Raw

SWEPT = {"street_shop", "multi_use_premises", "ebike_charging"}
#: Figures whose rows are pseudonyms: what they stand for is compared by number.
CASES = {
    *("alarm_homes", "welfare_homes", "welfare_persons", "elderly_eligible", "elderly_vaccinated", "helped_persons")
}

Recount = dict[str, Counter[Any]]
"""Figure → what it counts → how much of it."""


class Year:
    """Days and instants of the period that is counted, whole days in Shanghai."""

    def __init__(self, first: date, last: date) -> None:
        zone = timezone(timedelta(hours=8))
        self.first, self.last = first.isoformat(), last.isoformat()
        self.start_ms = int(datetime(first.year, first.month, first.day, tzinfo=zone).timestamp() * 1000)
        after = last + timedelta(days=1)
        self.end_ms = int(datetime(after.year, after.month, after.day, tzinfo=zone).timestamp() * 1000)

    def holds(self, at_ms: int) -> bool:
        return self.start_ms <= at_ms < self.end_ms

    def names(self, day: object) -> bool:
        return isinstance(day, str) and self.first <= day[:10] <= self.last

    @staticmethod
    def day_of(at_ms: int) -> str:
        return (datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=8)).date().isoformat()


def recount(raw: Raw, year: Year, community_id: UUID) -> Recount:
    """Every figure of what was done for people."""
    found: Recount = defaultdict(Counter)
    homes = [b for b in raw.blocks if raw.kinds[b.place] == "household"]
    _count_homes(found, raw, year, homes)
    _count_people(found, year, [b for b in homes if year.holds(b.at_ms)])
    _count_events(found, year, raw.blocks)
    _count_houses(found, raw, year)
    _count_sweeps(found, raw, year, community_id)
    _count_evacuations(found, raw, year)
    return found


def _count_homes(found: Recount, raw: Raw, year: Year, homes: list[Filled]) -> None:
    for block in homes:
        said = block.answers
        if block.since < year.start_ms:
            continue
        if block.form == "anti_theft_window" and said["opening"] == "yes" and year.names(said.get("retrofit_on")):
            found["windows_opened"][block.place] = 1
        if block.form == "smoke_alarm_install" and year.names(said["installed_on"]):
            found["alarm_homes"][block.place] = 1
        if block.form == "gas_retrofit" and year.holds(block.at_ms):
            found["gas_homes"][block.place] = 1
            found["gas_buildings"][raw.buildings[block.place]] = 1
            day = found["gas_days"]
            if not any(year.day_of(known[1]) == year.day_of(block.at_ms) for known in day):
                day[block.visit, block.at_ms] = 1
    found["gas_days"] = Counter(visit for visit, _ in found["gas_days"])


def _count_people(found: Recount, year: Year, homes: list[Filled]) -> None:
    last: dict[tuple[str, str], Filled] = {}
    for block in homes:
        who = block.answers.get("person") or block.answers.get("case_ref")
        if who:
            last[block.form, who] = block
    for (form, who), block in last.items():
        said = block.answers
        if form == "low_income_review":
            found["welfare_homes"][who] = 1
            found["welfare_persons"][who] = said["actual"]
        elif form == "elderly_vaccination" and said["status"] != "deferred":
            found["elderly_eligible"][who] = 1
            found["elderly_vaccinated"][who] = int(said["status"] == "done")
        elif form == "helper_assignment" and not (said.get("ended_on") and said["ended_on"] < year.first):
            found["helped_persons"][who] = 1


def _count_events(found: Recount, year: Year, blocks: Iterable[Filled]) -> None:
    for block in blocks:
        said, kind = block.answers, block.answers.get("kind")
        # A correction made in the period says what became of a request of another one.
        if block.since < year.start_ms:
            continue
        if block.form == "resident_request" and year.names(said.get("replied_on")) and said.get("result"):
            found["requests_solved"][block.visit] += 1
        if block.form == "community_event" and year.names(said["held_on"]):
            if kind == "study":
                found["study_sessions"][block.visit] += 1
            if kind == "drill":
                found["drills"][block.visit] += 1
                found["drill_units"][block.visit] += said.get("units", 0)
                found["drill_people"][block.visit] += said["people"]


def _count_houses(found: Recount, raw: Raw, year: Year) -> None:
    for campaign in raw.campaigns:
        begins, ends = campaign["starts_ms"], campaign["ended_ms"] or campaign["ends_ms"]
        if "self_built_house" in campaign["forms"] and begins < year.end_ms and ends > year.start_ms:
            for place in raw.doors[campaign["id"]]:
                found["houses_known"][place] = 1
    last = {b.place: b for b in raw.blocks if b.form == "self_built_house" and year.holds(b.at_ms)}
    for place, block in last.items():
        found["houses_known"][place] = 1
        if block.answers["appraisal"] == "done":
            found["houses_appraised"][place] = 1


def _count_sweeps(found: Recount, raw: Raw, year: Year, community_id: UUID) -> None:
    """A present registers or brings back, a close step ends; refused steps do not occur in what is counted here."""
    events: dict[UUID, list[tuple[int, str, str, UUID]]] = defaultdict(list)
    for block in raw.blocks:
        for hazard in _hazards(block, community_id) if block.form in SWEPT else ():
            events[hazard].append((block.at_ms, "present", block.form, block.place))
    for at_ms, hazard, kind in raw.steps:
        if hazard in events and kind in ("close", "void"):
            events[hazard].append((at_ms, kind, "", UUID(int=0)))
    for hazard, happened in events.items():
        happened.sort()
        at_ms, _, form, place = happened[0]
        swept = any(
            form in c["forms"] and c["started_ms"] and c["starts_ms"] <= at_ms < (c["ended_ms"] or c["ends_ms"])
            and place in raw.doors[c["id"]]
            for c in raw.campaigns
        )  # fmt: skip
        if swept and year.holds(at_ms):
            found["sweep_found"][hazard] = 1
            if [kind for when, kind, *_ in happened if when < year.end_ms][-1] == "close":
                found["sweep_closed"][hazard] = 1


def _hazards(block: Filled, community_id: UUID) -> set[UUID]:
    form = form_of(block.form, 1)
    rules = rules_of(form)
    assert rules is not None
    present = [code for code, result in evaluate(rules, block.answers).items() if result is RuleResult.PRESENT]
    hazards = [rules.ruleset.by_code[code] for code in present]
    locus = locus_of(form, block.answers)
    return {hazard_id(community_id, block.place, rule.chain, locus) for rule in hazards if rule.is_hazard}


def _count_evacuations(found: Recount, raw: Raw, year: Year) -> None:
    first: dict[UUID, int] = {}
    for notice, at_ms in raw.served:
        first[notice] = min(at_ms, first.get(notice, at_ms))
    for notice, at_ms in first.items():
        is_replaced = raw.replaced.get(notice, year.end_ms) < year.end_ms
        if raw.notices[notice] == "evacuation" and year.holds(at_ms) and not is_replaced:
            found["notices_to_leave"][notice] = 1
    where: dict[UUID, tuple[str, int]] = {}
    for at_ms, _, _, kind, household, body in raw.moves:
        if at_ms >= year.end_ms:
            continue
        back = {UUID(home) for home in body.get("returned") or ()} if kind == "checked" else set()
        if kind in ("left", "returned") and household is not None:
            where[household] = (kind, at_ms)
        for home in back:
            where[home] = ("returned", at_ms)
    for home, (kind, at_ms) in where.items():
        if kind == "left" and year.holds(at_ms):
            found["homes_evacuated"][home] = 1
