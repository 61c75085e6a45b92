"""The grounds of a hazard's rules that hold in its case: an article with a condition is law only where that is met.

Judged by the answers that last showed the hazard; where these cannot be opened any more, no condition counts as met.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from backend.forms.catalogue import FormCatalogue, RuleBook
from backend.hazards.facts import Block
from backend.http.context import RequestContext
from backend.identity.keys import Keyring
from backend.rectification.families import load_families
from backend.rectification.loading import load_facts
from backend.rectification.presenting import RuleTitles
from mobile_contract.rules import Basis, Rule, RuleResult, basis_in_force, evaluate, locus_of


def grounds_in_force(ctx: RequestContext, rows: Sequence[Row[Any]]) -> dict[UUID, dict[str, tuple[Basis, ...]]]:
    """By hazard and rule code: the grounds that hold. ``rows`` are of ``queries.select_tasks``."""
    catalogue = ctx.runtime.part(FormCatalogue)
    titles = RuleTitles(ctx.session, catalogue)
    rules = {row.id: titles.rules_of(row.form, row.rule_version, row.rules) for row in rows}
    conditional = [row for row in rows if any(basis.when for rule in rules[row.id] for basis in rule.basis)]
    if not conditional:
        return {row.id: {rule.code: rule.basis for rule in rules[row.id]} for row in rows}
    blocks = _blocks_at(ctx, {row.place_id for row in conditional})
    book = catalogue.rule_book(ctx.session, ctx.community_id)
    return {
        row.id: {rule.code: _grounds(book, row, rule, blocks.get(row.place_id, [])) for rule in rules[row.id]}
        for row in rows
    }


def _blocks_at(ctx: RequestContext, place_ids: set[UUID]) -> dict[UUID, list[Block]]:
    """All filled forms at each place (and at those merged into it), the newest visit first."""
    session, community_id = ctx.session, ctx.community_id
    families = load_families(session, community_id, place_ids)
    members = sorted({member for family in families for member in family.members})
    sealer = ctx.runtime.part(Keyring).sealer(session, community_id)
    visits = sorted(
        load_facts(session, community_id, sealer, members).visits, key=lambda visit: visit.key, reverse=True
    )
    blocks = [block for visit in visits if visit.outcome == "done" for block in visit.blocks]
    names = {family.place_id: {str(member) for member in family.members} for family in families}
    return {place_id: [block for block in blocks if block.place_id in here] for place_id, here in names.items()}


def _grounds(book: RuleBook, row: Row[Any], rule: Rule, blocks: Sequence[Block]) -> tuple[Basis, ...]:
    for block in blocks:
        form = book.forms.get((block.form, block.version))
        judge = None if form is None or block.form != row.form else book.rules_of(form, row.rule_version)
        if form is None or judge is None or locus_of(form, block.answers) != row.locus:
            continue
        if rule.code in block.fixed or evaluate(judge, block.answers).get(rule.code) is RuleResult.PRESENT:
            return basis_in_force(form, rule, block.answers)
    return tuple(basis for basis in rule.basis if basis.when is None)
