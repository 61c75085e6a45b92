"""Sign-in of phones and office alike (phone protocol, log-in)."""

from typing import Any
from uuid import UUID

from backend.http import PUBLIC, Blueprint, RequestContext
from backend.http.errors import on_domain_error
from backend.http.guards import DeviceRevoked
from backend.http.limits import limit_log_in
from backend.identity import tokens
from backend.identity.passwords import Unavailable
from mobile_contract.sync.messages import LoginSchema, LogoutSchema, RefreshSchema, TokenAnswerSchema

blueprint = Blueprint("sign-in", __name__, url_prefix="/sync/v1/auth", description="登录与退出 · Sign-in")


@blueprint.post("/login", guard=PUBLIC, limit=limit_log_in, raises=(tokens.LoginFailed, DeviceRevoked, Unavailable))
@blueprint.arguments(LoginSchema)
@blueprint.response(200, TokenAnswerSchema)
def log_in(ctx: RequestContext, body: dict[str, Any]) -> tokens.SignedIn:
    """Tokens for a name and a password, bound to the installation."""
    return tokens.log_in(ctx.session, body["username"], body["password"], UUID(body["install_id"]), body["device_name"])


@blueprint.post(
    "/refresh", guard=PUBLIC, raises=(tokens.RefreshReused, tokens.TokenUnknown, tokens.TokenExpired, DeviceRevoked)
)
@blueprint.arguments(RefreshSchema)
@blueprint.response(200, TokenAnswerSchema)
def refresh(ctx: RequestContext, body: dict[str, Any]) -> Any:
    """A new pair of tokens. The refresh token sent stays valid until the new pair is first used."""
    answer = tokens.refresh(ctx.session, body["refresh_token"], UUID(body["install_id"]))
    if isinstance(answer, tokens.RefreshReused):
        # Answered, not raised: raising would roll the revocation back.
        return on_domain_error(answer)
    return answer


@blueprint.post("/logout", guard=PUBLIC, raises=(tokens.TokenUnknown, DeviceRevoked))
@blueprint.arguments(LogoutSchema)
@blueprint.response(204)
def log_out(ctx: RequestContext, body: dict[str, Any]) -> None:
    """End this log-in."""
    tokens.log_out(ctx.session, body["refresh_token"], UUID(body["install_id"]))
