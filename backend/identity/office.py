"""What an office account may do to other accounts: only within its own scope, and only to roles below its own.

Each function checks, acts and writes the audit trail in the caller's transaction.
"""

import secrets
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, update

from backend import clock
from backend.errors import Conflict, DomainError, FieldError, Forbidden, NotFound
from backend.http.context import Actor, RequestContext
from backend.http.guards import PermissionDenied
from backend.http.messages import add_messages
from backend.identity import service
from backend.identity.audit import audit
from backend.identity.models import Account, Membership
from backend.identity.passwords import hash_password, verify_password
from backend.identity.permissions import may_grant
from backend.identity.queries import (
    find_membership,
    find_place_paths,
    has_served,
    list_active_memberships,
    serves_elsewhere,
)
from backend.identity.reset_codes import IssuedCode, issue_code
from backend.identity.tokens import revoke_tokens

PERMISSION = "account.manage"


class AccountNotFound(NotFound):
    pass


class PlaceUnknown(DomainError):
    status = 422


class NotYourself(Conflict):
    """Nobody takes their own access away: the last administrator would lock the community out."""


class AccountServesElsewhere(Conflict):
    """Another community relies on the account; here its roles can be taken away, no more."""


class PasswordWrong(Forbidden):
    """The current password that was sent along is not right."""


add_messages(
    {
        "account_not_found": ("没有找到该账号。", "There is no such account."),
        "place_unknown": ("没有找到该地点，请先登记。", "There is no such place; register it first."),
        "not_yourself": ("不能停用或撤销自己。", "You cannot take your own access away."),
        "account_serves_elsewhere": (
            "该账号还服务于其他社区，只能撤销其在本社区的任职。",
            "The account serves another community too; take away its roles here instead.",
        ),
        "password_wrong": ("当前密码不正确。", "The current password is not right."),
    }
)


def invite_account(
    ctx: RequestContext, login: str, name: str, role: str, place_id: UUID | None, password: str | None
) -> tuple[Account, IssuedCode | None]:
    """A new account with its first role; without a password, a one-time code to choose one."""
    check_may_grant(ctx, role, place_id)
    account_id = service.create_account(ctx.session, login, name, password or secrets.token_urlsafe(32))
    _audit(ctx, "account_created", f"account:{account_id}")
    _grant(ctx, account_id, role, place_id)
    code = None if password else issue_code(ctx.session, account_id, ctx.actor.account_id)
    return ctx.session.get_one(Account, account_id), code


def grant_role(ctx: RequestContext, account_id: UUID, role: str, place_id: UUID | None) -> Membership:
    """A further role for an account that serves, or served, here. Others are brought in by the installation's owner:
    a second community changes what the account's phones must send."""
    if not has_served(ctx.session, ctx.community_id, account_id):
        raise AccountNotFound
    check_may_grant(ctx, role, place_id)
    membership_id = _grant(ctx, account_id, role, place_id)
    return ctx.session.get_one(Membership, (ctx.community_id, membership_id))


def revoke_role(ctx: RequestContext, membership_id: UUID) -> None:
    """Take a role away."""
    membership = find_membership(ctx.session, ctx.community_id, membership_id)
    if membership is None:
        raise service.MembershipNotFound
    if membership.account_id == ctx.actor.account_id:
        raise NotYourself
    _check_may_manage(ctx, [membership])
    service.revoke_role(
        ctx.session,
        ctx.community_id,
        membership_id,
        revoked_by=ctx.actor.account_id,
        at_ms=ctx.now_ms,
    )


def disable_account(ctx: RequestContext, account_id: UUID) -> None:
    """The account can no longer sign in, and its tokens end. Disabling twice is once."""
    _check_owns_account(ctx, account_id)
    done = ctx.session.execute(
        update(Account)
        .where(Account.id == account_id, Account.disabled_at.is_(None))
        .values(disabled_at=clock.utc(clock.now_ms()))
        .returning(Account.id)
    ).scalar()
    if done is not None:
        revoke_tokens(ctx.session, account_id)
        _audit(ctx, "account_disabled", f"account:{account_id}")


def enable_account(ctx: RequestContext, account_id: UUID) -> None:
    """A disabled account may sign in again. Enabling twice is once."""
    _check_owns_account(ctx, account_id)
    done = ctx.session.execute(
        update(Account)
        .where(Account.id == account_id, Account.disabled_at.is_not(None))
        .values(disabled_at=None)
        .returning(Account.id)
    ).scalar()
    if done is not None:
        _audit(ctx, "account_enabled", f"account:{account_id}")


