"""Rules judged in plain Python, written from the domain's table of rules: no expression language, no rule files.

Results are True (present), False (absent) or None (待核). A value is MISSING when unanswered or 不详, and None when its
question was hidden.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

MISSING = object()
Answers = Mapping[str, Any]
Get = Callable[[str], Any]
Truth = bool | None


HOUR, DAY, EAST = 3_600_000, 86_400_000, 8 * 3_600_000


def is_worked(days: Sequence[Mapping[str, Any]], day: date, at_ms: int) -> bool:
    """``days``: what was said of days, by the community (``own``) and by the nation, each from a time on."""
    for own in (True, False):
        said = [d for d in days if d["own"] is own and d["day"] == day.isoformat() and d["from"] <= at_ms]
        if said and (last := max(said, key=lambda d: (d["from"], d["id"])))["works"] is not None:
            return bool(last["works"])
    return day.weekday() < 5


def due_ms(
    due: str, from_ms: int, days: Sequence[Mapping[str, Any]] = (), at_ms: int = 0, *, is_red: bool = True
) -> int:
    """When what was found is due, by the calendar known at ``at_ms``; only what is not red waits for a working day."""
    if due.endswith("h"):
        return from_ms + int(due[:-1]) * HOUR
    day = date(1970, 1, 1) + timedelta(days=(from_ms + EAST) // DAY)
    if due.endswith("wd"):
        for _ in range(int(due[:-2])):
            day += timedelta(days=1)
            while not is_worked(days, day, at_ms):
                day += timedelta(days=1)
    else:
        day += timedelta(days=int(due.removesuffix("d")))
    while not is_red and due != "0" and not is_worked(days, day, at_ms):
        day += timedelta(days=1)
    return (day - date(1970, 1, 1)).days * DAY + DAY - EAST - 1


def same(value: Any, wanted: Any) -> Truth:
    return None if value is MISSING else bool(value == wanted)


def among(value: Any, wanted: tuple[str, ...]) -> Truth:
    return None if value is MISSING else value in wanted


def ticked(value: Any, wanted: str) -> Truth:
    return None if value is MISSING else wanted in (value or ())


def below(value: Any, limit: float) -> Truth:
    return None if value is MISSING else value < limit


def no(truth: Truth) -> Truth:
    return None if truth is None else not truth


def both(*truths: Truth) -> Truth:
    return False if any(t is False for t in truths) else None if None in truths else True


def either(*truths: Truth) -> Truth:
    return True if any(t is True for t in truths) else None if None in truths else False


@dataclass(frozen=True)
class PlainRule:
    """One line of the domain's table. ``due``: hours, days or 0 for today. ``at``: a date answer and days after it."""

    code: str
    severity: str
    due: str
    closer: str
    when: Callable[[Get], Truth] = lambda get: True
    revisit: bool = True
    group: str | None = None
    at: tuple[str, int] | None = None
    hidden_unknown: bool = False

    @property
    def chain(self) -> str:
        return self.group or self.code


def _route(get: Get) -> Truth:
    return among(get("place"), ("hall", "corridor", "stair", "exit"))


def _low(get: Get) -> Truth:
    return same(get("building_class"), "low")


def _does(get: Get, what: str) -> Truth:
    return ticked(get("behaviours"), what)


_BREACHES = ("park", "charge", "fly_wire", "battery_in", "lift", "modified")
EBC = [
    PlainRule(
        "EBC-01",
        "red",
        "0",
        "safety_officer",
        lambda g: both(_route(g), no(_low(g)), _does(g, "charge")),
        group="EBC-ROUTE",
    ),
    PlainRule(
        "EBC-02",
        "orange",
        "0",
        "grid_head",
        lambda g: both(_route(g), no(_low(g)), _does(g, "park")),
        group="EBC-ROUTE",
    ),
    PlainRule(
        "EBC-03",
        "orange",
        "0",
        "grid_head",
        lambda g: both(_route(g), _low(g), same(g("blocks_escape"), "yes")),
        group="EBC-ROUTE",
    ),
    PlainRule(
        "EBC-10",
        "orange",
        "0",
        "grid_head",
        lambda g: both(
            _route(g), _low(g), either(_does(g, "park"), _does(g, "charge")), no(same(g("blocks_escape"), "yes"))
        ),
        group="EBC-ROUTE",
    ),
    PlainRule("EBC-04", "orange", "24h", "grid_head", lambda g: _does(g, "fly_wire")),
    PlainRule(
        "EBC-05",
        "orange",
        "0",
        "grid_head",
        lambda g: either(_does(g, "battery_in"), both(same(g("place"), "home"), _does(g, "charge"))),
        revisit=False,
    ),
    PlainRule(
        "EBC-06",
        "yellow",
        "15d",
        "grid_head",
        lambda g: either(_does(g, "modified"), same(g("gb43854"), "no")),
        revisit=False,
    ),
    PlainRule(
        "EBC-07",
        "orange",
        "15d",
        "safety_officer",
        lambda g: both(same(g("place"), "station"), either(same(g("auto_cutoff"), "no"), same(g("fire_gear"), "no"))),
    ),
    PlainRule("EBC-08", "orange", "30d", "department", lambda g: same(g("separated"), "no"), revisit=False),
    PlainRule(
        "EBC-09",
        "blue",
        "30d",
        "committee",
        lambda g: both(among(g("facility"), ("none", "short")), either(*(_does(g, b) for b in _BREACHES))),
        revisit=False,
    ),
]
#: The second version: parking is graver and has a day, a battery taken indoors is no longer a rule.
EBC_2 = [
    replace(rule, severity="red", due="24h") if rule.code == "EBC-02" else rule for rule in EBC if rule.code != "EBC-05"
]


