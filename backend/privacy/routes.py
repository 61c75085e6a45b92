"""The office's API of personal data: unmasking, a resident's request to see or erase, retention."""

from typing import Any

from flask import Response

from backend.http import Blueprint, RequestContext, requires
from backend.identity.audit import audit
from backend.identity.exports import mark_export
from backend.inspections.waiting import COMPILE
from backend.privacy import finding, retention, unmasking
from backend.privacy.erasing import Eraser, erase_named
from backend.privacy.html import report_page
from backend.privacy.schemas import (
    DueSchema,
    ErasedSchema,
    EraseSchema,
    FoundSchema,
    PersonReportSchema,
    ReportSchema,
    RetentionChangeSchema,
    RetentionSchema,
    SearchSchema,
    UnmaskedSchema,
    UnmaskSchema,
)

blueprint = Blueprint(
    "privacy", __name__, url_prefix="/api/v1", description="个人信息 · Personal data: unmasking, requests, retention"
)
SEARCHES = requires("person.search")
KEEPS = requires("retention.manage")
SHOWN = 100


@blueprint.post("/persons/unmask", guard=requires("person.unmask"), raises=(unmasking.NothingToUnmask,))
@blueprint.arguments(UnmaskSchema)
@blueprint.response(200, UnmaskedSchema)
def unmask(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Persons of a visit or a task in full; noted with its reason."""
    return unmasking.unmask(ctx, body)


@blueprint.post("/persons/search", guard=SEARCHES, raises=(finding.PersonUnnamed,))
@blueprint.arguments(SearchSchema)
@blueprint.response(200, FoundSchema)
def search_person(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Every sealed row that names a person, by keyed hashes; values masked. In the body, so that no address names
    anybody."""
    return finding.search(ctx, body)


@blueprint.post("/persons/report", guard=SEARCHES, raises=(finding.PersonUnnamed,))
@blueprint.arguments(ReportSchema)
@blueprint.response(200, PersonReportSchema)
def report_person(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """What is held about a person, for that person: an export, marked and noted."""
    return _report(ctx, body)


@blueprint.post("/persons/report.html", guard=SEARCHES, raises=(finding.PersonUnnamed,))
@blueprint.arguments(ReportSchema)
@blueprint.doc(responses={"200": {"description": "A page", "content": {"text/html": {}}}})
def report_person_page(ctx: RequestContext, body: dict[str, Any]) -> Response:
    """The same as a page to print."""
    return Response(report_page(_report(ctx, body)), mimetype="text/html")


@blueprint.post("/persons/erase", guard=requires("person.erase"))
@blueprint.arguments(EraseSchema)
@blueprint.response(200, ErasedSchema)
def erase_person(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Take persons out of rows that a search found: keys are destroyed, what is left is sealed anew."""
    eraser = Eraser(
        ctx.session,
        ctx.runtime,
        ctx.community_id,
        ground=body["ground"],
        reference=body["reference"],
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
    )
    words = tuple(body[name].strip() for name in ("name", "phone", "id_number") if body[name])
    done = erase_named(eraser, body["items"], words, body["extent"])
    ctx.ring(COMPILE)
    return {"erased": [{"source": source, "id": row_id} for source, row_id in done]}


@blueprint.get("/retention", guard=KEEPS)
@blueprint.response(200, DueSchema)
def preview_retention(ctx: RequestContext) -> dict[str, Any]:
    """The settings, and what the job would take persons out of now. Nothing is written."""
    kept = retention.settings_of(ctx.session, ctx.community_id)
    due = retention.due(ctx.session, ctx.community_id, kept, ctx.now_ms, SHOWN + 1)
    classes = [{"name": name, "ids": ids[:SHOWN], "more": len(ids) > SHOWN} for name, ids in due.items()]
    return {"settings": _shown(kept), "due": classes}


@blueprint.put("/retention", guard=KEEPS)
@blueprint.arguments(RetentionChangeSchema)
@blueprint.response(200, RetentionSchema)
def change_retention(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Change how long persons are kept, and whether the job erases by the clock."""
    kept = {**body, "forms": {item["form"]: item["days"] for item in body["forms"]}}
    retention.keep_settings(ctx.session, ctx.community_id, kept)
    audit(
        ctx.session,
        ctx.community_id,
        "retention_changed",
        f"community:{ctx.community_id}",
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
        values=kept,
    )
    return _shown(kept)


def _report(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    found = finding.report(ctx, body)
    said = {"reason": body["reason"], "reference": body["reference"], "found": found["total"]}
    return {**found, "watermark": mark_export(ctx, "person_report", **said)}


def _shown(kept: dict[str, Any]) -> dict[str, Any]:
    return {**kept, "forms": [{"form": form, "days": days} for form, days in sorted(kept["forms"].items())]}