def give_password_code(ctx: RequestContext, account_id: UUID) -> IssuedCode:
    """A one-time code for somebody who forgot the password; the old password works until the code is used."""
    _check_owns_account(ctx, account_id)
    code = issue_code(ctx.session, account_id, ctx.actor.account_id)
    _audit(ctx, "password_code_issued", f"account:{account_id}")
    return code


def reset_password(ctx: RequestContext, account_id: UUID, password: str) -> None:
    """A new password for somebody who forgot theirs; they are signed out everywhere."""
    _check_owns_account(ctx, account_id)
    _set_password(ctx, account_id, password)
    revoke_tokens(ctx.session, account_id)
    _audit(ctx, "password_reset", f"account:{account_id}")


def change_password(ctx: RequestContext, current: str, password: str) -> None:
    """The caller's own password; all other installations are signed out. PasswordWrong."""
    account = ctx.session.get_one(Account, ctx.actor.account_id)
    if not verify_password(account.password_hash, current):
        raise PasswordWrong
    _set_password(ctx, account.id, password)
    revoke_tokens(ctx.session, account.id, but_of_install=ctx.actor.install_id)
    if ctx.actor.community_id is not None:
        _audit(ctx, "password_changed", f"account:{account.id}")


def revoke_device(ctx: RequestContext, install_id: UUID) -> None:
    """A lost phone may only push from now on, into quarantine."""
    service.revoke_device(
        ctx.session,
        ctx.community_id,
        install_id,
        scope_paths=ctx.actor.scope_paths,
        revoked_by=ctx.actor.account_id,
        at_ms=ctx.now_ms,
    )


def reinstate_device(ctx: RequestContext, install_id: UUID) -> None:
    """The phone was found again."""
    service.reinstate_device(
        ctx.session,
        ctx.community_id,
        install_id,
        scope_paths=ctx.actor.scope_paths,
        reinstated_by=ctx.actor.account_id,
        at_ms=ctx.now_ms,
    )


def check_may_grant(ctx: RequestContext, role: str, place_id: UUID | None) -> None:
    """PermissionDenied unless one of the actor's own roles may grant ``role`` and covers the place; PlaceUnknown."""
    path = None
    if place_id is not None:
        path = find_place_paths(ctx.session, ctx.community_id, [place_id]).get(place_id)
        if path is None:
            raise PlaceUnknown(errors=[FieldError("/place_id", "place_unknown")])
    if not _may_grant(ctx.actor, role, path):
        raise PermissionDenied(permission=PERMISSION)


def _may_grant(actor: Actor, role: str, path: str | None) -> bool:
    return any(may_grant(m.role, role) and m.covers(path) for m in actor.active_memberships(PERMISSION))


def _check_may_manage(ctx: RequestContext, memberships: Iterable[Membership]) -> None:
    """Whoever could not have granted a role may not take it away."""
    held = list(memberships)
    places = {m.place_id for m in held if m.place_id}
    paths = find_place_paths(ctx.session, ctx.community_id, places)
    for membership in held:
        path = paths.get(membership.place_id) if membership.place_id else None
        if not _may_grant(ctx.actor, membership.role, path):
            raise PermissionDenied(permission=PERMISSION)


def _check_owns_account(ctx: RequestContext, account_id: UUID) -> None:
    """The account serves here, nowhere else, in roles that the actor could have granted."""
    if account_id == ctx.actor.account_id:
        raise NotYourself
    held = list_active_memberships(ctx.session, ctx.community_id, [account_id])
    if not held:
        raise AccountNotFound
    _check_may_manage(ctx, held)
    if serves_elsewhere(ctx.session, ctx.community_id, account_id):
        raise AccountServesElsewhere


def _grant(ctx: RequestContext, account_id: UUID, role: str, place_id: UUID | None) -> UUID:
    return service.grant_role(
        ctx.session,
        ctx.community_id,
        account_id,
        role,
        place_id,
        granted_by=ctx.actor.account_id,
        at_ms=ctx.now_ms,
    )


def _set_password(ctx: RequestContext, account_id: UUID, password: str) -> None:
    login = ctx.session.execute(select(Account.login).where(Account.id == account_id)).scalar_one()
    ctx.session.execute(
        update(Account).where(Account.id == account_id).values(password_hash=hash_password(login, password))
    )


def _audit(ctx: RequestContext, action: str, subject: str) -> None:
    audit(
        ctx.session,
        ctx.community_id,
        action,
        subject,
        account_id=ctx.actor.account_id,
        at_ms=ctx.now_ms,
    )
