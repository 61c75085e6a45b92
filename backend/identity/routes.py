"""The office's API of accounts, roles and devices."""

from typing import Any
from uuid import UUID

from backend.http import PUBLIC, Blueprint, RequestContext, requires, signed_in
from backend.http.errors import on_domain_error
from backend.http.limits import limit_log_in, limit_password
from backend.http.paging import BadCursor, PageQuery, decode_cursor, page, page_schema
from backend.identity import office, queries, reset_codes, service
from backend.identity.models import Account, Membership
from backend.identity.passwords import PasswordTooWeak, Unavailable
from backend.identity.reset_codes import IssuedCode
from backend.identity.schemas import (
    AccountSchema,
    CodeUseSchema,
    CommunitiesSchema,
    DeviceSchema,
    GrantSchema,
    InvitationSchema,
    InvitedSchema,
    MeSchema,
    PasswordChangeSchema,
    PasswordCodeSchema,
    PasswordResetSchema,
    RoleSchema,
)

blueprint = Blueprint(
    "identity",
    __name__,
    url_prefix="/api/v1",
    description="账号、角色、设备 · Accounts, roles, devices",
)
ANY_ACCOUNT = signed_in(needs_community=False)
MANAGES = requires(office.PERMISSION)


@blueprint.get("/me", guard=ANY_ACCOUNT)
@blueprint.response(200, MeSchema)
def get_me(ctx: RequestContext) -> dict[str, Any]:
    """The caller, what it may do in the active community, and all its roles."""
    actor = ctx.actor
    account = ctx.session.get_one(Account, actor.account_id)
    return {
        "account_id": actor.account_id,
        "login": account.login,
        "name": account.name,
        "community_id": actor.community_id,
        "role": actor.role,
        "permissions": sorted(actor.permissions),
        "memberships": queries.list_own_memberships(ctx.session, actor.account_id),
    }


@blueprint.post(
    "/me/password", guard=ANY_ACCOUNT, limit=limit_password, raises=(office.PasswordWrong, PasswordTooWeak, Unavailable)
)
@blueprint.arguments(PasswordChangeSchema)
@blueprint.response(204)
def change_password(ctx: RequestContext, body: dict[str, Any]) -> None:
    """Change the caller's password and sign out everywhere else."""
    office.change_password(ctx, body["current_password"], body["new_password"])


@blueprint.get("/communities", guard=ANY_ACCOUNT)
@blueprint.response(200, CommunitiesSchema)
def list_communities(ctx: RequestContext) -> dict[str, Any]:
    """The communities the caller serves. New ones are made on the command line: a tenant is no tenant's business."""
    own = queries.list_own_memberships(ctx.session, ctx.actor.account_id)
    return {"items": list({m.community_id: m for m in own}.values())}


