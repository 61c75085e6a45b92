"""Reading the small bodies of the phone protocol, with the codes its page promises."""

from typing import Any
from uuid import UUID

import orjson
from flask import request
from marshmallow import Schema, ValidationError

from backend.errors import DomainError, FieldError
from backend.http.body import BodyUnreadable
from backend.http.context import Actor, RequestContext
from backend.http.errors import webargs_errors
from backend.http.guards import CommunityRequired
from backend.identity.authentication import choose_community
from backend.sync.stamps import is_own


class EnvelopeInvalid(DomainError):
    """The envelope's own fields are wrong; ``errors`` points at them."""

    status = 422


class ProtocolTooOld(DomainError):
    """The phone speaks a protocol that can no longer be answered; its records can still be pushed."""

    status = 426


def read_json(schema: Schema) -> dict[str, Any]:
    """The request's body loaded by ``schema``; BodyUnreadable (400) or EnvelopeInvalid (422)."""
    raw = request.get_data()
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BodyUnreadable(raw, "identity") from error
    if not isinstance(body, dict):
        raise EnvelopeInvalid
    try:
        loaded: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        raise EnvelopeInvalid(errors=webargs_errors(error.messages)) from None
    return loaded


def enter_named(ctx: RequestContext, body: dict[str, Any]) -> tuple[Actor, UUID]:
    """The caller in the community that ``body`` names (or the only one).

    CommunityRequired when none is named and there are several; PermissionDenied for one the account does not serve;
    EnvelopeInvalid when it wants a signature (``clock``) for another installation than the token's.
    """
    if body.get("clock") is not None and not is_own(ctx, body):
        raise EnvelopeInvalid(errors=[FieldError("/install_id", "install_mismatch")])
    named = body.get("community_id")
    actor = choose_community(ctx.session, ctx.actor, None if named is None else UUID(named))
    if actor.community_id is None:
        raise CommunityRequired
    return actor, actor.community_id
