"""Who is asking, for which community, in which transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from backend import clock
from backend.db import Database, after_commit
from backend.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Membership:
    """A role over a place and all below it (``place_id`` None: the whole community) in one community.

    ``path`` is the place's ltree path; it is known in the active community only.
    """

    id: UUID
    community_id: UUID
    role: str
    permissions: frozenset[str]
    place_id: UUID | None = None
    path: str | None = None

    def covers(self, path: str | None) -> bool:
        """True when the place at ``path`` (None: the community as a whole) lies within this membership."""
        if self.place_id is None:
            return True
        if path is None or self.path is None:
            return False
        return path == self.path or path.startswith(self.path + ".")


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in account, narrowed to one active community and, by a guard, to one permission.

    A view behind ``requires("task.assign")`` sees the actor as far as that permission reaches: ``role`` is the
    strongest role that holds it, ``scope_paths`` are the ltree paths over which it is held (empty: the whole
    community). ``memberships`` always lists all of them, in all communities, strongest first.
    ``community_id`` is None while the account has no membership or has not said which of several communities it means.
    """

    account_id: UUID
    name: str
    install_id: UUID | None
    memberships: tuple[Membership, ...]
    community_id: UUID | None = None
    role: str | None = None
    scope_paths: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    clock_offset_ms: int = 0
    device_revoked: bool = False

    def active_memberships(self, permission: str | None = None) -> tuple[Membership, ...]:
        """Those of the active community, or only those that hold ``permission``."""
        return tuple(
            m
            for m in self.memberships
            if m.community_id == self.community_id and (permission is None or permission in m.permissions)
        )

    def narrowed(self, permission: str | None) -> "Actor":
        """This actor as far as ``permission`` reaches (None: as far as any of its roles does).

        LookupError when no role holds it: an empty scope would mean everything.
        """
        held = self.active_memberships(permission)
        if permission is not None and not held:
            raise LookupError(f"no role here holds {permission}")
        everywhere = any(m.place_id is None for m in held)
        paths = () if everywhere else tuple(sorted({m.path for m in held if m.path is not None}))
        return replace(self, role=held[0].role if held else None, scope_paths=paths)

    def roles_at(self, path: str | None) -> tuple[str, ...]:
        """The roles whose scope covers the place at ``path``, strongest first."""
        return tuple(m.role for m in self.active_memberships() if m.covers(path))

    def may(self, permission: str, path: str | None) -> bool:
        """True when the actor holds ``permission`` at ``path`` (None: over the whole community)."""
        return any(m.covers(path) for m in self.active_memberships(permission))


class Doorbell(Protocol):
    """Tells workers that jobs of a kind wait; may fail silently, the sweeper rings again."""

    def ring(self, kind: str, community_id: UUID) -> None: ...


class Authenticate(Protocol):
    """Resolves an access token and the named community into an Actor and opens row access; raises Unauthenticated."""

    def __call__(self, session: Session, token: str, community: str | None) -> Actor: ...


class NoteWrite(Protocol):
    """Notes a call that was to change something in the audit trail, unless the feature noted what it changed itself."""

    def __call__(
        self, ctx: "RequestContext", permission: str | None, call: str, url_values: Mapping[str, Any]
    ) -> None: ...


@dataclass(slots=True)
class Runtime:
    """What the process was wired with (``backend.app``); reachable from any request."""

    settings: Settings
    db: Database
    doorbell: Doorbell
    authenticate: Authenticate
    note_write: NoteWrite
    parts: tuple[object, ...] = ()

    def part(self, kind: type[T]) -> T:
        """The one part of ``kind`` that the application was wired with."""
        for part in self.parts:
            if isinstance(part, kind):
                return part
        raise LookupError(f"the application was wired without a {kind.__name__}")


def runtime() -> Runtime:
    """The running app's wiring."""
    found: Runtime = current_app.extensions["saolou"]
    return found


@dataclass(slots=True)
class RequestContext:
    """Handed to every view: the open transaction and the caller. ``actor`` is absent on public routes only."""

    session: Session
    runtime: Runtime
    maybe_actor: Actor | None

    @property
    def actor(self) -> Actor:
        if self.maybe_actor is None:
            raise RuntimeError("a public route has no actor")
        return self.maybe_actor

    @property
    def settings(self) -> Settings:
        return self.runtime.settings

    @property
    def community_id(self) -> UUID:
        """The active community (guards that need one have refused a caller without)."""
        if self.actor.community_id is None:
            raise RuntimeError("the route's guard does not demand a community")
        return self.actor.community_id

    @property
    def now_ms(self) -> int:
        """The server's time as the active community sees it."""
        return clock.now_ms(self.maybe_actor.clock_offset_ms if self.maybe_actor else 0)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run ``call`` once this request's transaction is durable."""
        after_commit(self.session, call)

    def ring(self, kind: str) -> None:
        """After commit, tell workers that jobs of ``kind`` wait in the active community."""
        community_id = self.community_id
        self.after_commit(lambda: self.runtime.doorbell.ring(kind, community_id))
