"""Who is told: accounts whose role in force covers the place, and when a role is nobody's there, the next one up."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.http.context import Membership as Held
from backend.identity.models import Account, Membership
from backend.identity.permissions import permissions_of
from backend.identity.queries import find_place_paths
from backend.notifications.escalation import OWNER, Reminder, Watched

#: Nothing is told to nobody: who stands in for a role that nobody holds at a place.
NEXT: Final[Mapping[str, str]] = {
    "grid_worker": "grid_head",
    "grid_head": "safety_officer",
    "safety_officer": "committee",
    "department": "committee",
    "street": "committee",
    "committee": "administrator",
}
READS: Final = "task.read"


@dataclass(slots=True)
class Recipients:
    """The roles in force in one community, by role and by account."""

    by_role: dict[str, list[tuple[UUID, Held]]] = field(default_factory=lambda: defaultdict(list))
    by_account: dict[UUID, list[Held]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def load(cls, session: Session, community_id: UUID) -> "Recipients":
        """Everybody who can sign in and serves here now."""
        rows = session.execute(
            select(Membership.id, Membership.account_id, Membership.role, Membership.place_id)
            .join(Account, Account.id == Membership.account_id)
            .where(Membership.community_id == community_id, Membership.revoked_at.is_(None))
            .where(Account.disabled_at.is_(None))
            .order_by(Membership.id)
        ).all()
        paths = find_place_paths(session, community_id, {row.place_id for row in rows if row.place_id})
        found = cls()
        for row in rows:
            path = paths.get(row.place_id) if row.place_id else None
            held = Held(row.id, community_id, row.role, permissions_of(row.role), row.place_id, path)
            found.by_role[row.role].append((row.account_id, held))
            found.by_account[row.account_id].append(held)
        return found

    def of(self, reminder: Reminder, hazard: Watched) -> set[UUID]:
        """The accounts that ``reminder`` is for; each may read the task."""
        found: set[UUID] = set()
        for role in reminder.roles:
            found |= self._owners(hazard) if role == OWNER else self._holders(role, hazard.path)
        return found

    def _owners(self, hazard: Watched) -> set[UUID]:
        """Who has to do the next thing: strike it off, put it right, or assign it."""
        if hazard.state == "review":
            return self._holders(hazard.closer, hazard.path)
        if hazard.assignee_id is not None and self._may_read(hazard.assignee_id, hazard.path):
            return {hazard.assignee_id}
        return self._holders("grid_head", hazard.path)

    def _may_read(self, account_id: UUID, path: str) -> bool:
        return any(READS in held.permissions and held.covers(path) for held in self.by_account.get(account_id, ()))

    def _holders(self, role: str, path: str) -> set[UUID]:
        wanted: str | None = role
        while wanted is not None:
            found = {account_id for account_id, held in self.by_role.get(wanted, ()) if held.covers(path)}
            if found:
                return found
            wanted = NEXT.get(wanted)
        return set()
