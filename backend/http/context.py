"""Who is asking, for which community, in which transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from backend import clock
from backend.db import Database, after_commit
from backend.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Membership:
    """A role over a place (its ltree path; None: the whole community) in one community."""

    community_id: UUID
    role: str
    place_id: UUID | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in account, narrowed to one active community.

    ``role`` is the strongest role there, ``scope_path`` the ltree path it is bound to (None: the whole community).
    ``community_id`` is None while the account has no membership or has not said which of several it means.
    """

    account_id: UUID
    name: str
    install_id: UUID | None
    memberships: tuple[Membership, ...]
    community_id: UUID | None
    role: str | None
    scope_path: str | None
    permissions: frozenset[str]
    clock_offset_ms: int = 0
    device_revoked: bool = False


class Doorbell(Protocol):
    """Tells workers that jobs of a kind wait; may fail silently, the sweeper rings again."""

    def ring(self, kind: str, community_id: UUID) -> None: ...


class Authenticate(Protocol):
    """Resolves an access token and the named community into an Actor and opens row access; raises Unauthenticated."""

    def __call__(self, session: Session, token: str, community: str | None) -> Actor: ...


@dataclass(slots=True)
class Runtime:
    """What the process was wired with (``backend.app``); reachable from any request."""

    settings: Settings
    db: Database
    doorbell: Doorbell
    authenticate: Authenticate
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
