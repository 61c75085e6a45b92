"""The sweeps of the year: every shop and every building is visited; what is found is put right and struck off.

Beside them stands what must not be counted with them: a hazard of the year before, a false alarm, one still open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from typing import Any

from backend import clock
from backend.demo.community import Person
from backend.year import answers as say
from backend.year.community import YEAR
from backend.year.diary import Entry
from backend.year.field import Field, day
from mobile_contract.conformance.answers import form_of, present_rules, rules_of
from mobile_contract.rules import Rule, locus_of

Changed = dict[str, Any]
#: What is wrong with a shop, one line a shop; 24 hazards in 20 shops.
CATERING: Changed = {"trade": "catering", "fuel": "electric", "gas_place": "normal", "duct": "clean"}
PIPED: Changed = CATERING | {"fuel": "pipeline"}
BOTTLED: Changed = {"fuel": "lpg", "gas_alarm": "ok", "cylinders": 1, "gas_place": "normal"}
SHOPS: Sequence[Changed] = (
    *[{"extinguisher": "expired"}] * 5,
    *[{"hydrant": "blocked"}] * 3,
    *[{"exit_state": "blocked"}] * 3,
    *[{"wiring": ["loose"]}] * 2,
    {**CATERING, "duct": "late"},
    {**PIPED, "gas_alarm": "none"},
    {**BOTTLED, "lpg_faults": ["old_hose"]},
    {"extinguisher": "none", "signboard": "yes"},
    {"wiring": ["overload"], "signboard": "yes"},
    {**PIPED, "gas_alarm": "faulty", "duct": "never"},
    {**BOTTLED, "lpg_faults": ["tee"], "extinguisher": "expired"},
)
#: 11 hazards in 10 premises with several uses.
MULTI_USE: Sequence[Changed] = (
    *[say.SLEEPER | {"alarm": "no"}] * 3,
    *[say.SLEEPER | {"second_escape": "no"}] * 2,
    say.SLEEPER | {"separation": "partial"},
    say.SLEEPER | {"ebike_inside": "charge"},
    say.SLEEPER | {"sandwich": "yes"},
    {"exit_state": "locked"},
    say.SLEEPER | {"alarm": "no", "wiring": ["bare"]},
)
#: 18 hazards at 18 spots of 14 buildings.
PARKED: Changed = {"behaviours": ["park"], "onsite": ["moved", "taught"]}
WIRED: Changed = {"behaviours": ["fly_wire"], "power_from": "home", "onsite": ["unwired"]}
STATION: Changed = {
    "place": "station",
    "floor_label": "院内",
    "separated": "yes",
    "auto_cutoff": "no",
    "fire_gear": "yes",
}
SPOTS: Sequence[Changed] = (
    *[PARKED | {"place": "stair", "floor_label": f"{floor}F"} for floor in (2, 3, 4, 5)],
    *[PARKED | {"place": "hall", "floor_label": "1F", "blocks_escape": "yes"} for _ in range(3)],
    *[WIRED | {"place": "outdoor", "floor_label": f"{side}侧"} for side in "东西南"],
    *[STATION for _ in range(2)],
    *[{"behaviours": ["modified"], "place": "outdoor", "floor_label": "车棚"} for _ in range(2)],
    *[PARKED | {"place": "corridor", "floor_label": f"{floor}F"} for floor in (1, 2, 3, 4)],
)
WAYS = ("spot", "full", "short")
MEASURES = {
    "responsible_party": "经营者",
    "measures": "限期整改，整改前专人看守",
    "funds": "责任人自筹",
    "plan": "备灭火器材",
}


@dataclass(frozen=True, slots=True)
class Found:
    """Something found on a visit: the hazard's chain and locus, and the rule that says who strikes it off."""

    code: str
    rule: Rule
    locus: str
    seen: Entry

    @property
    def proof(self) -> list[str]:
        return [kind for kind in self.rule.evidence if kind != "rv"]


def plan_sweeps(field: Field) -> None:
    """Shops in spring and summer, premises with several uses in September, e-bikes in October; and what is beside."""
    shops = field.some(field.codes.shops, len(field.codes.shops))
    troubled, rest = shops[: len(SHOPS)], shops[len(SHOPS) :]
    ways = cycle(WAYS)
    for code, wrong, on in zip(troubled, SHOPS, field.days(day(3, 1), day(8, 20), len(SHOPS)), strict=True):
        _shop(field, code, wrong, on, next(ways))
    for code, on in zip(rest[2:], field.days(day(3, 1), day(8, 20), len(rest) - 2), strict=True):
        field.diary.visit(field.at(on), field.pair(code), code, [("street_shop", say.shop(_name(code)))])
    # Where a shop gave trouble before, the other form finds nothing new, so that no hazard is found twice.
    for code, wrong, on in zip(rest[2:], MULTI_USE, field.days(day(9, 1), day(9, 24), len(MULTI_USE)), strict=False):
        _multi_use(field, code, wrong, on, next(ways))
    clean = [*troubled, *rest[2 + len(MULTI_USE) :]]
    for code, on in zip(clean, cycle(field.days(day(9, 1), day(9, 28), 20)), strict=False):
        field.diary.visit(field.at(on), field.pair(code), code, [("multi_use_premises", say.multi_use(_name(code)))])
    _plan_buildings(field)
    _plan_strays(field, rest[0], rest[1])


