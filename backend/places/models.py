"""Places: the tree 社区→网格→微网格→小区→楼栋→单元→户 with premises beside it, and the events that shape it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Float,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Ltree


class PlaceEvent(Base):
    """A fact about a place: ``registered`` (roster), ``proposed`` (field), ``merged``, ``moved``.

    ``target_id`` is the place it names: the parent (registered, proposed, moved) or the survivor (merged).
    ``data`` of registered/proposed holds kind, name, field_code, address_raw, location; a registered event without
    kind edits. Events fold in order-key order; a place is the fold of its events.
    """

    __tablename__ = "place_event"
    __table_args__ = (
        Index(None, "community_id", "place_id"),
        Index(None, "community_id", "target_id"),
        Index(
            "ix_place_event_structure",
            "community_id",
            "place_id",
            postgresql_where=text("kind IN ('moved', 'merged')"),
        ),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    target_id: Mapped[UUID | None]
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    install_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Place(Base):
    """A node of the registry, folded from its events.

    ``path`` is made of hex ids; coordinates are WGS-84, ``datum`` is what they were measured in. ``merged_into`` is
    the final survivor. ``withdrawn``: its proposal was voided; it stays readable and is no door to visit.
    """

    __tablename__ = "place"
    __table_args__ = (
        UniqueConstraint("community_id", "field_code"),
        Index("ix_place_path", "path", postgresql_using="gist"),
        Index(None, "community_id", "parent_id", "name_pinyin", "id"),
        Index(None, "community_id", "kind", "name_pinyin", "id"),
        Index(None, "community_id", "grid_id", "id"),
        Index(
            "ix_place_merged_into",
            "community_id",
            "merged_into",
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[UUID | None]
    path: Mapped[str] = mapped_column(Ltree)
    grid_id: Mapped[UUID | None]
    building_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(Text)
    name_pinyin: Mapped[str] = mapped_column(Text)
    field_code: Mapped[str] = mapped_column(Text)
    address_raw: Mapped[str | None] = mapped_column(Text)
    address: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    longitude: Mapped[float | None] = mapped_column(Float)
    latitude: Mapped[float | None] = mapped_column(Float)
    accuracy_m: Mapped[float | None] = mapped_column(Float)
    datum: Mapped[str | None] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    registered_ms: Mapped[int] = mapped_column(BigInteger)
    merged_into: Mapped[UUID | None]
    withdrawn: Mapped[bool] = mapped_column(Boolean, default=False)
    rev: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
