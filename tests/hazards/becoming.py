"""What looks and steps make of one hazard, a plain dictionary: the life cycle as the domain's table tells it."""

from copy import deepcopy
from typing import Any

from mobile_contract.rules import list_rules
from tests.hazards.invented import EXTINGUISHER_RULES
from tests.hazards.judging import due_ms

Hazard = dict[str, Any]
GRAVITY = ["blue", "yellow", "orange", "red"]
#: What the rules ask for is read off them: they are data, held against the domain's table elsewhere.
EVIDENCE = {rule.code: rule.evidence for rules in [*list_rules(), EXTINGUISHER_RULES] for rule in rules.rules}
LINE = ["grid_head", "safety_officer", "committee", "street"]
OPEN = ("registered", "assigned", "fixing", "review", "referred")
LEADS = {"grid_head", "safety_officer", "committee"}
FIELD = LEADS | {"grid_worker"}
ABOVE = {"street", "department"}
MAY = {
    "assign": LEADS,
    "accept": FIELD,
    "submit": FIELD,
    "close": LEADS | ABOVE,
    "return": LEADS | ABOVE,
    "void": {"safety_officer", "committee"},
    "extend": {"committee", "street"},
    "refer": {"committee"},
    "chase": LEADS,
    "feedback": ABOVE,
    "relapse": FIELD | {"street"},
    "reassign": LEADS,
    "undo": FIELD | ABOVE,
}
FROM = {
    "assign": ("registered", "assigned"),
    "accept": ("assigned",),
    "submit": ("fixing",),
    "close": ("review",),
    "return": ("review",),
    "void": ("registered",),
    "extend": ("fixing",),
    "refer": ("registered", "assigned", "fixing", "review"),
    "chase": ("referred",),
    "feedback": ("referred",),
    "relapse": ("closed",),
    "reassign": ("assigned", "fixing", "review", "referred"),
    "undo": (*OPEN, "closed", "void"),
}
AFTER = {"assign": "assigned", "accept": "fixing", "submit": "review", "close": "closed", "void": "void"}
AFTER |= {"refer": "referred", "feedback": "review"}
FIVE = ("measures", "responsible_party", "funds", "deadline_ms", "plan")
QUARTER_HOUR = 15 * 60 * 1000
FRESH = {"submitter": None, "revisit": None, "doubted": False, "closed": None, "extended": 0, "proof": set()}
FRESH |= {"referred": None, "chased": None}


def note(hazard: Hazard, step: str, before: str, ms: int, cause: tuple[str, str, str]) -> None:
    hazard["changes"].append((hazard["cycle"], step, before or None, hazard["state"], ms, hazard["severity"], *cause))


def both_due(due: str, severity: str, from_ms: int, days: Any, at_ms: int) -> tuple[int, int]:
    """The deadline, and what it would be were the finding red."""
    strict = due_ms(due, from_ms, days, at_ms)
    return due_ms(due, from_ms, days, at_ms, is_red=severity == "red"), strict


def due_of(fired: list[Any], gravest: str) -> tuple[int, int]:
    strict = min(strict for _, (_, strict), _ in fired)
    return strict if gravest == "red" else min(due for _, (due, _), _ in fired), strict


def saw(hazard: Hazard, look: dict[str, Any]) -> None:
    cause = ("visit", look["id"], look["author"])
    before = hazard["state"]
    if look["seen"] in ("present", "absent"):
        hazard["last_step"] = None
    if look["seen"] == "present":
        gravest = max((rule.severity for rule, _, _ in look["fired"]), key=GRAVITY.index)
        soonest, strict = due_of(look["fired"], gravest)
        if before not in OPEN:
            if hazard["ended"] and look["evidence"] < hazard["ended"]:
                return
            hazard |= {"state": "registered", "cycle": hazard["cycle"] + 1, "severity": gravest, "seen": gravest}
            hazard |= {
                "strict": strict,
                "deadline": soonest,
                "fixed_terms": False,
                "fixed_date": False,
                "registered": look["key"][0],
            }
            hazard |= {**deepcopy(FRESH), "rules": {}, "begun": look["evidence"]}
            hazard |= {"assigned": None, "holder": None, "five": False}
            hazard.setdefault("form", look["form"])
            note(hazard, "relapse" if hazard["cycle"] > 1 else "register", before, look["key"][0], cause)
        else:
            hazard["doubted"] = hazard["doubted"] or (before == "review" and look["evidence"] > hazard["since"])
            hazard["seen"] = max(hazard["seen"], gravest, key=GRAVITY.index)
            hazard["severity"] = hazard["severity"] if hazard["fixed_terms"] else hazard["seen"]
            hazard["strict"] = min(hazard["strict"], strict)
            sooner = min(hazard["deadline"], hazard["strict"] if hazard["seen"] == "red" else soonest)
            hazard["deadline"] = hazard["deadline"] if hazard["fixed_date"] else sooner
        hazard["rules"] |= {rule.code: rule for rule, _, _ in look["fired"]}
        hazard["last"] = look["key"][0]
        if look["fixed"]:
            hazard |= {"submitter": look["author"], "doubted": False, "proof": hazard["proof"] | {"ph"}}
            propose(hazard, look, cause)
    elif look["seen"] == "absent" and before in OPEN:
        hazard["doubted"] = False
        if before != "review":
            hazard["submitter"] = look["author"]
        propose(hazard, look, cause)


