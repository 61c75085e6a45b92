"""The feed that phones pull, and the quarantine that keeps what could not be taken in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class SyncChange(Base):
    """An entity of a scope changed. ``pos`` is given after commit by the sequencer: never by a sequence at insert."""

    __tablename__ = "sync_change"
    __table_args__ = (
        UniqueConstraint("community_id", "pos"),
        Index(
            "ix_sync_change_unnumbered",
            "community_id",
            "id",
            postgresql_where=text("pos IS NULL"),
        ),
        Index(None, "community_id", "scope_id", "pos"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    pos: Mapped[int | None] = mapped_column(BigInteger)
    scope_id: Mapped[str] = mapped_column(Text)
    entity: Mapped[str] = mapped_column(Text)
    entity_id: Mapped[str] = mapped_column(Text)
    op: Mapped[str] = mapped_column(Text)
    rev: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class FeedPosition(Base):
    """The last position given in a community's feed, and the floor below which tombstones are gone."""

    __tablename__ = "feed_position"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_pos: Mapped[int] = mapped_column(BigInteger, default=0)
    floor_pos: Mapped[int] = mapped_column(BigInteger, default=0)


class Quarantine(Base):
    """Bytes that could not be taken in as they are: kept sealed until lawful erasure, to be repaired and requeued.

    ``state``: held, accepted (requeued or repaired with success), dismissed (the office will do nothing more about it;
    the bytes are kept all the same), erased (lawfully).
    """

    __tablename__ = "quarantine"
    __table_args__ = (
        UniqueConstraint("community_id", "record_id", "sha256", postgresql_nulls_not_distinct=True),
        Index(None, "community_id", "install_id", "resolved_at"),
        Index(None, "community_id", "state", "id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID | None]
    record_type: Mapped[str | None] = mapped_column(Text)
    schema_version: Mapped[int | None] = mapped_column(Integer)
    install_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    push_id: Mapped[UUID | None]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    bytes: Mapped[int] = mapped_column(BigInteger)
    anchor: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    code: Mapped[str] = mapped_column(Text)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, default="held")
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    resolved_by: Mapped[UUID | None]


class ServerState(Base):
    """Facts about this installation: the manual epoch counter, the newest restore-tested backup."""

    __tablename__ = "server_state"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
