"""Which history this server continues, and how far its backups reach.

Phones forget nothing while the epoch stays; when it changes they take a fresh snapshot and offer again what the server
may have lost.
"""

import hashlib
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, cast, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from backend.sync.models import ServerState

EPOCH: Final = "epoch"
SAFE_THROUGH: Final = "safe_through"

# A restore into a new cluster changes the identifier, promotion and recovery to a point in time the timeline, a dump
# restored beside its source the database, a rebuilt feed the table; a rolled back machine image changes none of them,
# so its runbook raises the counter.
_FACTS = text(
    """
    SELECT s.system_identifier, c.timeline_id, d.oid, 'sync_change'::regclass::oid,
           (SELECT value FROM server_state WHERE key = 'epoch'),
           (SELECT value FROM server_state WHERE key = 'safe_through')
    FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()
    """
)


class ServerFacts(NamedTuple):
    """``epoch``: opaque text. ``safe_through_ms``: server time up to which a restore-tested backup reaches, or 0."""

    epoch: str
    safe_through_ms: int


def server_facts(session: Session) -> ServerFacts:
    """Read anew for every answer (0.1 ms): a process may outlive a restore of its database."""
    identifier, timeline, database, feed, counter, safe = session.execute(_FACTS).one()
    parts = (identifier, timeline, database, feed, _number(counter, "counter"))
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
    return ServerFacts(f"e{digest[:16]}", _number(safe, "ms"))


def bump_epoch(session: Session) -> None:
    """Say that history may have been rolled back: phones reset and reconcile. For restore runbooks."""
    statement = upsert(ServerState).values(key=EPOCH, value={"counter": 1})
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[ServerState.key],
            set_={"value": func.jsonb_build_object("counter", cast(ServerState.value["counter"].astext, Integer) + 1)},
        )
    )


def note_safe_through(session: Session, covered_ms: int) -> None:
    """A backup that holds everything committed before ``covered_ms`` (true server time) was restored as a test."""
    statement = upsert(ServerState).values(key=SAFE_THROUGH, value={"ms": covered_ms})
    session.execute(
        statement.on_conflict_do_update(index_elements=[ServerState.key], set_={"value": {"ms": covered_ms}})
    )


def manual_counter(session: Session) -> int:
    """How often :func:`bump_epoch` was called."""
    return _number(session.scalar(select(ServerState.value).where(ServerState.key == EPOCH)), "counter")


def _number(value: Any, key: str) -> int:
    return int(value.get(key, 0)) if isinstance(value, dict) else 0