def propose(hazard: Hazard, look: dict[str, Any], cause: tuple[str, str, str]) -> None:
    hazard["revisit"] = look["id"]
    before = hazard["state"]
    if before != "review":
        hazard |= {"state": "review", "since": look["key"]}
        note(hazard, "propose", before, look["key"][0], cause)


def stepped(hazard: Hazard, fact: dict[str, Any], looks: list[dict[str, Any]]) -> str | None:
    """Takes a step, or says why not."""
    step, before = fact["step"], hazard["state"]
    kind = step["kind"]
    if kind not in FROM:
        return "step_unknown"
    if not before:
        return "hazard_unknown"
    if before not in FROM[kind]:
        return "wrong_state"
    if fact["role"] not in MAY[kind]:
        return "not_permitted"
    if why := refused(hazard, fact, looks):
        return why
    if kind == "undo":
        undone, was = hazard["last_step"]
        hazard.clear()
        hazard |= {**was, "last_step": None}
        return "undid " + str(undone["id"])
    was = deepcopy({name: value for name, value in hazard.items() if name != "last_step"})
    hazard["last_step"] = (fact, was)
    hazard["state"] = AFTER.get(kind, before)
    happened(hazard, fact, step)
    note(hazard, kind, before, fact["key"][0], ("step", fact["id"], fact["author"]))
    return None


def happened(hazard: Hazard, fact: dict[str, Any], step: dict[str, Any]) -> None:
    """What a step does beside the state of the table."""
    kind, at = step["kind"], fact["key"][0]
    if kind == "assign":
        hazard |= {"severity": step["severity"], "assigned": fact["id"], "holder": step.get("assignee_account_id")}
        hazard |= {"fixed_terms": True, "five": all(step.get(name) for name in FIVE)}
    elif kind == "submit":
        hazard |= {"submitter": fact["author"], "since": fact["key"]}
        hazard["proof"] = hazard["proof"] | ({"ph"} if step.get("photos") else set())
    elif kind == "close":
        hazard |= {"closed": at, "revisit": step.get("revisit_id") or hazard["revisit"], "ended": fact["key"]}
    elif kind == "void":
        hazard["ended"] = fact["key"]
    elif kind == "return":
        hazard |= {"submitter": None, "revisit": None, "doubted": False, "proof": set(), "state": undone_work(hazard)}
    elif kind == "extend":
        hazard["extended"] += 1
    elif kind in ("refer", "chase"):
        hazard["chased"] = at
        hazard["referred"] = at if kind == "refer" else hazard["referred"]
    elif kind == "feedback":
        hazard |= {"submitter": fact["author"], "doubted": False, "since": fact["key"]}
        hazard["proof"] = hazard["proof"] | ({"xp"} if step.get("attachments") else set())
    elif kind == "relapse":
        state = undone_work(hazard) if hazard["severity"] == "red" else "fixing"
        hazard |= {**deepcopy(FRESH), "state": state, "cycle": hazard["cycle"] + 1, "begun": fact["key"]}
        hazard |= {"registered": at, "last": at, "seen": hazard["severity"], "fixed_date": False}
        pairs = [both_due(rule.due, hazard["severity"], at, hazard["days"], at) for rule in hazard["rules"].values()]
        hazard |= {"deadline": min(due for due, _ in pairs), "strict": min(strict for _, strict in pairs)}
    elif kind == "reassign":
        hazard["holder"] = step["assignee_account_id"]
    if kind in ("assign", "return", "extend", "relapse") and step.get("deadline_ms") is not None:
        hazard |= {"deadline": step["deadline_ms"], "fixed_date": True}


