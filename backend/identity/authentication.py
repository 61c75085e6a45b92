"""Who calls: an access token becomes an Actor, and the transaction is opened to the one active community.

Two statements for everybody (token; memberships), a third for the active community (its scopes' paths).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, cast, func, select, text, update
from sqlalchemy.orm import Session

from backend import clock
from backend.db import after_commit, set_access
from backend.http.context import Actor, Membership
from backend.http.guards import CommunityRequired, PermissionDenied
from backend.identity import models
from backend.identity.models import Account, Community, DeviceAccount, Token
from backend.identity.permissions import permissions_of, strength
from backend.identity.queries import find_place_paths
from backend.identity.tokens import TokenExpired, TokenUnknown, mark_used, token_hash

SEEN_EVERY = timedelta(minutes=1)
#: A community's offset is set at its creation and never changes, so it is read once a process.
_offsets: dict[UUID, int] = {}
#: Statements that every request runs are built once: building one costs as much as running it.
TOKEN = (
    select(
        Token.family,
        Token.generation,
        Token.expires_at,
        Token.first_used_at,
        Token.install_id,
        Account.id.label("account_id"),
        Account.name,
        DeviceAccount.revoked_at.label("device_revoked_at"),
        DeviceAccount.last_seen_at,
        func.set_config("app.account", cast(Account.id, Text), True),
    )
    .join(Account, Account.id == Token.account_id)
    .outerjoin(
        DeviceAccount,
        (DeviceAccount.install_id == Token.install_id) & (DeviceAccount.account_id == Token.account_id),
    )
    .where(
        Token.hash == bindparam("hash"),
        Token.kind == "access",
        Token.revoked_at.is_(None),
        Account.disabled_at.is_(None),
    )
)
MEMBERSHIPS = select(
    models.Membership.id,
    models.Membership.community_id,
    models.Membership.role,
    models.Membership.place_id,
).where(models.Membership.account_id == bindparam("account_id"), models.Membership.revoked_at.is_(None))


def authenticate(session: Session, token: str, community: str | None) -> Actor:
    """The Actor behind an access token; TokenUnknown or TokenExpired.

    The active community is the one named in ``community``, or the only one; else ``community_id`` is None, as it is
    when a community is named that the account does not serve. A token of an account that was revoked on
    its device gives an Actor with ``device_revoked``: guards let it push and nothing else.
    """
    now = clock.now_ms()
    found = _find_token(session, token)
    if found.expires_at <= clock.utc(now) and found.device_revoked_at is None:
        raise TokenExpired
    if found.first_used_at is None:
        mark_used(session, found.family, found.generation, now)
    _note_seen(session, found, clock.utc(now))
    actor = Actor(
        account_id=found.account_id,
        name=found.name,
        install_id=found.install_id,
        memberships=_memberships(session, found.account_id),
        device_revoked=found.device_revoked_at is not None,
    )
    served = {m.community_id for m in actor.memberships}
    chosen = _named(community) if community else next(iter(served)) if len(served) == 1 else None
    if chosen is None or chosen not in served:
        return actor
    return enter_community(session, actor, chosen)


def choose_community(session: Session, actor: Actor, community_id: UUID | None) -> Actor:
    """``actor`` in the community that a body names; None: the only one, or the one chosen by the header.

    PermissionDenied when the account does not serve it, CommunityRequired when there are several to choose from.
    """
    if community_id is None:
        if actor.community_id is None:
            raise CommunityRequired
        return actor
    if community_id == actor.community_id:
        return actor
    if all(m.community_id != community_id for m in actor.memberships):
        raise PermissionDenied(permission=None)
    return enter_community(session, actor, community_id)


def enter_community(session: Session, actor: Actor, community_id: UUID) -> Actor:
    """``actor`` with this community active; the transaction sees it and no other. The account must serve it."""
    set_access(session, [community_id], actor.account_id)
    here = [m for m in actor.memberships if m.community_id == community_id]
    paths = find_place_paths(session, community_id, {m.place_id for m in here if m.place_id})
    memberships = tuple(_with_path(m, paths) if m in here else replace(m, path=None) for m in actor.memberships)
    entered = replace(
        actor,
        memberships=memberships,
        community_id=community_id,
        permissions=frozenset[str]().union(*(m.permissions for m in here)),
        clock_offset_ms=_clock_offset_ms(session, community_id),
    )
    return entered.narrowed(None)


def _with_path(membership: Membership, paths: dict[UUID, str]) -> Membership:
    """A place that is not in the registry (yet) covers nothing but itself: its path would end with its id."""
    if membership.place_id is None:
        return membership
    return replace(membership, path=paths.get(membership.place_id, membership.place_id.hex))


def _clock_offset_ms(session: Session, community_id: UUID) -> int:
    if community_id not in _offsets:
        _offsets[community_id] = session.execute(
            select(Community.clock_offset_ms).where(Community.community_id == community_id)
        ).scalar_one()
    return _offsets[community_id]


def _find_token(session: Session, token: str) -> Any:
    """The token with its account and device. Also tells row security which account asks, in the same round trip."""
    row = session.execute(TOKEN, {"hash": token_hash(token)}).one_or_none()
    if row is None:
        raise TokenUnknown
    return row


def _memberships(session: Session, account_id: UUID) -> tuple[Membership, ...]:
    rows = session.execute(MEMBERSHIPS, {"account_id": account_id})
    held = (
        Membership(r.id, r.community_id, r.role, permissions_of(r.role, over_a_part=r.place_id is not None), r.place_id)
        for r in rows
    )
    return tuple(sorted(held, key=lambda m: (strength(m.role), m.id)))


def _note_seen(session: Session, found: Any, now: datetime) -> None:
    """At most once a minute, after the request, past whoever is writing the same row."""
    if found.last_seen_at is None or now - found.last_seen_at < SEEN_EVERY:
        return
    here = (DeviceAccount.install_id == found.install_id, DeviceAccount.account_id == found.account_id)

    def note() -> None:
        free = (
            select(DeviceAccount.install_id)
            .where(*here, DeviceAccount.last_seen_at < now)
            .with_for_update(skip_locked=True)
        )
        with Session(session.get_bind()) as apart, apart.begin():
            apart.execute(text("SET LOCAL synchronous_commit = off"))
            apart.execute(
                update(DeviceAccount).where(*here, DeviceAccount.install_id.in_(free)).values(last_seen_at=now)
            )

    after_commit(session, note)


def _named(community: str) -> UUID | None:
    try:
        return UUID(community)
    except ValueError:
        return None
