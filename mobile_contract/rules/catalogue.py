"""The rule sets of a folder: one immutable YAML file a version, named `<form code>.v<version>.yaml`."""

from functools import cache
from pathlib import Path

from mobile_contract.forms.definition import DefinitionInvalid
from mobile_contract.forms.strict_yaml import YamlInvalid, read_yaml
from mobile_contract.rules.definition import RuleSet
from mobile_contract.rules.document import parse_rules

SHIPPED = Path(__file__).parent


class RulesUnknown(LookupError):
    """No such rule set version in the catalogue."""


def load_rules(path: Path) -> RuleSet:
    """Reads one rule file. Raises DefinitionInvalid naming the file and every fault."""
    try:
        ruleset = parse_rules(read_yaml(path), path.name)
    except YamlInvalid as error:
        raise DefinitionInvalid(path.name, [str(error)]) from error
    expected = f"{ruleset.form}.v{ruleset.version}.yaml"
    if path.name != expected:
        raise DefinitionInvalid(path.name, [f"this rule file must be named {expected}"])
    return ruleset


@cache
def _load_folder(folder: Path) -> dict[tuple[str, int], RuleSet]:
    rulesets = (load_rules(path) for path in sorted(folder.glob("*.v*.yaml")))
    return {(ruleset.form, ruleset.version): ruleset for ruleset in rulesets}


def list_rules(folder: Path = SHIPPED) -> list[RuleSet]:
    """Every rule set version, by form and version."""
    return [ruleset for _, ruleset in sorted(_load_folder(folder).items(), key=lambda item: item[0])]


def get_rules(form_code: str, version: int, folder: Path = SHIPPED) -> RuleSet:
    """One rule set version, always the same object. Raises RulesUnknown."""
    try:
        return _load_folder(folder)[form_code, version]
    except KeyError:
        raise RulesUnknown(f"no rules for {form_code} version {version}") from None
