"""Communities, accounts, roles and devices. Callers have checked that the actor may (``backend.identity.office``)."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend import clock
from backend.db import new_id, set_access
from backend.errors import Conflict, DomainError, NotFound
from backend.http.messages import add_messages
from backend.identity.audit import audit
from backend.identity.keys import Keyring
from backend.identity.models import Account, Community, DeviceAccount, Membership
from backend.identity.passwords import hash_password
from backend.identity.permissions import ROLES
from backend.identity.queries import members_within
from backend.jobs import ledger


class LoginTaken(Conflict):
    pass


class LoginInvalid(DomainError):
    status = 422


class RoleUnknown(DomainError):
    status = 422


class MembershipNotFound(NotFound):
    pass


class DeviceNotFound(NotFound):
    pass


add_messages(
    {
        "login_taken": ("登录名已被使用，请换一个。", "This log-in name is taken; choose another."),
        "login_invalid": (
            "登录名为 1–200 个可见字符。",
            "A log-in name has 1 to 200 visible characters.",
        ),
        "role_unknown": ("没有“{role}”这一角色。", "There is no role {role!r}."),
        "membership_not_found": ("没有找到该任职。", "There is no such membership."),
        "device_not_found": ("没有找到该设备。", "There is no such device."),
    }
)


def normal_login(login: str) -> str:
    """One spelling for a log-in name (NFKC, no blanks around, case folded); LoginInvalid when it cannot be one."""
    normal = unicodedata.normalize("NFKC", login).strip().casefold()
    if not 1 <= len(normal) <= 200 or not normal.isprintable():
        raise LoginInvalid
    return normal


def find_account(session: Session, login: str) -> Account | None:
    """The account that may sign in under a name, however it is spelled."""
    try:
        normal = normal_login(login)
    except LoginInvalid:
        return None
    return session.scalar(select(Account).where(Account.login == normal, Account.disabled_at.is_(None)))


def create_community(
    session: Session,
    keyring: Keyring,
    name: str,
    short_name: str,
    *,
    clock_offset_ms: int = 0,
    division_code: str | None = None,
    settings: dict[str, Any] | None = None,
    community_id: UUID | None = None,
) -> UUID:
    """A new tenant with its first key and its minute (``schedule``). From here on the transaction sees it only.

    ``clock_offset_ms`` is for simulations and never changes later.
    """
    community_id = community_id or new_id()
    set_access(session, [community_id])
    session.execute(
        insert(Community).values(
            community_id=community_id,
            name=name,
            short_name=short_name,
            division_code=division_code,
            clock_offset_ms=clock_offset_ms,
            settings=settings or {},
        )
    )
    keyring.rotate(session, community_id)
    ledger.want(session, "schedule", community_id, ["community"])
    audit(
        session,
        community_id,
        "community_created",
        f"community:{community_id}",
        at_ms=clock.now_ms(clock_offset_ms),
    )
    return community_id


def create_account(session: Session, login: str, name: str, password: str) -> UUID:
    """A person who can sign in, as yet without any role. LoginTaken, LoginInvalid or PasswordTooWeak."""
    login, account_id = normal_login(login), new_id()
    made = session.execute(
        upsert(Account)
        .values(id=account_id, login=login, name=name, password_hash=hash_password(login, password))
        .on_conflict_do_nothing(index_elements=[Account.login])
        .returning(Account.id)
    ).scalar()
    if made is None:
        raise LoginTaken
    return account_id


def grant_role(
    session: Session,
    community_id: UUID,
    account_id: UUID,
    role: str,
    place_id: UUID | None = None,
    *,
    granted_by: UUID | None = None,
    at_ms: int | None = None,
) -> UUID:
    """Give ``role`` over ``place_id`` and all below it (None: the whole community); the membership's id."""
    if role not in ROLES:
        raise RoleUnknown(role=role)
    held = session.scalar(
        select(Membership.id).where(
            Membership.community_id == community_id,
            Membership.account_id == account_id,
            Membership.role == role,
            Membership.place_id.is_not_distinct_from(place_id),
            Membership.revoked_at.is_(None),
        )
    )
    if held is not None:
        return held
    membership_id = new_id()
    session.execute(
        insert(Membership).values(
            community_id=community_id, id=membership_id, account_id=account_id, role=role, place_id=place_id
        )
    )
    audit(
        session,
        community_id,
        "role_granted",
        f"account:{account_id}",
        account_id=granted_by,
        at_ms=at_ms,
        role=role,
        place_id=str(place_id) if place_id else None,
    )
    return membership_id


