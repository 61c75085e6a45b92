"""The office's API of forms and rules: what is published, and a community's own changes to it."""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.errors import FieldError, InvalidInput
from backend.forms import service
from backend.forms.catalogue import FormCatalogue
from backend.forms.changing import Change, forms_of, newest_rules, publish_change, refuse_wrong
from backend.forms.errors import FormNotFound
from backend.forms.in_force import override_shown, rules_in_force
from backend.forms.listeners import RuleListeners
from backend.forms.models import FormVersion, Reassessment, RuleChange, RuleOverride, RuleVersion
from backend.forms.schemas import (
    FormDetailSchema,
    FormsSchema,
    NewOverrideSchema,
    NewReassessmentSchema,
    NewRuleChangeSchema,
    OverrideSchema,
    OverridesSchema,
    ReassessmentSchema,
    RuleChangeSchema,
    RulesInForceSchema,
)
from backend.http import Blueprint, RequestContext, requires
from backend.http.paging import BadCursor, PageQuery, decode_cursor, page, page_schema
from backend.identity.audit import audit
from mobile_contract.forms import answers_schema, parse_form

blueprint = Blueprint("forms", __name__, url_prefix="/api/v1", description="表单与规则 · Forms and rules")
READS = requires("place.read")
#: Rules hold for the whole community: a role over a part of it cannot change them.
CHANGES = requires("rule.override")
#: The kind of job that folds a place; wanted by those who listen to changed rules.
COMPILE = "compile"
#: What no code looks like need not be asked for: PostgreSQL takes no U+0000.
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@blueprint.get("/forms", guard=READS)
@blueprint.response(200, FormsSchema)
def list_forms(ctx: RequestContext) -> dict[str, Any]:
    """All published form versions, by code and version."""
    forms = ctx.session.scalars(select(FormVersion).order_by(FormVersion.code, FormVersion.version)).all()
    newest = {form.code: form.version for form in forms}
    rules: dict[str, list[RuleVersion]] = {}
    for rule_set in ctx.session.scalars(select(RuleVersion).order_by(RuleVersion.version)):
        rules.setdefault(rule_set.form_code, []).append(rule_set)
    return {"items": [_shown(form, newest[form.code], rules.get(form.code, [])) for form in forms]}


@blueprint.get("/forms/<string:code>/<int:version>", guard=READS, raises=(FormNotFound,))
@blueprint.response(200, FormDetailSchema)
def get_form(ctx: RequestContext, code: str, version: int) -> dict[str, Any]:
    """One form version with the JSON Schema of its answers and its rules."""
    known = _CODE.fullmatch(code) and version < 2**31
    form = ctx.session.get(FormVersion, (code, version)) if known else None
    if form is None:
        raise FormNotFound
    newest = ctx.session.scalar(
        select(FormVersion.version).where(FormVersion.code == code).order_by(FormVersion.version.desc()).limit(1)
    )
    rules = ctx.session.scalars(
        select(RuleVersion).where(RuleVersion.form_code == code).order_by(RuleVersion.version)
    ).all()
    judging = [rule_set for rule_set in rules if version in rule_set.definition["form_versions"]]
    codes = {rule["code"] for rule_set in judging for rule in rule_set.definition["rules"]}
    return {
        **_shown(form, newest or version, list(rules)),
        "definition": form.definition,
        "schema": answers_schema(parse_form(form.definition, f"{code}/{version}")),
        "rule_sets": [
            {"version": r.version, "effective_from_ms": r.effective_from_ms, "definition": r.definition}
            for r in judging
        ],
        "overrides": [override_shown(row) for row in _overrides(ctx.session, ctx.community_id, codes)],
    }


@blueprint.get("/rules", guard=READS)
@blueprint.response(200, RulesInForceSchema)
def list_rules_in_force(ctx: RequestContext) -> dict[str, Any]:
    """Every rule as it judges this community's visits now: its own changes included."""
    return {"items": rules_in_force(ctx.session, ctx.runtime.part(FormCatalogue), ctx.community_id, ctx.now_ms)}


@blueprint.get("/rules/<string:code>/overrides", guard=READS, raises=(service.RuleUnknown,))
@blueprint.response(200, OverridesSchema)
def list_overrides(ctx: RequestContext, code: str) -> dict[str, Any]:
    """The community's changes to one rule, oldest first, those still to come included."""
    forms_of(ctx.session, [code])
    return {"items": [override_shown(row) for row in _overrides(ctx.session, ctx.community_id, {code})]}


@blueprint.post("/rules/<string:code>/override", guard=CHANGES, raises=(service.RuleUnknown,))
@blueprint.arguments(NewOverrideSchema)
@blueprint.response(201, OverrideSchema)
def override_rule(ctx: RequestContext, body: dict[str, Any], code: str) -> dict[str, Any]:
    """Change a rule for this community. Visits from then on are judged by it; they are folded again at once."""
    form_codes = forms_of(ctx.session, [code])
    at_ms = ctx.now_ms if body["effective_from_ms"] is None else body["effective_from_ms"]
    change = Change(code, body["enabled"], body["due"], tuple(sorted((body["thresholds"] or {}).items())))
    made = publish_change(
        *(ctx.session, ctx.community_id, [change]),
        effective_from_ms=at_ms,
        reason=None,
        actor_id=ctx.actor.account_id,
        now_ms=ctx.now_ms,
    )
    changed = {name: body[name] for name in ("enabled", "due", "thresholds")}
    _audit(ctx, "rule_overridden", f"rule:{code}", **changed, effective_from_ms=at_ms, version=made.version)
    _fold_again(ctx, form_codes)
    return dict(_change_shown(ctx.session, made)["overrides"][0])


