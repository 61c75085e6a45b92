"""The rows of a numbered hazard that nothing speaks of any more."""

from collections.abc import Callable, Mapping
from uuid import UUID

from backend.forms.catalogue import RuleBook
from backend.hazards.models import LedgerNumber
from backend.rectification.families import Family
from backend.rectification.projection_tables import Rows


def add_void(
    rows: Mapping[str, Rows],
    family: Family,
    number: LedgerNumber,
    own_id: Callable[[UUID, str, str], UUID],
    book: RuleBook,
) -> None:
    """A numbered hazard that no record supports any more: void, for ever under its number."""
    merged = family.merged_into
    severity, closer = _gentlest(book, number)
    rows["hazard"][(number.hazard_id,)] = (
        family.place_id,
        family.grid_id,
        family.building_id,
        number.form,
        number.chain,
        number.locus,
        [],
        0,
        severity,
        None,
        severity == "blue",
        "void",
        *(0,) * 4,
        None,
        0,
        False,
        "merged" if merged is not None else "no_record",
        own_id(merged, number.chain, number.locus) if merged is not None else None,
    )
    rows["rectification_task"][(number.hazard_id,)] = (
        *(family.place_id, closer),
        *(None,) * 6,
        *(0, None, None, None),
    )


def _gentlest(book: RuleBook, number: LedgerNumber) -> tuple[str, str]:
    """Severity and closer to show for a void hazard: those of its chain's first rule in the newest rule set."""
    for _, version in reversed(book.in_force.get(number.form, ())):
        rules = book.rule_sets[number.form, version].chains.get(number.chain)
        if rules:
            return str(rules[0].severity), rules[0].closers[0]
    return "yellow", "grid_head"
