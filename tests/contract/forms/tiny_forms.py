"""Small invented forms and rule sets for tests."""

from typing import Any

from mobile_contract.forms import Form, parse_form
from mobile_contract.rules import RuleSet, parse_rules


def label(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def field(name: str, kind: str = "text", codes: str = "", **more: Any) -> dict[str, Any]:
    choices = {"choices": {code: label(code) for code in codes.split()}} if codes else {}
    return {"id": name, "label": label(name), "type": kind} | choices | more


def form(*fields: dict[str, Any], **more: Any) -> Form:
    return parse_form({"code": "tiny", "version": 1, "title": label("tiny"), "fields": list(fields)} | more)


def rule(when: str | None = None, **more: Any) -> dict[str, Any]:
    condition = {} if when is None else {"when": when}
    return (
        {
            "code": "TNY-01",
            "title": label("tiny"),
            "severity": "yellow",
            "due": "7d",
            "actions": ["fix"],
            "evidence": ["ph"],
            "closers": ["grid_head"],
            "basis": [{"mark": "U", "text": "-"}],
        }
        | condition
        | more
    )


def rules(*items: dict[str, Any], **more: Any) -> RuleSet:
    return parse_rules(
        {"form": "tiny", "version": 1, "form_versions": [1], "category": "other", "rules": list(items)} | more
    )


def everything() -> Form:
    """A form with every readable type, a chain of hideable fields and some that no condition may read."""
    return form(
        field("one", "one_of", "p q r unknown"),
        field("many", "many_of", "p q r"),
        field("yes", "yes_no"),
        field("flag", "boolean"),
        field("count", "integer"),
        field("size", "decimal"),
        field("fee", "money"),
        field("day", "date"),
        field("later", "date"),
        field("word", "text"),
        field("shown", "one_of", "x y", visible_when="a.one == 'p'"),
        field("chained", "many_of", "m n", visible_when="a.shown == 'x'"),
        field("wide", "decimal", visible_when="a.yes == 'yes'"),
        field("secret", "text", sensitive="name"),
        field("pictures", "photos"),
        locus=["one", "word"],
    )
