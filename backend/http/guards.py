"""Guards: who may call a route. Every route names one; a route without is refused when the code is imported."""

from dataclasses import dataclass

from flask import request
from sqlalchemy.orm import Session

from backend.errors import DomainError, Forbidden, Unauthenticated
from backend.http.context import Actor, Runtime


class NotSignedIn(Unauthenticated):
    pass


class DeviceRevoked(Unauthenticated):
    """The installation was revoked: it may only push, into quarantine."""


class PermissionDenied(Forbidden):
    pass


class CommunityRequired(DomainError):
    """The account serves several communities and did not say which one it means (header ``X-Community``)."""

    status = 422


@dataclass(frozen=True, slots=True)
class Guard:
    """``permission`` None: any signed-in account. ``revoked_device`` True: a revoked phone may still call."""

    permission: str | None = None
    public: bool = False
    needs_community: bool = True
    revoked_device: bool = False

    def admit(self, session: Session, runtime: Runtime) -> Actor | None:
        """The caller, as far as the route's permission reaches.

        Raises NotSignedIn, DeviceRevoked, CommunityRequired or PermissionDenied, and what ``authenticate`` raises.
        """
        if self.public:
            return None
        named = request.headers.get("X-Community")
        actor = runtime.authenticate(session, presented_token(), named)
        if actor.device_revoked and not self.revoked_device:
            raise DeviceRevoked
        if self.needs_community and actor.community_id is None:
            if named or not actor.memberships:
                raise PermissionDenied(permission=self.permission)
            raise CommunityRequired
        if self.permission is not None:
            if self.permission not in actor.permissions:
                raise PermissionDenied(permission=self.permission)
            actor = actor.narrowed(self.permission)
        return actor


#: A browser's session on the pages; it opens reading only, so a forged form cannot change anything.
COOKIE = "saolou_session"


def presented_token() -> str:
    """The access token of the request: the Authorization header's, or for reading the pages' cookie."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    cookie = request.cookies.get(COOKIE) if request.method in ("GET", "HEAD") else None
    if not cookie:
        raise NotSignedIn
    return cookie


PUBLIC = Guard(public=True, needs_community=False)


def requires(permission: str, *, revoked_device: bool = False) -> Guard:
    """Only callers one of whose roles in the active community holds ``permission``."""
    return Guard(permission, revoked_device=revoked_device)


def signed_in(*, needs_community: bool = True, revoked_device: bool = False) -> Guard:
    """Any signed-in account."""
    return Guard(needs_community=needs_community, revoked_device=revoked_device)