def _name(code: str) -> str:
    return f"青禾便民店{code.rpartition('-')[2]}"


def _shop(field: Field, code: str, wrong: Changed, on: date, way: str) -> None:
    _find(
        field,
        code,
        on,
        way,
        [("street_shop", say.shop(_name(code), **wrong))],
        [("street_shop", say.shop(_name(code)))],
    )


def _multi_use(field: Field, code: str, wrong: Changed, on: date, way: str) -> None:
    before, after = (say.multi_use(_name(code), **changed) for changed in (wrong, {}))
    _find(field, code, on, way, [("multi_use_premises", before)], [("multi_use_premises", after)])


def _plan_buildings(field: Field) -> None:
    spots = list(SPOTS)
    buildings = list(field.codes.buildings)
    for number, (code, on) in enumerate(
        zip(buildings, field.days(day(10, 1), day(10, 28), len(buildings)), strict=True)
    ):
        here = [spots.pop(0)] + ([spots.pop()] if len(spots) > len(buildings) - number - 1 else [])
        before = [("ebike_charging", say.ebikes(**spot)) for spot in here]
        _find(field, code, on, "full" if number % 2 else "short", before, [("ebike_charging", say.ebikes())])


def _find(
    field: Field, code: str, on: date, way: str, before: list[tuple[str, Changed]], after: list[tuple[str, Changed]]
) -> None:
    """What is wrong is seen, put right in one of three ways, and struck off by whoever may."""
    pair = field.pair(code)
    rules = [(form, answers, rule) for form, answers in before for rule in _rules(form, answers)]
    # On the spot one thing is put right, while the two of them are there.
    spot = way == "spot" and len(rules) == 1
    seen = field.diary.visit(field.at(on), pair, code, before, fixed=rules[0][2].code if spot else None)
    found = [Found(code, rule, locus_of(form_of(form, 1), answers), seen) for form, answers, rule in rules]
    again = seen
    if not spot:
        for hazard in found if way == "full" else ():
            _assign(field, hazard, on, pair)
        again = field.diary.visit(field.at(on + timedelta(days=4)), pair[::-1], code, after)
    for hazard in found:
        _close(field, hazard, again, on + timedelta(days=5))


def _rules(form: str, answers: Changed) -> list[Rule]:
    compiled = rules_of(form_of(form, 1))
    assert compiled is not None
    return [compiled.ruleset.by_code[code] for code in present_rules(form_of(form, 1), answers)]


def _assign(field: Field, hazard: Found, on: date, pair: list[Person]) -> None:
    """交办、签收、报整改."""
    head = field.one("grid_head", hazard.code)
    due_ms = int(field.at(on + timedelta(days=7)).timestamp() * 1000)
    said = {**MEASURES, "assignee_account_id": None, "deadline_ms": due_ms, "severity": str(hazard.rule.severity)}
    _step(field, hazard, on, 1, head, "assign", **said)
    _step(field, hazard, on, 2, pair[0], "accept", signature=None, refusal_witness="邻居")
    _step(field, hazard, on, 3, pair[0], "submit", note="已整改", proof=["ph"])


def _step(field: Field, hazard: Found, on: date, later: int, actor: Person, kind: str, **said: Any) -> None:
    at = field.at(on + timedelta(days=later))
    field.diary.step(at, actor, hazard.code, hazard.rule.chain, hazard.locus, kind, **said)


def _close(field: Field, hazard: Found, revisit: Entry, on: date) -> None:
    closer = field.one(hazard.rule.closers[0], hazard.code)
    basis = [hazard.seen] if revisit is hazard.seen else [hazard.seen, revisit]
    said = {"revisit_id": revisit, "basis": basis, "note": "已现场复查", "proof": hazard.proof}
    _step(field, hazard, on, 0, closer, "close", **said)


def _plan_strays(field: Field, false_alarm: str, late: str) -> None:
    """A hazard of the year before, struck off in this one; a false alarm; one of December that is still open."""
    wired = say.ebikes(**{**WIRED, "place": "basement", "floor_label": "B1", "separated": "yes"})
    before, after = [("ebike_charging", wired)], [("ebike_charging", say.ebikes())]
    _find(field, field.codes.buildings[0], date(YEAR - 1, 12, 29), "short", before, after)
    for code, on in ((false_alarm, day(5, 9)), (late, day(12, 28))):
        bad = say.shop(_name(code), extinguisher="none")
        seen = field.diary.visit(field.at(on), field.pair(code), code, [("street_shop", bad)])
        hazard = Found(code, _rules("street_shop", bad)[0], "", seen)
        if code == late:
            head = field.one("grid_head", code)
            due_ms = int(clock.day_start_ms(day(12, 31)) + 7 * clock.DAY_MS)
            said = {**MEASURES, "assignee_account_id": None, "deadline_ms": due_ms, "severity": "yellow"}
            _step(field, hazard, on, 1, head, "assign", **said)
        else:
            officer = field.one("safety_officer", code)
            _step(field, hazard, on, 1, officer, "void", reason="灭火器在柜内，误报", duplicate_of=None)
