"""The office's API of minutes and of the tasks that meetings give."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response

from backend.clock import iso, local_day
from backend.documents.docx import render_docx
from backend.documents.pdf import render_pdf
from backend.http import Blueprint, RequestContext, requires
from backend.http.guards import PermissionDenied
from backend.http.paging import BadCursor, decode_cursor, page, page_schema
from backend.identity.exports import mark_export
from backend.identity.keys import Keyring
from backend.identity.masking import mask_party, mask_prose, persons_in
from backend.meetings import decisions, minutes, queries
from backend.meetings.decisions import Desk
from backend.meetings.document_routes import as_file, file_answer
from backend.meetings.minutes_schemas import (
    DecisionQuery,
    DecisionSchema,
    DecisionStepSchema,
    MinutesInputSchema,
    MinutesSchema,
)
from backend.meetings.models import Decision, Minutes
from backend.meetings.pages import DRAFT
from backend.meetings.routes import ISSUES, MAKES

blueprint = Blueprint(
    "minutes", __name__, url_prefix="/api/v1", description="会议纪要与议定事项 · Minutes and decisions"
)
#: Whoever has tasks may have one of a meeting's; what of others is shown is decided below.
OWNS = requires("task.read")
MAKE = "paper.make"


def desk_of(ctx: RequestContext) -> Desk:
    sealer = ctx.runtime.part(Keyring).sealer(ctx.session, ctx.community_id)
    return Desk(ctx.session, sealer, ctx.community_id, ctx.actor.account_id, ctx.now_ms)


def shown(ctx: RequestContext, found: Minutes) -> dict[str, Any]:
    """Minutes as MinutesSchema wants them."""
    return {
        **{name: getattr(found, name) for name in ("id", "paper_id", "state", "sha256")},
        "held": iso(found.held_ms),
        "issued": iso(found.issued_ms),
        "content": minutes.body_of(desk_of(ctx), found),
    }


@blueprint.get("/papers/<uuid:paper_id>/minutes", guard=MAKES, raises=(minutes.MinutesNotFound,))
@blueprint.response(200, MinutesSchema)
def get_minutes(ctx: RequestContext, paper_id: UUID) -> dict[str, Any]:
    """The minutes over a paper."""
    return shown(ctx, minutes.get_minutes(ctx.session, ctx.community_id, paper_id))


@blueprint.put(
    "/papers/<uuid:paper_id>/minutes",
    guard=MAKES,
    raises=(
        queries.PaperNotFound,
        minutes.MinutesPaperOpen,
        minutes.MinutesIssued,
        minutes.DecisionOwnerUnknown,
    ),
)
@blueprint.arguments(MinutesInputSchema)
@blueprint.response(200, MinutesSchema)
def write_minutes(ctx: RequestContext, body: dict[str, Any], paper_id: UUID) -> dict[str, Any]:
    """Keep a draft of the minutes over an issued paper, in place of an earlier draft."""
    held_ms = body.pop("held_ms")
    body["decisions"] = [
        {
            **one,
            "owner_id": str(one["owner_id"]) if one["owner_id"] else None,
            "due": one["due"].isoformat(),
            "hazard_ids": [str(hazard_id) for hazard_id in one["hazard_ids"]],
        }
        for one in body["decisions"]
    ]
    return shown(ctx, minutes.write_minutes(desk_of(ctx), paper_id, held_ms, body))


@blueprint.post(
    "/papers/<uuid:paper_id>/minutes/issue", guard=ISSUES, raises=(minutes.MinutesNotFound, minutes.MinutesIssued)
)
@blueprint.response(200, MinutesSchema)
def issue_minutes(ctx: RequestContext, paper_id: UUID) -> dict[str, Any]:
    """Issue the minutes: they never change again, and each decision is a task from now on."""
    return shown(ctx, minutes.issue_minutes(desk_of(ctx), paper_id))


@blueprint.get("/papers/<uuid:paper_id>/minutes.pdf", guard=MAKES, raises=(minutes.MinutesNotFound,))
@blueprint.doc(**as_file("pdf"))
def get_minutes_pdf(ctx: RequestContext, paper_id: UUID) -> Response:
    """The minutes to print."""
    return _printed(ctx, paper_id, "pdf", render_pdf)


@blueprint.get("/papers/<uuid:paper_id>/minutes.docx", guard=MAKES, raises=(minutes.MinutesNotFound,))
@blueprint.doc(**as_file("docx"))
def get_minutes_docx(ctx: RequestContext, paper_id: UUID) -> Response:
    """The minutes for WPS and Word."""
    return _printed(ctx, paper_id, "docx", render_docx)


def _printed(ctx: RequestContext, paper_id: UUID, name: str, render: Callable[..., bytes]) -> Response:
    found = minutes.get_minutes(ctx.session, ctx.community_id, paper_id)
    body = minutes.body_of(desk_of(ctx), found)
    if body is None:
        raise minutes.MinutesNotFound
    paper = queries.get_paper(ctx.session, ctx.community_id, paper_id)
    content: dict[str, Any] = paper.content or {}
    title = f"{content['community']}{minutes.TITLE}"
    mark_export(ctx, "minutes", paper=str(paper_id), format=name)
    made = render(
        minutes.minutes_blocks(paper, found, body),
        title=title,
        author=content["community"],
        dated=local_day(found.issued_ms or found.held_ms),
        copies=("",) if found.state == "issued" else (DRAFT,),
    )
    return file_answer(made, name, f"{title}.{name}")


@blueprint.get("/decisions", guard=OWNS)
@blueprint.arguments(DecisionQuery, location="query")
@blueprint.response(200, page_schema(DecisionSchema))
def list_decisions(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Tasks that meetings gave, by date: to those who read all papers all of them, to others their own."""
    own = query["mine"] or not ctx.actor.may("paper.read", None)
    rows = decisions.list_decisions(
        *(ctx.session, ctx.community_id),
        owner_id=ctx.actor.account_id if own else None,
        state=query["state"],
        after=_key_of(query["cursor"]),
        limit=query["limit"],
    )
    found = page(rows, query["limit"], lambda row: (row.due.isoformat(), row.id))
    return {"items": _described(ctx, found["items"]), "next_cursor": found["next_cursor"]}


