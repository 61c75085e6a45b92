"""Forms and rules made up for tests, as documents to publish: one whose rules come true later, and a second version."""

from copy import deepcopy
from typing import Any

from mobile_contract.forms.document import parse_form
from mobile_contract.rules import get_rules, parse_rules, rules_document


def _label(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def _rule(code: str, severity: str, due: str, closer: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "title": _label(code),
        "severity": severity,
        "due": due,
        "actions": ["fix"],
        "closers": [closer],
        "basis": [{"mark": "U", "text": "试验用，无依据"}],
        "evidence": ["ph"],
        **more,
    }


EXTINGUISHER = parse_form(
    {
        "code": "extinguisher_check",
        "version": 1,
        "title": _label("灭火器"),
        "place_kinds": ["building", "household", "premises"],
        "locus": ["spot"],
        "fields": [
            {"id": "spot", "label": _label("位置"), "type": "text"},
            {"id": "fitted", "label": _label("已配"), "type": "yes_no", "required": True},
            {
                "id": "kind",
                "label": _label("种类"),
                "type": "one_of",
                "choices": {"powder": _label("干粉"), "water": _label("水基"), "unknown": _label("不详")},
            },
            {"id": "valid_until", "label": _label("有效期至"), "type": "date", "visible_when": "a.fitted == 'yes'"},
        ],
    }
)
_LIFE = {"group": "EXT-LIFE"}
EXTINGUISHER_RULES = parse_rules(
    {
        "form": "extinguisher_check",
        "version": 1,
        "form_versions": [1],
        "category": "other",
        "rules": [
            _rule("EXT-01", "yellow", "7d", "grid_head", when="a.fitted == 'no'", **_LIFE),
            _rule("EXT-02", "orange", "3d", "grid_head", at="valid_until", **_LIFE),
            _rule("EXT-04", "yellow", "15d", "grid_head", when="a.kind == 'water'", **_LIFE),
            _rule(
                "EXT-03",
                "yellow",
                "24h",
                "safety_officer",
                when="a.kind == 'powder'",
                at="valid_until - 30 days",
                evidence=["ph", "rv"],
            ),
        ],
    }
)


def _second() -> dict[str, Any]:
    document = deepcopy(rules_document(get_rules("ebike_charging", 1)))
    document["version"] = 2
    document["rules"] = [rule for rule in document["rules"] if rule["code"] != "EBC-05"]
    for rule in document["rules"]:
        if rule["code"] == "EBC-02":
            rule |= {"severity": "red", "due": "24h", "closers": ["grid_head"]}
    return document


#: E-bikes judged anew: parking is red and due in a day, a battery taken indoors is no rule any more.
EBIKE_RULES_2 = parse_rules(_second())
