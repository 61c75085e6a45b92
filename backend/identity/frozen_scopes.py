"""An author's roles as they stood when a record was accepted: frozen beside it, and judged by place when it is folded.

Written ``role@place`` (``role@``: over the whole community), so that one text array holds them. Where a record's place
stands may become known later, or change: what was frozen does not.
"""

from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from backend.identity.permissions import permissions_of, strength

EVERYWHERE: Final = ""


def frozen(roles: Iterable[tuple[str, UUID | None]]) -> tuple[str, ...]:
    """Roles with the place each is held over (None: the whole community), as they are kept."""
    return tuple(sorted({f"{role}@{EVERYWHERE if place is None else place}" for role, place in roles}))


def scope_places(scopes: Iterable[str]) -> set[UUID]:
    """The places that roles are held over; empty when all are held over the whole community, or there are none."""
    named = {scope.partition("@")[2] for scope in scopes}
    return {UUID(place) for place in named if place != EVERYWHERE}


def roles_at(scopes: Iterable[str], places: Collection[UUID]) -> list[str]:
    """The roles that are held over one of ``places`` (a place with all above it), strongest first."""
    here = {str(place) for place in places} | {EVERYWHERE}
    held = {role for role, _, place in (scope.partition("@") for scope in scopes) if place in here}
    return sorted(held, key=lambda role: (strength(role), role))


def strongest(scopes: Iterable[str]) -> str | None:
    """The strongest of all roles, wherever it is held: how the author is shown."""
    return min((scope.partition("@")[0] for scope in scopes), key=strength, default=None)


def holding(scopes: Iterable[str], permission: str) -> list[str]:
    """Those of ``scopes`` whose role holds ``permission``."""
    return [scope for scope in scopes if permission in permissions_of(scope.partition("@")[0])]
