"""The office's API of the dry run of a change to rules."""

from typing import Any

from backend.forms.changing import refuse_wrong
from backend.forms.routes import CHANGES, changes_of
from backend.forms.schemas import ChangesSchema
from backend.forms.service import RuleUnknown
from backend.http import Blueprint, RequestContext
from backend.http.paging import PageQuery, decode_cursor, encode_cursor
from backend.rectification.routes import as_uuid
from backend.rectification.rule_preview import preview_change
from backend.rectification.rule_preview_schemas import PreviewSchema

blueprint = Blueprint("rule_preview", __name__, url_prefix="/api/v1", description="规则试算 · Dry run of rules")


@blueprint.post("/rules/dry-run", guard=CHANGES, notes=False, raises=(RuleUnknown,))
@blueprint.arguments(PageQuery, location="query")
@blueprint.arguments(ChangesSchema)
@blueprint.response(200, PreviewSchema)
def dry_run_rules(ctx: RequestContext, query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Which hazards a change would open, change or no longer see if the last answers were looked at again now.

    Nothing is written. A page judges ``limit`` places: go on with ``next_cursor`` until it is null, and add up.
    """
    changes = changes_of(body)
    refuse_wrong(changes)
    key = decode_cursor(query["cursor"], 1)
    after = None if key is None else as_uuid(key[0])
    found = preview_change(ctx.session, ctx.runtime, ctx.community_id, changes, ctx.now_ms, after, query["limit"])
    return {
        "items": found.lines,
        "places_judged": found.judged,
        "places": found.total,
        "next_cursor": None if found.last is None else encode_cursor([found.last]),
    }
