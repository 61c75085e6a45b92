"""Rules as data: what makes a hazard, how grave it is, until when, who closes it and on what ground."""

from mobile_contract.rules.catalogue import (
    RulesUnknown,
    get_rules,
    list_rules,
    load_rules,
)
from mobile_contract.rules.deadlines import at_ms, due_at_ms
from mobile_contract.rules.definition import (
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
from mobile_contract.rules.document import parse_rules, rules_document, sources
from mobile_contract.rules.evaluate import (
    CompiledRules,
    RuleResult,
    basis_in_force,
    compile_rules,
    evaluate,
)
from mobile_contract.rules.hazard_identity import NS_HAZARD, hazard_id, locus_of

__all__ = [
    "NS_HAZARD",
    "Action",
    "At",
    "Basis",
    "BasisMark",
    "CompiledRules",
    "Parameter",
    "Rule",
    "RuleResult",
    "RuleSet",
    "RulesUnknown",
    "Severity",
    "Source",
    "at_ms",
    "basis_in_force",
    "compile_rules",
    "due_at_ms",
    "evaluate",
    "get_rules",
    "hazard_id",
    "list_rules",
    "load_rules",
    "locus_of",
    "parse_rules",
    "rules_document",
    "sources",
]
