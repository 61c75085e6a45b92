"""The phone's routes, beside sign-in: clock, push, pull, reconcile."""

from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, g, request
from marshmallow import Schema

from backend import clock
from backend.errors import FieldError
from backend.http import Blueprint, RequestContext, signed_in
from backend.http.blueprint import View
from backend.http.errors import language, problem
from backend.http.guards import CommunityRequired, PermissionDenied
from backend.sync.epoch import server_facts
from backend.sync.pull import pull
from backend.sync.push import keep_dead, push
from backend.sync.reconciling import reconcile
from backend.sync.requests import ProtocolTooOld, enter_named, read_json
from backend.sync.stamps import stamp
from mobile_contract.sync.envelope import PushRefused
from mobile_contract.sync.messages import (
    ClockAnswerSchema,
    ClockRequestSchema,
    PullAnswerSchema,
    PullSchema,
    PushAnswerSchema,
    PushSchema,
    ReconcileAnswerSchema,
    ReconcileSchema,
)
from mobile_contract.sync.outcomes import Problem
from mobile_contract.version import PROTOCOL

blueprint = Blueprint("sync", __name__, url_prefix="/sync/v1", description="手机同步 · What phones send and fetch")
ANYBODY = signed_in(needs_community=False)
#: A revoked device may do this one thing.
EVEN_REVOKED = signed_in(needs_community=False, revoked_device=True)

READING = (CommunityRequired,)
_CLOCK, _PULL, _RECONCILE = ClockRequestSchema(), PullSchema(), ReconcileSchema()


def takes(schema: type[Schema]) -> Callable[[View], View]:
    """Documents the body of a view that reads it by itself."""
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return blueprint.doc(requestBody=body)


@blueprint.post("/clock", guard=ANYBODY, notes=False, raises=(CommunityRequired, PermissionDenied))
@takes(ClockRequestSchema)
@blueprint.response(200, ClockAnswerSchema)
def read_clock(ctx: RequestContext) -> Response:
    """A signed pair of clock readings: the server's and the phone's."""
    body = read_json(_CLOCK)
    actor, _ = enter_named(ctx, body)
    return _json(stamp(ctx, body, server_facts(ctx.session), clock.now_ms(actor.clock_offset_ms)))


@blueprint.post("/push", guard=EVEN_REVOKED, notes=False, keep_broken_body=True)
@takes(PushSchema)
@blueprint.response(200, PushAnswerSchema)
def take_push(ctx: RequestContext) -> Response:
    """Take records in. Every record of the request has its result; only ids named there may leave the outbox."""
    raw = request.get_data()
    if g.body_error is not None:
        return _dead(ctx, raw, "body_unreadable", 400, [])
    try:
        return _json(push(ctx, raw, "en" if language() == "en" else "zh"))
    except PushRefused as refused:
        return _dead(ctx, raw, refused.code, refused.status, refused.errors)


@blueprint.post("/pull", guard=ANYBODY, notes=False, raises=(CommunityRequired, PermissionDenied, ProtocolTooOld))
@takes(PullSchema)
@blueprint.response(200, PullAnswerSchema)
def answer_pull(ctx: RequestContext) -> Response:
    """Changes of the asked scopes, a page at a time."""
    if _spoken_protocol() < PROTOCOL:
        raise ProtocolTooOld
    return _json(pull(ctx, read_json(_PULL)))


@blueprint.post("/reconcile", guard=ANYBODY, notes=False, raises=(CommunityRequired, PermissionDenied))
@takes(ReconcileSchema)
@blueprint.response(200, ReconcileAnswerSchema)
def answer_reconcile(ctx: RequestContext) -> Response:
    """Which of the asked records and attachments this server does not hold."""
    return _json(reconcile(ctx, read_json(_RECONCILE)))


def _dead(ctx: RequestContext, raw: bytes, code: str, status: int, errors: list[Problem]) -> Response:
    """Keep a body that cannot be read and say where. An answer and not an error, so that it is committed."""
    return problem(
        code,
        status,
        details={"dead_id": keep_dead(ctx, raw, code, errors)},
        errors=[FieldError(error.path, error.code) for error in errors],
    )


def _spoken_protocol() -> int:
    """The ``X-Protocol`` header; a client that does not say speaks the present one."""
    spoken = request.headers.get("X-Protocol", str(PROTOCOL))
    return int(spoken) if spoken.isascii() and spoken.isdigit() else 0


def _json(answer: dict[str, Any]) -> Response:
    return Response(orjson.dumps(answer), mimetype="application/json")