@blueprint.post("/rules/changes", guard=CHANGES, raises=(service.RuleUnknown,))
@blueprint.arguments(NewRuleChangeSchema)
@blueprint.response(201, RuleChangeSchema)
def publish_rule_change(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Publish changes to rules as the community's next version; try them with ``/rules/dry-run`` first."""
    changes, later_ms = changes_of(body), body["effective_from_ms"]
    refuse_wrong(changes)
    if body["reassess"] and later_ms is not None:
        raise InvalidInput(errors=[FieldError("/effective_from_ms", "reassessed_now")])
    form_codes = forms_of(ctx.session, [change.rule for change in changes])
    at_ms = ctx.now_ms if later_ms is None else later_ms
    book = ctx.runtime.part(FormCatalogue).rule_book(ctx.session, ctx.community_id)
    made = publish_change(
        *(ctx.session, ctx.community_id, changes),
        effective_from_ms=at_ms,
        reassessed=newest_rules(book, form_codes, at_ms) if body["reassess"] else (),
        reason=body["reason"],
        actor_id=ctx.actor.account_id,
        now_ms=ctx.now_ms,
    )
    said = {"rules": [change.rule for change in changes], "reassess": body["reassess"], "reason": body["reason"]}
    _audit(ctx, "rules_changed", f"rule_change:{made.version}", **said, effective_from_ms=at_ms)
    _fold_again(ctx, form_codes)
    return _change_shown(ctx.session, made)


@blueprint.get("/rules/changes", guard=READS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(RuleChangeSchema))
def list_rule_changes(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """The versions of the community's rules, the newest first."""
    key = decode_cursor(query["cursor"], 1)
    found = select(RuleChange).where(RuleChange.community_id == ctx.community_id)
    if key is not None:
        found = found.where(RuleChange.version < as_version(key[0]))
    rows = ctx.session.scalars(found.order_by(RuleChange.version.desc()).limit(query["limit"] + 1)).all()
    shown = page(rows, query["limit"], lambda row: [row.version])
    return {**shown, "items": [_change_shown(ctx.session, row) for row in shown["items"]]}


@blueprint.post("/forms/<string:code>/reassess", guard=CHANGES, raises=(FormNotFound, service.RuleUnknown))
@blueprint.arguments(NewReassessmentSchema)
@blueprint.response(201, ReassessmentSchema)
def reassess_form(ctx: RequestContext, body: dict[str, Any], code: str) -> dict[str, Any]:
    """Look at the last answers of every place with another rule set: a new rule sees old visits in no other way."""
    known = select(FormVersion.version).where(FormVersion.code == code).limit(1)
    if not _CODE.fullmatch(code) or ctx.session.scalar(known) is None:
        raise FormNotFound
    at_ms, rule_version = ctx.now_ms, body["rule_version"]
    reassessment_id = service.reassess(
        ctx.session,
        ctx.community_id,
        code,
        rule_version,
        effective_ms=at_ms,
        actor_id=ctx.actor.account_id,
    )
    _audit(ctx, "form_reassessed", f"form:{code}", rule_version=rule_version, effective_ms=at_ms)
    _fold_again(ctx, [code])
    return {"id": reassessment_id, "form": code, "rule_version": rule_version, "effective_ms": at_ms}


def changes_of(body: dict[str, Any]) -> list[Change]:
    """The changes that a body names."""
    return [
        Change(said["rule"], said["enabled"], said["due"], tuple(sorted((said["thresholds"] or {}).items())))
        for said in body["changes"]
    ]


def as_version(value: Any) -> int:
    """A version out of a cursor; BadCursor."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31:
        raise BadCursor
    return value


def _change_shown(session: Session, made: RuleChange) -> dict[str, Any]:
    o, r = RuleOverride, Reassessment
    overrides = select(o).where(o.community_id == made.community_id, o.change_id == made.id).order_by(o.rule_code)
    looks = select(r).where(r.community_id == made.community_id, r.change_id == made.id).order_by(r.form_code)
    return {
        "id": made.id,
        "version": made.version,
        "effective_from_ms": made.effective_from_ms,
        "published_ms": made.published_ms,
        "reason": made.reason,
        "actor_id": made.actor_id,
        "overrides": [override_shown(row) for row in session.scalars(overrides)],
        "reassessments": [
            {"id": row.id, "form": row.form_code, "rule_version": row.rule_version, "effective_ms": row.effective_ms}
            for row in session.scalars(looks)
        ],
    }


def _overrides(session: Session, community_id: UUID, codes: set[str]) -> list[RuleOverride]:
    found = select(RuleOverride).where(RuleOverride.community_id == community_id, RuleOverride.rule_code.in_(codes))
    return list(session.scalars(found.order_by(RuleOverride.effective_from_ms, RuleOverride.id)))


def _fold_again(ctx: RequestContext, form_codes: Iterable[str]) -> None:
    for form_code in form_codes:
        ctx.runtime.part(RuleListeners).tell(ctx.session, ctx.community_id, form_code)
    ctx.ring(COMPILE)


def _audit(ctx: RequestContext, action: str, subject: str, **details: Any) -> None:
    audit(
        ctx.session,
        ctx.community_id,
        action,
        subject,
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        **details,
    )


def _shown(form: FormVersion, newest: int, rules: list[RuleVersion]) -> dict[str, Any]:
    definition = form.definition
    return {
        "code": form.code,
        "version": form.version,
        "current": form.version == newest,
        "title": definition["title"],
        "place_kinds": definition.get("place_kinds", []),
        "rules": [r.version for r in rules if form.version in r.definition["form_versions"]],
        "published_at": form.published_at,
    }