def revoke_role(
    session: Session,
    community_id: UUID,
    membership_id: UUID,
    *,
    revoked_by: UUID | None = None,
    at_ms: int | None = None,
) -> None:
    """End a membership; MembershipNotFound when there is none in force."""
    row = session.execute(
        update(Membership)
        .where(
            Membership.community_id == community_id,
            Membership.id == membership_id,
            Membership.revoked_at.is_(None),
        )
        .values(revoked_at=_now())
        .returning(Membership.account_id, Membership.role)
    ).one_or_none()
    if row is None:
        raise MembershipNotFound
    audit(
        session,
        community_id,
        "role_revoked",
        f"account:{row.account_id}",
        account_id=revoked_by,
        at_ms=at_ms,
        role=row.role,
        membership_id=str(membership_id),
    )


def revoke_device(
    session: Session,
    community_id: UUID,
    install_id: UUID,
    *,
    scope_paths: Sequence[str] = (),
    revoked_by: UUID | None = None,
    at_ms: int | None = None,
) -> None:
    """From now on the accounts that serve within ``scope_paths`` may only push from this installation, into quarantine.

    Who serves elsewhere only is untouched. Revoking twice is once. DeviceNotFound when none of them ever was there.
    """
    theirs = _pairs_within(session, community_id, install_id, scope_paths)
    revoked = _set_revoked(session, (*theirs, DeviceAccount.revoked_at.is_(None)), _now())
    if revoked:
        _note_device(session, community_id, "device_revoked", install_id, revoked_by, at_ms)


def reinstate_device(
    session: Session,
    community_id: UUID,
    install_id: UUID,
    *,
    scope_paths: Sequence[str] = (),
    reinstated_by: UUID | None = None,
    at_ms: int | None = None,
) -> None:
    """The phone was found: undo what :func:`revoke_device` did, for the same accounts. What it left in quarantine
    stays there until somebody requeues it."""
    theirs = _pairs_within(session, community_id, install_id, scope_paths)
    reinstated = _set_revoked(session, (*theirs, DeviceAccount.revoked_at.is_not(None)), None)
    if reinstated:
        _note_device(session, community_id, "device_reinstated", install_id, reinstated_by, at_ms)


def _pairs_within(
    session: Session, community_id: UUID, install_id: UUID, scope_paths: Sequence[str]
) -> tuple[ColumnElement[bool], ...]:
    """The installation's accounts that serve within the scope; DeviceNotFound when there is none."""
    theirs = (
        DeviceAccount.install_id == install_id,
        DeviceAccount.account_id.in_(members_within(community_id, scope_paths)),
    )
    if session.scalar(select(DeviceAccount.account_id).where(*theirs).limit(1)) is None:
        raise DeviceNotFound
    return theirs


def _set_revoked(session: Session, which: Sequence[ColumnElement[bool]], at: datetime | None) -> bool:
    changed = session.execute(
        update(DeviceAccount)
        .where(*which)
        .values(revoked_at=at)
        .returning(DeviceAccount.account_id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(changed)


def _note_device(
    session: Session, community_id: UUID, action: str, install_id: UUID, actor_id: UUID | None, at_ms: int | None
) -> None:
    audit(session, community_id, action, f"device:{install_id}", account_id=actor_id, at_ms=at_ms)


def _now() -> datetime:
    return clock.utc(clock.now_ms())