@blueprint.get("/accounts", guard=MANAGES)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(AccountSchema))
def list_accounts(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Accounts that serve within the caller's scope, by id."""
    rows = queries.list_accounts(
        ctx.session, ctx.community_id, ctx.actor.scope_paths, _id_after(query["cursor"]), query["limit"]
    )
    answer = page(rows, query["limit"], lambda a: [a.id])
    answer["items"] = _with_roles(ctx, answer["items"])
    return answer


@blueprint.post(
    "/accounts",
    guard=MANAGES,
    raises=(service.LoginTaken, service.LoginInvalid, PasswordTooWeak, office.PlaceUnknown, Unavailable),
)
@blueprint.arguments(InvitationSchema)
@blueprint.response(201, InvitedSchema)
def invite_account(ctx: RequestContext, body: dict[str, Any]) -> dict[str, Any]:
    """Make an account with its first role. Without a password the answer holds, this once, a code to choose one."""
    account, code = office.invite_account(ctx, **body)
    return {**_with_roles(ctx, [account])[0], "password_code": code}


@blueprint.post(
    "/accounts/<uuid:account_id>/disable",
    guard=MANAGES,
    raises=(office.AccountNotFound, office.NotYourself, office.AccountServesElsewhere),
)
@blueprint.response(204)
def disable_account(ctx: RequestContext, account_id: UUID) -> None:
    """Keep the account from signing in and end its tokens."""
    office.disable_account(ctx, account_id)


@blueprint.post(
    "/accounts/<uuid:account_id>/password",
    guard=MANAGES,
    raises=(office.AccountNotFound, office.NotYourself, office.AccountServesElsewhere, PasswordTooWeak, Unavailable),
)
@blueprint.arguments(PasswordResetSchema)
@blueprint.response(204)
def reset_password(ctx: RequestContext, body: dict[str, Any], account_id: UUID) -> None:
    """Give a new password to somebody who forgot theirs."""
    office.reset_password(ctx, account_id, body["new_password"])


@blueprint.post(
    "/accounts/<uuid:account_id>/enable",
    guard=MANAGES,
    raises=(office.AccountNotFound, office.NotYourself, office.AccountServesElsewhere),
)
@blueprint.response(204)
def enable_account(ctx: RequestContext, account_id: UUID) -> None:
    """Let a disabled account sign in again."""
    office.enable_account(ctx, account_id)


@blueprint.post(
    "/accounts/<uuid:account_id>/password-code",
    guard=MANAGES,
    raises=(office.AccountNotFound, office.NotYourself, office.AccountServesElsewhere, Unavailable),
)
@blueprint.response(201, PasswordCodeSchema)
def give_password_code(ctx: RequestContext, account_id: UUID) -> IssuedCode:
    """A one-time code, shown this once, with which the account's owner sets a new password within a day."""
    return office.give_password_code(ctx, account_id)


@blueprint.post(
    "/password-code", guard=PUBLIC, limit=limit_log_in, raises=(reset_codes.CodeWrong, PasswordTooWeak, Unavailable)
)
@blueprint.arguments(CodeUseSchema)
@blueprint.response(204)
def use_password_code(ctx: RequestContext, body: dict[str, Any]) -> Any:
    """Set a new password with a one-time code; every log-in of the account ends. Then sign in."""
    wrong = reset_codes.use_code(ctx.session, body["username"], body["code"], body["new_password"])
    # Answered, not raised: raising would roll the count of failures back.
    return None if wrong is None else on_domain_error(wrong)


@blueprint.post("/memberships", guard=MANAGES, raises=(office.AccountNotFound, office.PlaceUnknown))
@blueprint.arguments(GrantSchema)
@blueprint.response(201, RoleSchema)
def grant_role(ctx: RequestContext, body: dict[str, Any]) -> Membership:
    """Give an account of this community a further role."""
    return office.grant_role(ctx, **body)


@blueprint.delete(
    "/memberships/<uuid:membership_id>", guard=MANAGES, raises=(service.MembershipNotFound, office.NotYourself)
)
@blueprint.response(204)
def revoke_role(ctx: RequestContext, membership_id: UUID) -> None:
    """Take a role away."""
    office.revoke_role(ctx, membership_id)


@blueprint.get("/devices", guard=requires("device.revoke"))
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_schema(DeviceSchema))
def list_devices(ctx: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
    """Installations with each account that signed in there and serves within the caller's scope."""
    after = _ids_after(query["cursor"])
    rows = queries.list_devices(ctx.session, ctx.community_id, ctx.actor.scope_paths, after, query["limit"])
    answer = page(rows, query["limit"], lambda row: [row.DeviceAccount.install_id, row.DeviceAccount.account_id])
    answer["items"] = [{**r._mapping, **_columns(r.DeviceAccount)} for r in answer["items"]]
    return answer


@blueprint.post("/devices/<uuid:install_id>/revoke", guard=requires("device.revoke"), raises=(service.DeviceNotFound,))
@blueprint.response(204)
def revoke_device(ctx: RequestContext, install_id: UUID) -> None:
    """A lost phone: from there the accounts within the caller's scope may only push from now on, into quarantine."""
    office.revoke_device(ctx, install_id)


@blueprint.post(
    "/devices/<uuid:install_id>/reinstate", guard=requires("device.revoke"), raises=(service.DeviceNotFound,)
)
@blueprint.response(204)
def reinstate_device(ctx: RequestContext, install_id: UUID) -> None:
    """The phone was found: the accounts within the caller's scope may use it again."""
    office.reinstate_device(ctx, install_id)


def _with_roles(ctx: RequestContext, accounts: list[Account]) -> list[dict[str, Any]]:
    roles: dict[UUID, list[Membership]] = {account.id: [] for account in accounts}
    for membership in queries.list_active_memberships(ctx.session, ctx.community_id, list(roles)):
        roles[membership.account_id].append(membership)
    return [
        {
            "id": a.id,
            "login": a.login,
            "name": a.name,
            "disabled": a.disabled_at is not None,
            "memberships": roles[a.id],
        }
        for a in accounts
    ]


def _columns(row: Any) -> dict[str, Any]:
    return {c.key: getattr(row, c.key) for c in row.__table__.columns}


def _id_after(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, 1)
    return None if key is None else _uuid(key[0])


def _ids_after(cursor: str | None) -> tuple[UUID, UUID] | None:
    key = decode_cursor(cursor, 2)
    return None if key is None else (_uuid(key[0]), _uuid(key[1]))


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise BadCursor from error