def _sealed(get: Get) -> Truth:
    return same(get("sealed"), "yes")


def _high(get: Get) -> Truth:
    return None if get("highrise") is MISSING else bool(get("highrise"))


def _opening(width: float, height: float) -> Callable[[Get], Truth]:
    return lambda g: same(g("opening"), "yes") and either(below(g("open_w"), width), below(g("open_h"), height))


def with_numbers(rule: PlainRule, numbers: Mapping[str, float] | None) -> PlainRule:
    """The rule with the numbers a community set; only the opening's least size can be."""
    if rule.code != "ATW-05" or not numbers:
        return rule
    return replace(rule, when=_opening(numbers.get("open_w", 0.8), numbers.get("open_h", 1.0)))


ATW = [
    PlainRule(
        "ATW-01",
        "red",
        "7d",
        "department",
        lambda g: both(same(g("premises"), "crowded"), _sealed(g)),
        group="ATW-SEALED",
    ),
    PlainRule("ATW-02", "orange", "7d", "safety_officer", lambda g: both(_high(g), _sealed(g)), group="ATW-SEALED"),
    PlainRule(
        "ATW-03",
        "orange",
        "7d",
        "safety_officer",
        lambda g: both(among(g("premises"), ("rental", "mixed")), _sealed(g)),
        group="ATW-SEALED",
    ),
    PlainRule(
        "ATW-04",
        "yellow",
        "15d",
        "grid_head",
        lambda g: both(same(g("premises"), "home"), no(_high(g)), _sealed(g)),
        group="ATW-SEALED",
    ),
    PlainRule(
        "ATW-05",
        "yellow",
        "15d",
        "grid_head",
        _opening(0.8, 1.0),
    ),
    PlainRule(
        "ATW-06",
        "orange",
        "3d",
        "grid_head",
        lambda g: either(
            same(g("inside_open"), "no"),
            same(g("lock"), "welded"),
            same(g("key_fixed"), "no"),
            same(g("obstructed"), "yes"),
        ),
    ),
    PlainRule("ATW-07", "yellow", "7d", "grid_head", lambda g: same(g("loose"), "yes")),
]
SBH = [
    PlainRule(
        "SBH-01",
        "red",
        "24h",
        "street",
        lambda g: same(g("grade"), "D"),
        revisit=False,
        group="SBH-GRADE",
        hidden_unknown=True,
    ),
    PlainRule(
        "SBH-02", "red", "24h", "street", lambda g: same(g("grade"), "C"), group="SBH-GRADE", hidden_unknown=True
    ),
    PlainRule("SBH-02W", "red", "30d", "street", lambda g: same(g("grade"), "C"), hidden_unknown=True),
    PlainRule(
        "SBH-03",
        "red",
        "24h",
        "street",
        lambda g: both(among(g("grade"), ("C", "D")), no(below(g("occupant_persons"), 1))),
        hidden_unknown=True,
    ),
    PlainRule("SBH-09", "orange", "3d", "safety_officer", lambda g: same(g("facade_loose"), "yes")),
]
#: An invented form: 灭火器; its rules come true on days to come.
EXT = [
    PlainRule(
        "EXT-01", "yellow", "7d", "grid_head", lambda g: same(g("fitted"), "no"), revisit=False, group="EXT-LIFE"
    ),
    PlainRule("EXT-02", "orange", "3d", "grid_head", revisit=False, group="EXT-LIFE", at=("valid_until", 0)),
    PlainRule(
        "EXT-04", "yellow", "15d", "grid_head", lambda g: same(g("kind"), "water"), revisit=False, group="EXT-LIFE"
    ),
    PlainRule(
        "EXT-03", "yellow", "24h", "safety_officer", lambda g: same(g("kind"), "powder"), at=("valid_until", -30)
    ),
]
#: (form, version) → its rules.
TABLES = {
    ("ebike_charging", 1): EBC,
    ("ebike_charging", 2): EBC_2,
    ("anti_theft_window", 1): ATW,
    ("self_built_house", 1): SBH,
    ("extinguisher_check", 1): EXT,
}
#: For which kinds of places a form may be filled.
PLACE_KINDS = {
    "ebike_charging": ("estate", "building", "unit", "household", "premises"),
    "anti_theft_window": ("household", "premises"),
    "self_built_house": ("building",),
    "extinguisher_check": ("building", "household", "premises"),
}
LOCUS = {"ebike_charging": ("place", "floor_label"), "extinguisher_check": ("spot",)}

#: question → when it is shown.
SHOWN: dict[str, Callable[[Get], Truth]] = {
    "gb43854": lambda g: same(g("battery"), "lithium"),
    "auto_cutoff": lambda g: same(g("place"), "station"),
    "fire_gear": lambda g: same(g("place"), "station"),
    "separated": lambda g: among(g("place"), ("stilt", "basement", "station")),
    **dict.fromkeys(("open_w", "open_h", "inside_open", "lock", "obstructed"), lambda g: same(g("opening"), "yes")),
    "key_fixed": lambda g: same(g("lock"), "key"),
    "grade": lambda g: same(g("appraisal"), "done"),
    "valid_until": lambda g: same(g("fitted"), "yes"),
}


def result_of(rule: PlainRule, answers: Answers) -> Truth:
    """Whether a rule is present by the answers; one with a date needs the date answered."""

    def get(name: str) -> Any:
        shown = SHOWN[name](get) if name in SHOWN else True
        if shown is False:
            return MISSING if rule.hidden_unknown else None
        value = answers.get(name)
        is_open = shown is None or value is None or value == "unknown" or (type(value) is list and "unknown" in value)
        return MISSING if is_open else value

    truth = rule.when(get)
    if truth is True and rule.at is not None:
        day = get(rule.at[0])
        return None if day is MISSING else day is not None
    return truth
