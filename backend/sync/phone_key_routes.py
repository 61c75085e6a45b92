"""Data keys of phones: the community's public key, and a key it opens again."""

from typing import Any
from uuid import UUID

from backend.errors import FieldError
from backend.http import Blueprint, RequestContext, signed_in
from backend.http.guards import CommunityRequired, PermissionDenied
from backend.identity import phone_keys
from backend.sync.requests import EnvelopeInvalid, enter_named
from backend.sync.stamps import is_own
from mobile_contract.sync.messages import (
    DataKeyAnswerSchema,
    DataKeyPublicAnswerSchema,
    DataKeyPublicSchema,
    DataKeySchema,
)

blueprint = Blueprint("phone-keys", __name__, url_prefix="/sync/v1/data-key", description="手机数据密钥 · Phone keys")
ANYBODY = signed_in(needs_community=False)
NAMED = (CommunityRequired, PermissionDenied)


def _enter(ctx: RequestContext, body: dict[str, Any]) -> UUID:
    if not is_own(ctx, body):
        raise EnvelopeInvalid(errors=[FieldError("/install_id", "install_mismatch")])
    return enter_named(ctx, body)[1]


@blueprint.post("/public", guard=ANYBODY, raises=(*NAMED, EnvelopeInvalid))
@blueprint.arguments(DataKeyPublicSchema)
@blueprint.response(200, DataKeyPublicAnswerSchema)
def read_public_key(ctx: RequestContext, body: dict[str, Any]) -> dict[str, str]:
    """The community's public key, for which the app wraps each worker's data key."""
    community_id = _enter(ctx, body)
    return {"public_key": phone_keys.public_point(ctx.settings.secret_key, community_id).hex()}


@blueprint.post("/open", guard=ANYBODY, raises=(*NAMED, EnvelopeInvalid, phone_keys.DataKeyUnopenable))
@blueprint.arguments(DataKeySchema)
@blueprint.response(200, DataKeyAnswerSchema)
def open_data_key(ctx: RequestContext, body: dict[str, Any]) -> dict[str, str]:
    """A data key opened again: one's own after a forgotten PIN, or another's of the same phone to send what waits."""
    community_id = _enter(ctx, body)
    key = phone_keys.open_data_key(
        ctx.session,
        ctx.settings.secret_key,
        community_id,
        UUID(body["install_id"]),
        ctx.actor.account_id,
        UUID(body["account_id"]),
        bytes.fromhex(body["wrapped"]),
    )
    return {"data_key": key.hex()}
