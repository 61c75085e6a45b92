"""The sealed archive of records, what they wait for, and the visits projected out of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Record(Base):
    """What a phone created, byte for byte, sealed. Immutable but for ``anchors`` and what follows from them.

    ``effective_ms`` is the record's own time (never its receipt); ``place_id`` the header's place (the other
    places its blocks name are ``RecordPlace`` rows); ``root_id``/``root_op`` the record it amends or voids.
    ``actor_scopes`` are the author's roles with their places, frozen at acceptance (what counts is judged by place when
    the record is folded); ``actor_role`` the strongest of them, to be shown.
    ``anchors`` holds every verified anchor it came with.
    """

    __tablename__ = "record"
    __table_args__ = (
        Index(None, "community_id", "place_id"),
        Index(
            None,
            "community_id",
            "root_id",
            postgresql_where=text("root_id IS NOT NULL"),
        ),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    schema_version: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    push_id: Mapped[UUID]
    install_id: Mapped[UUID]
    author_id: Mapped[UUID]
    actor_role: Mapped[str | None] = mapped_column(Text)
    actor_scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    seq: Mapped[int] = mapped_column(BigInteger)
    boot_id: Mapped[str] = mapped_column(Text)
    elapsed_ms: Mapped[int] = mapped_column(BigInteger)
    wall_ms: Mapped[int] = mapped_column(BigInteger)
    anchors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    time_quality: Mapped[str] = mapped_column(Text)
    in_future: Mapped[bool] = mapped_column(Boolean)
    place_id: Mapped[UUID | None]
    root_id: Mapped[UUID | None]
    root_op: Mapped[str | None] = mapped_column(Text)
    repaired_from: Mapped[UUID | None]
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    erased_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RecordPlace(Base):
    """A place that a record names beside its main one. A table, because row level security keeps a query from using
    an index over an array."""

    __tablename__ = "record_place"
    __table_args__ = (Index(None, "community_id", "record_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)


class RecordKey(Base):
    """The key that opens one sealed row (a record, a step, a quarantined body), wrapped by the community's key.

    Destroying the row is the lawful erasure of what it opens.
    """

    __tablename__ = "record_key"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_version: Mapped[int] = mapped_column(Integer)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class WaitingOn(Base):
    """A stored record that names something unknown: a place, a record to amend, or a form version."""

    __tablename__ = "waiting_on"
    __table_args__ = (Index(None, "community_id", "ref_type", "ref_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    ref_type: Mapped[str] = mapped_column(Text, primary_key=True)
    ref_id: Mapped[str] = mapped_column(Text, primary_key=True)
    place_id: Mapped[UUID | None]
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Visit(Base):
    """Projection: one doorstep visit in force (after amendments and voids), at its header's place.

    The place leads the key: a correction may move a visit, and either place is compiled for itself.
    """

    __tablename__ = "visit"
    __table_args__ = (
        Index(None, "community_id", "effective_ms"),
        Index(None, "community_id", "id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    grid_id: Mapped[UUID | None]
    building_id: Mapped[UUID | None]
    record_id: Mapped[UUID]
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(Text)
    author_id: Mapped[UUID]
    forms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    time_quality: Mapped[str] = mapped_column(Text)