def undone_work(hazard: Hazard) -> str:
    """Where one stands that is not put right."""
    if not hazard["assigned"]:
        return "registered"
    return "assigned" if hazard["severity"] == "red" and not hazard["five"] else "fixing"


def refused(hazard: Hazard, fact: dict[str, Any], looks: list[dict[str, Any]]) -> str | None:
    step, is_new = fact["step"], fact.get("version", 1) >= 2
    match step["kind"]:
        case "close":
            return refused_closing(hazard, fact, looks) or (unproven(hazard, step) if is_new else None)
        case "accept" if is_new:
            if not step.get("signature") and not step.get("refusal_witness"):
                return "signature_missing"
            return "five_missing" if hazard["severity"] == "red" and not hazard["five"] else None
        case "submit" if is_new:
            return None if step.get("photos") else "photos_missing"
        case "relapse":
            return None if step.get("photos") else "photos_missing"
        case "extend":
            if hazard["severity"] == "red" and fact["role"] != "street":
                return "extender_not_permitted"
            if hazard["extended"] == 2:
                return "extended_twice"
            if fact["key"][0] > hazard["deadline"]:
                return "extended_too_late"
            return None if step["deadline_ms"] > hazard["deadline"] else "extended_to_earlier"
        case "undo":
            last = hazard.get("last_step")
            if not last or last[0]["id"] != step["undoes"]:
                return "nothing_to_undo"
            if last[0]["author"] != fact["author"]:
                return "not_own_step"
            return "undo_too_late" if fact["key"][0] > last[0]["key"][0] + QUARTER_HOUR else None
    return None


def unproven(hazard: Hazard, step: dict[str, Any]) -> str | None:
    asked = {kind for rule in hazard["rules"].values() for kind in EVIDENCE[rule.code]}
    shown = {said["kind"] for said in step.get("evidence", ()) if said["attachments"]}
    return "evidence_missing" if asked - {"rv"} - hazard["proof"] - shown else None


def refused_closing(hazard: Hazard, fact: dict[str, Any], looks: list[dict[str, Any]]) -> str | None:
    gravest = max(hazard["rules"].values(), key=lambda rule: (GRAVITY.index(rule.severity), rule.code))
    role, closer = fact["role"], gravest.closer
    in_line = role in LINE and closer in LINE and LINE.index(role) >= LINE.index(closer)
    if fact["author"] == hazard["submitter"]:
        return "submitter_may_not_close"
    if not (in_line or role == closer == "department"):
        return "closer_not_permitted"
    since = hazard["since"]
    if cited := fact["step"].get("revisit_id"):
        revisit = next((look for look in looks if look["id"] == cited and not look["virtual"]), None)
        if revisit is None:
            return "revisit_unknown"
        if revisit["seen"] != "absent" and not revisit["fixed"]:
            return "revisit_not_absent"
        if revisit["key"] > fact["key"]:
            return "revisit_later"
        if revisit["evidence"] < hazard["begun"]:
            return "revisit_earlier"
        since = revisit["key"]
    elif any(rule.revisit for rule in hazard["rules"].values()):
        return "revisit_missing"
    between = [look for look in looks if since < look["evidence"] and look["key"] < fact["key"]]
    unknown = [look for look in between if look["id"] not in fact["step"].get("basis", ())]
    return "contradicted" if any(look["seen"] == "present" for look in unknown) else None


def summary(hazard: Hazard) -> dict[str, Any]:
    """What a fold says about a hazard, for comparison."""
    graver = hazard["assigned"] and GRAVITY.index(hazard["seen"]) > GRAVITY.index(hazard["severity"])
    same = (
        "state",
        "cycle",
        "severity",
        "deadline",
        "registered",
        "last",
        "closed",
        "submitter",
        "revisit",
        "changes",
        "form",
        "extended",
        "holder",
        "referred",
        "chased",
    )
    return {name: hazard[name] for name in same} | {
        "proposed": hazard["seen"] if graver else None,
        "contradicted": hazard["doubted"],
        "rules": sorted(hazard["rules"]),
        "assigned": hazard["assigned"],
    }
