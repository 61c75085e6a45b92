"""The office's API of rectification tasks: lists, one task, the steps of the life cycle."""

import re
from typing import Any
from uuid import UUID

from flask import request

from backend.forms.catalogue import FormCatalogue
from backend.hazards.lifecycle import NOT_APPLIED, OBSERVED_LABELS, OPEN_STATES, STATE_LABELS, STEP_KINDS, StepKind
from backend.http import Blueprint, RequestContext, requires
from backend.http.guards import PermissionDenied
from backend.http.paging import BadCursor, PageQuery, decode_cursor, page, page_schema
from backend.identity.permissions import PERMISSIONS
from backend.rectification.errors import (
    AssigneeUnknown,
    AttachmentUnknown,
    RevisionRequired,
    StepNotApplied,
    TaskChanged,
    TaskNotFound,
)
from backend.rectification.handing_over import hand_over
from backend.rectification.presenting import RuleTitles, label, step_line, task_line
from backend.rectification.queries import TaskFilter, get_task, list_steps_not_applied, list_tasks
from backend.rectification.schemas import (
    ME,
    OPEN,
    LifeCycleSchema,
    StepLineSchema,
    TaskDetailSchema,
    TaskQuery,
    TaskSchema,
)
from backend.rectification.schemas_steps import STEP_SCHEMAS, HandedOverSchema, HandOverSchema
from backend.rectification.steps import take_step
from backend.rectification.task_details import closers_of, role_for, task_detail

blueprint = Blueprint("tasks", __name__, url_prefix="/api/v1", description="整改任务 · Rectification tasks")
READS = requires("task.read")
_ETAG = re.compile(r'"(\d{1,9})"')
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "description": "The ETag (revision) of the task that the step was decided on",
    "schema": {"type": "string", "example": '"7"'},
}
STEP_ERRORS = (TaskNotFound, RevisionRequired, TaskChanged, StepNotApplied, AssigneeUnknown, AttachmentUnknown)
Answer = tuple[dict[str, Any], int, dict[str, str]]


