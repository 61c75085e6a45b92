"""Reads of memberships, accounts and devices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Row, Select, Uuid, and_, any_, bindparam, column, exists, func, or_, select, table, tuple_
from sqlalchemy.orm import Session

from backend.db import Ltree, set_access
from backend.identity.models import Account, Community, Device, DeviceAccount, Membership

#: A scope hangs on a place, and places are a layer above this one: all that is needed here is where a place is.
PLACE = table(
    "place",
    column("community_id", Uuid()),
    column("id", Uuid()),
    column("path", Ltree()),
    column("merged_into", Uuid()),
)
SURVIVOR = PLACE.alias("survivor")
PLACE_PATHS = (
    select(PLACE.c.id, func.coalesce(SURVIVOR.c.path, PLACE.c.path).label("path"))
    .outerjoin(SURVIVOR, and_(SURVIVOR.c.community_id == PLACE.c.community_id, SURVIVOR.c.id == PLACE.c.merged_into))
    .where(
        PLACE.c.community_id == bindparam("community_id"),
        PLACE.c.id == any_(bindparam("place_ids", type_=ARRAY(Uuid()))),
    )
)


@dataclass(frozen=True, slots=True)
class OwnMembership:
    """A role as its holder sees it, with the community's name."""

    id: UUID
    community_id: UUID
    community_name: str
    community_short_name: str
    clock_offset_ms: int
    role: str
    place_id: UUID | None


def list_own_memberships(session: Session, account_id: UUID) -> list[OwnMembership]:
    """The account's roles in all communities. From here on the transaction sees exactly these communities."""
    set_access(session, (), account_id)
    rows = session.execute(
        select(Membership.community_id).where(Membership.account_id == account_id, Membership.revoked_at.is_(None))
    )
    set_access(session, set(rows.scalars()), account_id)
    found = session.execute(
        select(
            Membership.id,
            Membership.community_id,
            Community.name,
            Community.short_name,
            Community.clock_offset_ms,
            Membership.role,
            Membership.place_id,
        )
        .join(Community, Community.community_id == Membership.community_id)
        .where(Membership.account_id == account_id, Membership.revoked_at.is_(None))
        .order_by(Membership.community_id, Membership.id)
    )
    return [OwnMembership(*row) for row in found]


def serves_elsewhere(session: Session, community_id: UUID, account_id: UUID) -> bool:
    """Whether the account has a role in another community (asked with that account's own eyes, for this query only)."""
    set_access(session, [community_id], account_id)
    elsewhere = exists().where(
        Membership.account_id == account_id,
        Membership.community_id != community_id,
        Membership.revoked_at.is_(None),
    )
    answer = bool(session.scalar(select(elsewhere)))
    set_access(session, [community_id])
    return answer


def find_place_paths(session: Session, community_id: UUID, place_ids: Collection[UUID]) -> dict[UUID, str]:
    """The ltree path of each known place; of one that was merged, its survivor's."""
    if not place_ids:
        return {}
    rows = session.execute(PLACE_PATHS, {"community_id": community_id, "place_ids": list(place_ids)})
    return {row.id: row.path for row in rows}


def list_active_memberships(
    session: Session, community_id: UUID, account_ids: Collection[UUID]
) -> Sequence[Membership]:
    """The roles in force of these accounts in this community, in the order they were given."""
    return session.scalars(
        select(Membership)
        .where(
            Membership.community_id == community_id,
            Membership.account_id.in_(account_ids),
            Membership.revoked_at.is_(None),
        )
        .order_by(Membership.id)
    ).all()


def find_membership(session: Session, community_id: UUID, membership_id: UUID) -> Membership | None:
    """A role in force."""
    return session.scalar(
        select(Membership).where(
            Membership.community_id == community_id,
            Membership.id == membership_id,
            Membership.revoked_at.is_(None),
        )
    )


def has_served(session: Session, community_id: UUID, account_id: UUID) -> bool:
    """Whether the account has, or had, a role in this community."""
    ever = exists().where(Membership.community_id == community_id, Membership.account_id == account_id)
    return bool(session.scalar(select(ever)))


def members_within(community_id: UUID, scope_paths: Sequence[str]) -> Select[UUID]:
    """Accounts with a role in force over a place within ``scope_paths`` (empty: anywhere in the community)."""
    members = select(Membership.account_id).where(
        Membership.community_id == community_id, Membership.revoked_at.is_(None)
    )
    if not scope_paths:
        return members
    within = or_(*(PLACE.c.path.op("<@")(path) for path in scope_paths))
    return members.join(PLACE, and_(PLACE.c.community_id == community_id, PLACE.c.id == Membership.place_id, within))


def list_accounts(
    session: Session, community_id: UUID, scope_paths: Sequence[str], after: UUID | None, limit: int
) -> Sequence[Account]:
    """Up to ``limit + 1`` accounts that serve within ``scope_paths``, by id."""
    rows = select(Account).where(Account.id.in_(members_within(community_id, scope_paths)))
    if after is not None:
        rows = rows.where(Account.id > after)
    return session.scalars(rows.order_by(Account.id).limit(limit + 1)).all()


def list_devices(
    session: Session, community_id: UUID, scope_paths: Sequence[str], after: tuple[UUID, UUID] | None, limit: int
) -> Sequence[Row[DeviceAccount, str | None, str | None, str]]:
    """Up to ``limit + 1`` pairs of an installation and an account that signed in there and serves within
    ``scope_paths``, by their ids."""
    rows = (
        select(DeviceAccount, Device.name, Device.app_version, Account.name.label("account_name"))
        .join(Device, Device.install_id == DeviceAccount.install_id)
        .join(Account, Account.id == DeviceAccount.account_id)
        .where(DeviceAccount.account_id.in_(members_within(community_id, scope_paths)))
    )
    if after is not None:
        rows = rows.where(tuple_(DeviceAccount.install_id, DeviceAccount.account_id) > after)
    return session.execute(rows.order_by(DeviceAccount.install_id, DeviceAccount.account_id).limit(limit + 1)).all()
