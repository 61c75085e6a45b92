"""A rule set to and from plain JSON values: the shape of its YAML file, of the database and of the feed."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from mobile_contract.forms.definition import DefinitionInvalid, Document, Label
from mobile_contract.forms.document import Faults
from mobile_contract.forms.strict_yaml import read_yaml
from mobile_contract.rules.definition import (
    AT,
    CATEGORIES,
    DUE,
    Action,
    At,
    Basis,
    BasisMark,
    Parameter,
    Rule,
    RuleSet,
    Severity,
    Source,
)

_SET_KEYS = frozenset({"form", "version", "form_versions", "category", "rules"})
_RULE_NEEDS = frozenset({"code", "title", "severity", "due", "actions", "evidence", "closers", "basis"})
_RULE_KEYS = _RULE_NEEDS | {"group", "when", "at", "hidden", "due_note", "parameters"}
_CODE = re.compile(r"[A-Z]{2,8}(-[A-Z0-9]{1,12})?")


@cache
def sources() -> dict[str, Source]:
    """Every source a basis may cite, by id."""
    raw = read_yaml(Path(__file__).with_name("sources.yaml"))
    return {key: Source(key, Label(item["title"], item["en"]), item["force"]) for key, item in raw.items()}


def parse_rules(document: Document, source: str = "rules") -> RuleSet:
    """Reads a rule document. Raises DefinitionInvalid listing every structural fault.

    Meaning is judged by `publish_checks.check_rules`.
    """
    faults = Faults()
    if not faults.keys("rules", document, _SET_KEYS, _SET_KEYS):
        raise DefinitionInvalid(source, faults.found)
    versions = document.get("form_versions")
    if not isinstance(versions, list) or not versions or not all(_whole(item) for item in versions):
        faults.add("form_versions", "must be a list of form versions")
        versions = []
    if not _whole(document.get("version")):
        faults.add("version", "must be a whole number from 1")
    if document.get("category") not in list(CATEGORIES):
        faults.add("category", f"{document.get('category')!r} is not one of {', '.join(CATEGORIES)}")
    raw_rules = document.get("rules")
    if not isinstance(raw_rules, list):
        faults.add("rules", "must be a list")
        raw_rules = []
    rules = tuple(_parse_rule(raw, position, faults) for position, raw in enumerate(raw_rules))
    codes = [rule.code for rule in rules]
    for twice in sorted({code for code in codes if codes.count(code) > 1}):
        faults.add("rules", f"code {twice!r} stands twice")
    if faults.found:
        raise DefinitionInvalid(source, faults.found)
    return RuleSet(str(document["form"]), int(document["version"]), tuple(versions), str(document["category"]), rules)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _parse_rule(raw: Any, position: int, faults: Faults) -> Rule:
    where = f"rules[{position}]"
    if not faults.keys(where, raw, _RULE_KEYS, _RULE_NEEDS):
        raw = {}
    for key in ("code", "group"):
        if key in raw and not (isinstance(raw[key], str) and _CODE.fullmatch(raw[key])):
            faults.add(where, f"{key} {raw[key]!r} must look like EBC-01")
    where = f"rules.{raw.get('code')}"
    due = str(raw.get("due"))
    if not DUE.fullmatch(due):
        faults.add(where, f"due {due!r} must be 0, 24h, 7d or 5wd")
    if raw.get("severity") not in Severity.__members__.values():
        faults.add(where, f"severity {raw.get('severity')!r} is not one of {', '.join(Severity)}")
    if not isinstance(raw.get("when", ""), str) or ("when" not in raw and "at" not in raw):
        faults.add(where, "needs a condition in when")
    if raw.get("hidden", "unknown") != "unknown":
        faults.add(where, "hidden can only be unknown")
    return Rule(
        code=str(raw.get("code")),
        title=faults.label(f"{where}.title", raw.get("title")),
        severity=Severity(raw["severity"]) if raw.get("severity") in list(Severity) else Severity.YELLOW,
        when=raw.get("when"),
        due=due,
        actions=_parse_actions(raw.get("actions"), where, faults),
        evidence=faults.texts(f"{where}.evidence", raw.get("evidence")),
        closers=faults.texts(f"{where}.closers", raw.get("closers")),
        basis=_parse_basis(raw.get("basis"), where, faults),
        group=raw.get("group"),
        at=_parse_at(raw["at"], where, faults) if "at" in raw else None,
        hidden_unknown="hidden" in raw,
        due_note=faults.label(f"{where}.due_note", raw["due_note"]) if "due_note" in raw else None,
        parameters=_parse_parameters(raw.get("parameters", []), where, faults),
    )


def _parse_parameters(raw: Any, where: str, faults: Faults) -> tuple[Parameter, ...]:
    keys = frozenset({"field", "label", "minimum", "maximum"})
    if not isinstance(raw, list):
        faults.add(f"{where}.parameters", "must be a list")
        return ()
    found = []
    for position, item in enumerate(raw):
        spot = f"{where}.parameters[{position}]"
        if not faults.keys(spot, item, keys, keys):
            continue
        low, high = item["minimum"], item["maximum"]
        if not _number(low) or not _number(high) or not 0 <= low < high:
            faults.add(spot, "minimum and maximum must be numbers from 0, in this order")
            continue
        found.append(Parameter(str(item["field"]), faults.label(f"{spot}.label", item["label"]), low, high))
    return tuple(found)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _parse_at(raw: Any, where: str, faults: Faults) -> At | None:
    match = AT.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        faults.add(where, f"at {raw!r} must look like `battery_until - 30 days`")
        return None
    days = int(match["days"] or 0)
    return At(match["field"], -days if match["sign"] == "-" else days)


def _parse_actions(raw: Any, where: str, faults: Faults) -> tuple[Action, ...]:
    allowed = frozenset({"do", "to", "by", "on_repeat", "note"})
    if not isinstance(raw, list) or not raw:
        faults.add(f"{where}.actions", "must be a non-empty list")
        return ()
    found = []
    for position, item in enumerate(raw):
        spot = f"{where}.actions[{position}]"
        if isinstance(item, str):
            found.append(Action(item))
        elif faults.keys(spot, item, allowed, frozenset({"do"})):
            note = faults.label(f"{spot}.note", item["note"]) if "note" in item else None
            repeat = item.get("on_repeat") is True
            to, by = item.get("to"), item.get("by", "community")
            if not isinstance(to, str | None) or not isinstance(by, str):
                faults.add(spot, "to and by must be texts")
                continue
            found.append(Action(str(item.get("do")), to, by, repeat, note))
    return tuple(found)


def _parse_basis(raw: Any, where: str, faults: Faults) -> tuple[Basis, ...]:
    if not isinstance(raw, list) or not raw:
        faults.add(f"{where}.basis", "must be a non-empty list")
        return ()
    found = []
    for position, item in enumerate(raw):
        spot = f"{where}.basis[{position}]"
        if not faults.keys(spot, item, frozenset({"mark", "text", "source", "when"}), frozenset({"mark", "text"})):
            continue
        if item.get("mark") not in list(BasisMark):
            faults.add(spot, f"mark {item.get('mark')!r} is not V, U or D")
            continue
        if not isinstance(item.get("when"), str | None):
            faults.add(spot, "when must be a condition")
            continue
        if not isinstance(item.get("text"), str) or not item["text"].strip():
            faults.add(spot, "text is empty")
        cited = item.get("source")
        if cited is not None and cited not in list(sources()):
            faults.add(spot, f"source {cited!r} is not in sources.yaml")
            cited = None
        source = None if cited is None else sources()[cited]
        found.append(Basis(BasisMark(item["mark"]), str(item.get("text")), source, item.get("when")))
    return tuple(found)


def rules_document(ruleset: RuleSet) -> dict[str, Any]:
    """The rule set as JSON values; `parse_rules` reads it back to an equal one."""
    return {
        "form": ruleset.form,
        "version": ruleset.version,
        "form_versions": list(ruleset.form_versions),
        "category": ruleset.category,
        "rules": [_rule_document(rule) for rule in ruleset.rules],
    }


def _rule_document(rule: Rule) -> dict[str, Any]:
    at = rule.at and (f"{rule.at.field} {'-' if rule.at.days < 0 else '+'} {abs(rule.at.days)} days")
    optional = {
        "group": rule.group,
        "when": rule.when,
        "at": at,
        "hidden": "unknown" if rule.hidden_unknown else None,
        "due_note": _label(rule.due_note),
        "parameters": [_parameter_document(parameter) for parameter in rule.parameters] or None,
    }
    return {
        "code": rule.code,
        "title": _label(rule.title),
        "severity": str(rule.severity),
        "due": rule.due,
        "actions": [_action_document(action) for action in rule.actions],
        "evidence": list(rule.evidence),
        "closers": list(rule.closers),
        "basis": [_basis_document(basis) for basis in rule.basis],
    } | _without_none(optional)


def _parameter_document(parameter: Parameter) -> dict[str, Any]:
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    return {"field": parameter.field, "label": _label(parameter.label), **bounds}


def _action_document(action: Action) -> dict[str, Any]:
    document = {"do": action.do, "to": action.to, "note": _label(action.note)}
    by = None if action.by == "community" else action.by
    return _without_none(document | {"by": by, "on_repeat": action.on_repeat or None})


def _basis_document(basis: Basis) -> dict[str, Any]:
    source = basis.source and basis.source.id
    return _without_none({"mark": str(basis.mark), "text": basis.text, "source": source, "when": basis.when})


def _label(label: Label | None) -> dict[str, str] | None:
    return None if label is None else {"zh": label.zh, "en": label.en}


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}
