"""Sign-in: opaque tokens in families with rotation.

A refresh gives a pair of the next generation; the refresh token that was sent stays valid until a token of the new
generation is first used, so a lost answer is repaired by sending the same request again. Afterwards it is spent, and
sending it once more revokes the whole family: two holders of one token cannot both be honest.

Whatever changes an account's tokens locks the account's row first, so that no pair is born beside a revocation.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from backend import clock
from backend.db import new_id, set_access
from backend.errors import Unauthenticated
from backend.http.guards import DeviceRevoked
from backend.identity.audit import audit
from backend.identity.models import Account, Device, DeviceAccount, Token
from backend.identity.passwords import renewed_hash, verify_password
from backend.identity.queries import OwnMembership, list_own_memberships
from backend.identity.service import find_account

ACCESS_MS = 30 * 60_000
REFRESH_MS = 180 * clock.DAY_MS


class LoginFailed(Unauthenticated):
    """Unknown name, wrong password or disabled account: nobody learns which."""


class TokenUnknown(Unauthenticated):
    pass


class TokenExpired(Unauthenticated):
    pass


class RefreshReused(Unauthenticated):
    """A spent refresh token came back; its family is revoked. Answered, not raised: the revocation must commit."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A pair of tokens and whose it is; times are epoch milliseconds of the server."""

    access_token: str
    access_expires_ms: int
    refresh_token: str
    refresh_expires_ms: int
    account_id: UUID
    name: str
    memberships: list[OwnMembership]
    server_time_ms: int


def token_hash(token: str) -> bytes:
    """What is stored of a token: SHA-256 is enough, a token has 256 random bits."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def log_in(session: Session, username: str, password: str, install_id: UUID, device_name: str | None) -> SignedIn:
    """Start a family on ``install_id``. LoginFailed, or DeviceRevoked once the password was right."""
    account = find_account(session, username)
    if not verify_password(account.password_hash if account else None, password) or account is None:
        raise LoginFailed
    now = clock.now_ms()
    # The password may have been changed, or the account disabled, while this one was being hashed.
    current = _lock_account(session, account.id)
    if current.password_hash != account.password_hash or current.disabled_at is not None:
        raise LoginFailed
    _keep_device(session, install_id, account.id, device_name)
    if _keep_pair(session, install_id, account.id, now) is not None:
        raise DeviceRevoked
    if (renewed := renewed_hash(current.password_hash, password)) is not None:
        current.password_hash = renewed
        session.flush()
    signed_in = _issue(session, current, install_id, new_id(), 1, now)
    for community_id, offset_ms in sorted({(m.community_id, m.clock_offset_ms) for m in signed_in.memberships}):
        at_ms = now + offset_ms
        audit(session, community_id, "signed_in", f"device:{install_id}", account_id=account.id, at_ms=at_ms)
    return signed_in


def refresh(session: Session, refresh_token: str, install_id: UUID) -> SignedIn | RefreshReused:
    """The next pair, or RefreshReused after having revoked the family. TokenUnknown, TokenExpired, DeviceRevoked."""
    now = clock.now_ms()
    token, account = _presented(session, refresh_token, install_id)
    if _is_spent(session, token):
        _revoke(session, Token.family == token.family, now)
        return RefreshReused()
    if token.revoked_at is not None or account.disabled_at is not None:
        raise TokenUnknown
    if token.expires_at <= clock.utc(now):
        raise TokenExpired
    mark_used(session, token.family, token.generation, now)
    _keep_pair(session, install_id, account.id, now)
    return _issue(session, account, install_id, token.family, token.generation + 1, now)


def log_out(session: Session, refresh_token: str, install_id: UUID) -> None:
    """End the family; ending it twice is ending it. TokenUnknown, DeviceRevoked."""
    token, _ = _presented(session, refresh_token, install_id)
    _revoke(session, Token.family == token.family, clock.now_ms())


def revoke_tokens(session: Session, account_id: UUID, but_of_install: UUID | None = None) -> None:
    """End all of an account's families, except those of one installation (the one that changes the password)."""
    _lock_account(session, account_id)
    which = Token.account_id == account_id
    if but_of_install is not None:
        which &= Token.install_id.is_distinct_from(but_of_install)
    _revoke(session, which, clock.now_ms())


