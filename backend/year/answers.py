"""Answers of the year, form by form: what a door looked like, harmless unless it is told otherwise."""

from typing import Any

Answers = dict[str, Any]


def shop(name: str, **changed: Any) -> Answers:
    """A street shop in order."""
    return {
        **{"shop_name": name, "trade": "shop", "area": 36.0, "live_in": "no", "fuel": "none", "exit_state": "clear"},
        **{"extinguisher": "ok", "wiring": ["ok"], "ebike_inside": "none", "hydrant": "ok", "signboard": "no"},
        "training": "yes",
        **changed,
    }


def multi_use(name: str, **changed: Any) -> Answers:
    """Premises in which nobody sleeps."""
    return {
        **{"place_name": name, "trade": "shop", "uses": ["operate"], "area": 48.0, "sleepers": 0, "exits": 2},
        **{"exit_state": "clear", "dangerous": ["none"], "wiring": ["ok"], "ebike_inside": "none", "alarm": "yes"},
        **{"extinguisher": "ok", "sandwich": "no", "bars": "no"},
        **changed,
    }


#: One who sleeps on the premises as one should.
SLEEPER = {
    **{"uses": ["live", "operate"], "sleepers": 1, "sleep_where": "separate", "separation": "full"},
    **{"own_exit": "yes", "second_escape": "yes"},
}


def ebikes(place: str = "outdoor", floor: str = "1F", **changed: Any) -> Answers:
    """A spot without a breach."""
    return {
        **{"place": place, "floor_label": floor, "building_class": "low", "behaviours": ["none"], "ebike_count": 6},
        **{"blocks_escape": "no", "combustibles": "no", "facility": "enough", "owner_known": False, "onsite": ["none"]},
        **changed,
    }


def window(floor: int, **changed: Any) -> Answers:
    """A cage before every window, sealed, whose people agree to an opening."""
    return {
        **{"kind": "cage", "premises": "home", "highrise": False, "floor": floor, "windows": 3, "sealed": "yes"},
        **{"opening": "no", "loose": "no", "vulnerable": 0, "consent": "agree", "payer": "community"},
        **changed,
    }


def opened_window(floor: int, day: str, **changed: Any) -> Answers:
    """The same with an escape opening, made on ``day``."""
    return window(
        floor,
        **{"sealed": "no", "opening": "yes", "open_w": 0.9, "open_h": 1.1, "inside_open": "yes", "lock": "latch"},
        **{"obstructed": "no", "retrofit_on": day},
        **changed,
    )


def alarm(beneficiary: str, consent: str, serial: str, installed_on: str, **changed: Any) -> Answers:
    """A smoke alarm that works."""
    return {
        **{"beneficiary": beneficiary, "reason": ["lone_elder"], "consent": consent, "model": "QH-Y1"},
        **{"serial": serial, "cert": "yes", "link": "nb", "room": ["bedroom"], "mount": "ceiling", "wall_gap": 0.6},
        **{"battery_until": "2032-06-30", "tested": True, "heard": True, "payer": "government"},
        **{"installed_on": installed_on, "next_check": "2023-06-30"},
        **changed,
    }


def gas(intent: str, attempts: int = 1) -> Answers:
    """A household asked to have the pipe put in, whose bottled gas is in order."""
    answers: Answers = {"fuel_now": "lpg", "intent": intent, "contact_by": ["door"], "attempts": attempts}
    answers |= {"hose": "metal", "flameout": "yes", "vent": "good", "bedroom": "no", "tampered": "no"}
    return answers | ({"objection": ["cost"]} if intent in ("wait", "refuse") else {})


def welfare(case_ref: str, persons: int, reviewers: list[str], **changed: Any) -> Answers:
    """A low-income household reviewed, unchanged."""
    return {
        **{"case_ref": case_ref, "declared": persons, "actual": persons, "changes": ["none"], "method": ["home"]},
        **{"suggest": "keep", "reviewers": reviewers, "next_on": "2023-06-30"},
        **changed,
    }


def vaccination(person: str, age_band: str, status: str, **changed: Any) -> Answers:
    """An elderly person asked about the vaccine."""
    return {
        **{"person": person, "age_band": age_band, "vaccine": "灭活疫苗", "status": status},
        **{"doses": 3 if status == "done" else 0, "mobility": "free"},
        **changed,
    }


def request(summary: str, category: str, owner: str, due: str, **changed: Any) -> Answers:
    """A resident's request, not answered yet."""
    return {
        **{"source": "visit", "category": category, "summary": summary, "urgency": "normal", "owner": owner},
        "due": due,
        **changed,
    }


def helper(person: str, name: str, assigned_on: str, **changed: Any) -> Answers:
    """One who has a helper, and what was done this time."""
    return {
        **{"person": person, "helper": name, "assigned_on": assigned_on, "needs": ["medicine", "shopping"]},
        "errands": ["medicine"],
        **changed,
    }


def event(kind: str, title: str, held_on: str, people: int, **changed: Any) -> Answers:
    """Something that was held."""
    return {"kind": kind, "title": title, "held_on": held_on, "people": people, **changed}


def house(owner: str, **changed: Any) -> Answers:
    """A sound self-built house whose appraisal is still to come."""
    return {
        **{"owner_name": owner, "land_type": "collective", "use_type": "self", "storeys_above": 3},
        **{"floor_area": 280.0, "built_year": 2003, "structure": "brick_concrete", "design": "sketch"},
        **{"altered": "no", "tilt": "none", "foundation_state": "none", "crack": "none", "facade_loose": "no"},
        **{"site_risks": ["none"], "prelim": "none", "appraisal": "todo", "occupant_households": 2},
        "occupant_persons": 6,
        **changed,
    }


def appraised_house(owner: str, grade: str, report_no: str, report_on: str, **changed: Any) -> Answers:
    """The same with the report of a qualified body."""
    appraisal = {"appraisal": "done", "grade": grade, "report_no": report_no, "report_on": report_on}
    grave = {"prelim": "some", "controls": ["evacuate"], "works": ["reinforce"]} if grade in ("C", "D") else {}
    return house(owner, report_body="衡正房屋鉴定所", **appraisal, **grave, **changed)