def _key_of(cursor: str | None) -> tuple[date, UUID] | None:
    key = decode_cursor(cursor, 2)
    try:
        return None if key is None else (date.fromisoformat(key[0]), UUID(key[1]))
    except (TypeError, ValueError, AttributeError) as error:
        raise BadCursor from error


@blueprint.post(
    "/decisions/<uuid:decision_id>/steps",
    guard=OWNS,
    raises=(decisions.DecisionNotFound, decisions.DecisionStepUnfit, decisions.DecisionDueMissing, PermissionDenied),
)
@blueprint.arguments(DecisionStepSchema)
@blueprint.response(200, DecisionSchema)
def take_decision_step(ctx: RequestContext, body: dict[str, Any], decision_id: UUID) -> dict[str, Any]:
    """Report on a decision: its owner that it is done; whoever makes papers also postpones, drops and reopens."""
    row = ctx.session.get(Decision, (ctx.community_id, decision_id))
    makes = ctx.actor.may(MAKE, None)
    if row is None or not (makes or row.owner_id == ctx.actor.account_id):
        raise decisions.DecisionNotFound
    if not makes and body["kind"] not in decisions.OF_OWNER:
        raise PermissionDenied(permission=MAKE)
    decisions.take_step(desk_of(ctx), decision_id, body["kind"], body["note"], body["due"])
    return _described(ctx, [ctx.session.get_one(Decision, (ctx.community_id, decision_id))])[0]


def _described(ctx: RequestContext, rows: list[Decision]) -> list[dict[str, Any]]:
    """Decisions as DecisionSchema wants them: in full to owners and to those who make papers, masked to others."""
    desk, makes = desk_of(ctx), ctx.actor.may(MAKE, None)
    bodies = decisions.open_sealed(ctx.session, desk.sealer, ctx.community_id, {row.id: row.sealed for row in rows})
    notes = decisions.last_notes(ctx.session, desk.sealer, ctx.community_id, [row.id for row in rows])
    today, described = local_day(ctx.now_ms), []
    for row in rows:
        body, note = bodies.get(row.id) or {}, notes.get(row.id, "")
        text, owner = body.get("text"), body.get("owner")
        if not makes and row.owner_id != ctx.actor.account_id:
            persons = [] if row.owner_id else persons_in(owner or "")
            text, note = mask_prose(text or "", persons), mask_prose(note, persons)
            owner = owner if row.owner_id else mask_party(owner or "")
        names = ("id", "minutes_id", "n", "owner_id", "due", "state", "rev")
        described.append(
            {
                **{name: getattr(row, name) for name in names},
                "text": text,
                "owner": owner,
                "hazard_ids": body.get("hazard_ids", []),
                "late": row.state == decisions.OPEN and row.due < today,
                "settled": iso(row.settled_ms),
                "note": note,
            }
        )
    return described
