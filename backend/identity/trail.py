"""Reading the audit trail: searching it, and proving that nobody changed it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select, text, tuple_
from sqlalchemy.orm import Session

from backend.identity.models import AuditEvent, AuditLink

#: Breaks of a chain that are told; one is bad enough.
SHOWN: Final = 20
EXPORT_CHUNK: Final = 1000

#: Walks all links in order. A link is sound when it follows the one before without a gap, and its hash is that of the
#: one before and of the event as it stands; an event that somebody removed leaves a link that is not.
_BROKEN: Final = text(
    """
    SELECT n, event_id FROM (
        SELECT link.n, link.event_id, event.id IS NOT NULL
            AND link.n = row_number() OVER chain
            AND link.hash = audit_digest(lag(link.hash, 1, ''::bytea) OVER chain, event) AS is_sound
        FROM audit_link link
        LEFT JOIN audit_event event ON event.community_id = link.community_id AND event.id = link.event_id
        WHERE link.community_id = :community
        WINDOW chain AS (ORDER BY link.n)
    ) links
    WHERE NOT is_sound ORDER BY n LIMIT :shown
    """
)
_UNLINKED: Final = text(
    """
    SELECT event.id FROM audit_event event
    LEFT JOIN audit_link link ON link.community_id = event.community_id AND link.event_id = event.id
    WHERE event.community_id = :community AND link.n IS NULL ORDER BY event.id LIMIT :shown
    """
)


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain; kept elsewhere (a log, an export), it proves what was there then."""

    n: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """``broken``: links that do not follow from what is before them. ``unlinked``: events that came past the chain.

    ``known_holds``: whether a head that was kept elsewhere still is a link of the chain (None: none was named).
    """

    head: Head | None
    broken: list[tuple[int, UUID]]
    unlinked: list[UUID]
    known_holds: bool | None

    @property
    def is_whole(self) -> bool:
        return not self.broken and not self.unlinked and self.known_holds is not False


def find_head(session: Session, community_id: UUID) -> Head | None:
    """The community's last link; None before its first event."""
    last = select(AuditLink.n, AuditLink.hash).where(AuditLink.community_id == community_id)
    row = session.execute(last.order_by(AuditLink.n.desc()).limit(1)).one_or_none()
    return None if row is None else Head(row.n, row.hash.hex())


def verify_chain(session: Session, community_id: UUID, known: Head | None = None) -> ChainReport:
    """Compute the whole chain again and compare."""
    values = {"community": community_id, "shown": SHOWN}
    return ChainReport(
        head=find_head(session, community_id),
        broken=[(row.n, row.event_id) for row in session.execute(_BROKEN, values)],
        unlinked=list(session.execute(_UNLINKED, values).scalars()),
        known_holds=None if known is None else _holds(session, community_id, known),
    )


def _holds(session: Session, community_id: UUID, known: Head) -> bool:
    kept = select(AuditLink.hash).where(AuditLink.community_id == community_id, AuditLink.n == known.n)
    held = session.scalar(kept)
    return held is not None and held.hex() == known.hash.lower()


def search_events(community_id: UUID, wanted: dict[str, Any]) -> Select[AuditEvent]:
    """Events by ``account_id``, ``action``, ``subject`` (each exactly) and time (``from_ms`` ≤ at < ``to_ms``)."""
    found = select(AuditEvent).where(AuditEvent.community_id == community_id)
    for name in ("account_id", "action", "subject"):
        if wanted.get(name) is not None:
            found = found.where(getattr(AuditEvent, name) == wanted[name])
    if wanted.get("from_ms") is not None:
        found = found.where(AuditEvent.at_ms >= wanted["from_ms"])
    if wanted.get("to_ms") is not None:
        found = found.where(AuditEvent.at_ms < wanted["to_ms"])
    return found


def list_audit_events(
    session: Session, community_id: UUID, wanted: dict[str, Any], before: tuple[int, UUID] | None, limit: int
) -> Sequence[AuditEvent]:
    """Up to ``limit + 1`` events, newest first."""
    rows = search_events(community_id, wanted)
    if before is not None:
        rows = rows.where(tuple_(AuditEvent.at_ms, AuditEvent.id) < before)
    return session.scalars(rows.order_by(AuditEvent.at_ms.desc(), AuditEvent.id.desc()).limit(limit + 1)).all()


def linked_events(
    session: Session, community_id: UUID, wanted: dict[str, Any]
) -> Iterator[tuple[AuditEvent, int, str]]:
    """All events that are wanted with number and hash of their links, oldest first, a chunk at a time."""
    after = 0
    while True:
        found = (
            search_events(community_id, wanted)
            .add_columns(AuditLink.n, AuditLink.hash)
            .join(
                AuditLink,
                (AuditLink.community_id == AuditEvent.community_id) & (AuditLink.event_id == AuditEvent.id),
            )
            .where(AuditLink.n > after)
        )
        rows = session.execute(found.order_by(AuditLink.n).limit(EXPORT_CHUNK)).all()
        for event, n, hashed in rows:
            yield event, n, hashed.hex()
        if len(rows) < EXPORT_CHUNK:
            return
        after = rows[-1].n
        session.expunge_all()