@blueprint.get("/tasks", guard=READS)
@blueprint.arguments(TaskQuery, location="query")
@blueprint.response(200, page_schema(TaskSchema))
def list_rectification_tasks(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Tasks within the caller's places, the most urgent first."""
    rows = list_tasks(
        ctx.session,
        ctx.community_id,
        _filter(ctx, query),
        ctx.actor.scope_paths,
        _deadline_key(query["cursor"]),
        query["limit"],
    )
    found = page(rows, query["limit"], lambda row: (row.deadline_ms, row.id))
    titles = RuleTitles(ctx.session, ctx.runtime.part(FormCatalogue))
    return {**found, "items": [task_line(row, titles, ctx.now_ms) for row in found["items"]]}


@blueprint.get("/tasks/steps-not-applied", guard=requires("task.assign"))
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(StepLineSchema))
def list_refused_steps(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Steps that took no effect, newest first: kept, with the reason, for a supervisor to look at."""
    key = decode_cursor(query["cursor"], 1)
    before = None if key is None else as_uuid(key[0])
    rows = list_steps_not_applied(ctx.session, ctx.community_id, ctx.actor.scope_paths, before, query["limit"])
    found = page(rows, query["limit"], lambda row: [row.step_id])
    return {**found, "items": [step_line(row) for row in found["items"]]}


@blueprint.get("/tasks/<uuid:hazard_id>", guard=READS, raises=(TaskNotFound,))
@blueprint.response(200, TaskDetailSchema)
def get_rectification_task(ctx: RequestContext, hazard_id: UUID) -> Answer:
    """One task in full. Its ETag is what a step must name in If-Match."""
    return _answer(ctx, hazard_id)


@blueprint.get("/life-cycle", guard=READS)
@blueprint.response(200, LifeCycleSchema)
def get_life_cycle(ctx: RequestContext) -> dict[str, Any]:
    """The life cycle as one table: states, steps and who may take them, and why a step may not apply."""
    return {
        "states": [
            {"state": state, "label": label(text), "open": state in OPEN_STATES} for state, text in STATE_LABELS.items()
        ],
        "steps": [
            {
                "kind": kind.kind,
                "label": label(kind.label),
                "starts": sorted(kind.starts),
                "to": kind.to,
                "permission": kind.permission,
                "needs": label(kind.needs),
                "due": kind.due,
                "roles": [role for role, held in PERMISSIONS.items() if kind.permission in held],
            }
            for kind in STEP_KINDS.values()
        ],
        "observed": {name: label(text) for name, text in OBSERVED_LABELS.items()},
        "not_applied": {name: label(text) for name, text in NOT_APPLIED.items()},
    }


@blueprint.post("/tasks/hand-over", guard=requires("task.reassign"), raises=STEP_ERRORS)
@blueprint.arguments(HandOverSchema)
@blueprint.response(200, HandedOverSchema)
def hand_over_tasks(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """A leaver's open tasks within the caller's places, all or those chosen, go to another."""
    chosen = body["hazard_ids"]
    return {"given": hand_over(ctx, body["from_account_id"], body["to_account_id"], chosen, body["reason"])}


def _add_step_route(kind: StepKind) -> None:
    """One endpoint a kind of step: a further row of the life cycle is a further endpoint."""

    def step(ctx: RequestContext, body: dict[str, Any], hazard_id: UUID) -> Answer:
        return _take(ctx, kind.kind, hazard_id, body)

    step.__name__ = f"{kind.kind}_task"
    step.__doc__ = f"{kind.label[0]}: {kind.label[1]}. Applies to revision `If-Match`, or stores nothing."
    view = blueprint.response(200, TaskDetailSchema)(step)
    view = blueprint.arguments(STEP_SCHEMAS[kind.kind])(view)
    view = blueprint.doc(parameters=[IF_MATCH])(view)
    blueprint.post(f"/tasks/<uuid:hazard_id>/{kind.kind}", guard=requires(kind.permission), raises=STEP_ERRORS)(view)


for _kind in STEP_KINDS.values():
    _add_step_route(_kind)


def _take(ctx: RequestContext, kind: str, hazard_id: UUID, body: dict[str, Any]) -> Answer:
    rev = _named_revision()
    row = get_task(ctx.session, ctx.community_id, hazard_id, ctx.actor.scope_paths)
    closers = closers_of(RuleTitles(ctx.session, ctx.runtime.part(FormCatalogue)), row)
    role = role_for(ctx.actor, kind, row.place_path, closers)
    if role is None:
        raise PermissionDenied(permission=STEP_KINDS[kind].permission)
    take_step(
        ctx.session,
        ctx.runtime,
        ctx.community_id,
        hazard_id,
        kind,
        body,
        actor_id=ctx.actor.account_id,
        actor_role=role,
        rev=rev,
        now_ms=ctx.now_ms,
    )
    return _answer(ctx, hazard_id)


def _answer(ctx: RequestContext, hazard_id: UUID) -> Answer:
    detail = task_detail(ctx, hazard_id, ctx.actor.scope_paths)
    return detail, 200, {"ETag": f'"{detail["rev"]}"'}


def _named_revision() -> int:
    """The revision in If-Match; RevisionRequired unless it names exactly one (``*`` would mean: whatever it is)."""
    match = _ETAG.fullmatch(request.headers.get("If-Match", "").strip())
    if match is None:
        raise RevisionRequired
    return int(match[1])


def _filter(ctx: RequestContext, query: dict[str, Any]) -> TaskFilter:
    states = set(query.get("state", ()))
    if OPEN in states:
        states = (states - {OPEN}) | OPEN_STATES
    assignee = query.get("assignee")
    return TaskFilter(
        now_ms=ctx.now_ms,
        grid_id=query.get("grid"),
        building_id=query.get("building"),
        place_id=query.get("place"),
        form=query.get("form"),
        severity=query.get("severity", ()),
        state=sorted(states),
        overdue=query.get("overdue"),
        assignee_id=None if assignee is None else ctx.actor.account_id if assignee == ME else UUID(assignee),
        service_gap=query.get("service_gap"),
        contradicted=query.get("contradicted"),
        chase_due=query.get("chase_due"),
        recheck=query.get("recheck"),
    )


def _deadline_key(cursor: str | None) -> tuple[int, UUID] | None:
    key = decode_cursor(cursor, 2)
    return None if key is None else (as_ms(key[0]), as_uuid(key[1]))


def as_ms(value: Any) -> int:
    """A time out of a cursor; BadCursor."""
    if type(value) is not int or abs(value) > 2**53:
        raise BadCursor
    return value


def as_uuid(value: Any) -> UUID:
    """An id out of a cursor; BadCursor."""
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise BadCursor from error
