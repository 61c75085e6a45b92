"""What looks and steps make of one hazard, a plain dictionary: the life cycle as the domain's table tells it."""

from typing import Any

Hazard = dict[str, Any]
GRAVITY = ["blue", "yellow", "orange", "red"]
LINE = ["grid_head", "safety_officer", "committee", "street"]
OPEN = ("registered", "assigned", "fixing", "review")
LEADS = {"grid_head", "safety_officer", "committee"}
MAY = {
    "assign": LEADS,
    "accept": LEADS | {"grid_worker"},
    "submit": LEADS | {"grid_worker"},
    "close": LEADS | {"street", "department"},
    "return": LEADS | {"street", "department"},
    "void": {"safety_officer", "committee"},
}
FROM = {
    "assign": ("registered", "assigned"),
    "accept": ("assigned",),
    "submit": ("fixing",),
    "close": ("review",),
    "return": ("review",),
    "void": ("registered",),
}


def note(hazard: Hazard, step: str, before: str, ms: int, cause: tuple[str, str, str]) -> None:
    hazard["changes"].append((hazard["cycle"], step, before or None, hazard["state"], ms, hazard["severity"], *cause))


def saw(hazard: Hazard, look: dict[str, Any]) -> None:
    cause = ("visit", look["id"], look["author"])
    before = hazard["state"]
    if look["seen"] == "present":
        gravest = max((rule.severity for rule, _, _ in look["fired"]), key=GRAVITY.index)
        soonest = min(due for _, due, _ in look["fired"])
        if before not in OPEN:
            if hazard["ended"] and look["evidence"] < hazard["ended"]:
                return
            hazard |= {"state": "registered", "cycle": hazard["cycle"] + 1, "severity": gravest, "seen": gravest}
            hazard |= {"deadline": soonest, "fixed_terms": False, "fixed_date": False, "registered": look["key"][0]}
            hazard |= {
                "rules": {},
                "submitter": None,
                "revisit": None,
                "doubted": False,
                "closed": None,
                "begun": look["evidence"],
            }
            hazard |= {"assigned": None}
            hazard.setdefault("form", look["form"])
            note(hazard, "relapse" if hazard["cycle"] > 1 else "register", before, look["key"][0], cause)
        else:
            hazard["doubted"] = hazard["doubted"] or (before == "review" and look["evidence"] > hazard["since"])
            hazard["seen"] = max(hazard["seen"], gravest, key=GRAVITY.index)
            hazard["severity"] = hazard["severity"] if hazard["fixed_terms"] else hazard["seen"]
            hazard["deadline"] = hazard["deadline"] if hazard["fixed_date"] else min(hazard["deadline"], soonest)
        hazard["rules"] |= {rule.code: rule for rule, _, _ in look["fired"]}
        hazard["last"] = look["key"][0]
        if look["fixed"]:
            hazard |= {"submitter": look["author"], "doubted": False}
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
    if kind == "close" and (why := refused_closing(hazard, fact, looks)):
        return why
    after = {"assign": "assigned", "accept": "fixing", "submit": "review", "close": "closed", "void": "void"}
    hazard["state"] = after.get(kind) or ("fixing" if hazard["assigned"] else "registered")
    if kind == "assign":
        hazard |= {"severity": step["severity"], "deadline": step["deadline_ms"], "assigned": fact["id"]}
        hazard |= {"fixed_terms": True, "fixed_date": True}
    elif kind == "submit":
        hazard |= {"submitter": fact["author"], "since": fact["key"]}
    elif kind == "close":
        hazard |= {"closed": fact["ms"], "revisit": step.get("revisit_id") or hazard["revisit"], "ended": fact["key"]}
        hazard["closed"] = fact["key"][0]
    elif kind == "void":
        hazard["ended"] = fact["key"]
    elif kind == "return":
        hazard |= {"submitter": None, "revisit": None, "doubted": False}
        if step.get("deadline_ms") is not None:
            hazard |= {"deadline": step["deadline_ms"], "fixed_date": True}
    note(hazard, kind, before, fact["key"][0], ("step", fact["id"], fact["author"]))
    return None


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
    )
    return {name: hazard[name] for name in same} | {
        "proposed": hazard["seen"] if graver else None,
        "contradicted": hazard["doubted"],
        "rules": sorted(hazard["rules"]),
        "assigned": hazard["assigned"],
    }