def mark_used(session: Session, family: UUID, generation: int, now_ms: int) -> None:
    """A token of this generation was used: earlier generations' refresh tokens are spent."""
    session.execute(
        update(Token)
        .where(Token.family == family, Token.generation == generation, Token.first_used_at.is_(None))
        .values(first_used_at=clock.utc(now_ms))
    )


def _lock_account(session: Session, account_id: UUID) -> Account:
    return session.execute(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).scalar_one()


def _presented(session: Session, refresh_token: str, install_id: UUID) -> tuple[Token, Account]:
    """The refresh token and its account, locked. TokenUnknown also when another installation sends it."""
    hashed = token_hash(refresh_token)
    account_id = session.scalar(
        select(Token.account_id).where(Token.hash == hashed, Token.kind == "refresh", Token.install_id == install_id)
    )
    if account_id is None:
        raise TokenUnknown
    account = _lock_account(session, account_id)
    token = session.get(Token, hashed)
    if token is None:
        raise TokenUnknown
    pair = session.get(DeviceAccount, (install_id, account_id))
    if pair is not None and pair.revoked_at is not None:
        raise DeviceRevoked
    return token, account


def _is_spent(session: Session, token: Token) -> bool:
    later = aliased(Token)
    used = exists().where(
        later.family == token.family,
        later.generation > token.generation,
        later.first_used_at.is_not(None),
    )
    return bool(session.scalar(select(used)))


def _revoke(session: Session, which: ColumnElement[bool], now_ms: int) -> None:
    session.execute(update(Token).where(which, Token.revoked_at.is_(None)).values(revoked_at=clock.utc(now_ms)))


def _keep_device(session: Session, install_id: UUID, account_id: UUID, name: str | None) -> None:
    """Remember the installation and who signed in there last."""
    shown = "".join(c for c in name or "" if c.isprintable()) or None
    statement = upsert(Device).values(install_id=install_id, account_id=account_id, name=shown)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Device.install_id], set_={"account_id": account_id, "name": shown}
        )
    )


def _keep_pair(session: Session, install_id: UUID, account_id: UUID, now_ms: int) -> datetime | None:
    """Remember that the account is at home on the installation; when it was revoked there, or None."""
    seen = clock.utc(now_ms)
    statement = upsert(DeviceAccount).values(
        install_id=install_id, account_id=account_id, first_seen_at=seen, last_seen_at=seen
    )
    return session.execute(
        statement.on_conflict_do_update(
            index_elements=[DeviceAccount.install_id, DeviceAccount.account_id], set_={"last_seen_at": seen}
        ).returning(DeviceAccount.revoked_at)
    ).scalar_one()


def _issue(
    session: Session, account: Account, install_id: UUID, family: UUID, generation: int, now_ms: int
) -> SignedIn:
    access, renewal = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    lives = {access: ("access", now_ms + ACCESS_MS), renewal: ("refresh", now_ms + REFRESH_MS)}
    session.execute(
        insert(Token),
        [
            {
                "hash": token_hash(token),
                "kind": kind,
                "family": family,
                "account_id": account.id,
                "install_id": install_id,
                "generation": generation,
                "expires_at": clock.utc(expires_ms),
            }
            for token, (kind, expires_ms) in lives.items()
        ],
    )
    set_access(session, (), account.id)
    return SignedIn(
        access_token=access,
        access_expires_ms=lives[access][1],
        refresh_token=renewal,
        refresh_expires_ms=lives[renewal][1],
        account_id=account.id,
        name=account.name,
        memberships=list_own_memberships(session, account.id),
        server_time_ms=now_ms,
    )
