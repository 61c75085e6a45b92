"""Notices as they were issued, and how each was served: facts, never changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Notice(Base):
    """Fact: a notice (隐患整改告知书, 危房劝离通知书) as it was issued.

    ``snapshot`` is sealed under the notice's id and holds all that is printed. ``place_id`` is the door, the premises
    or the house it is about; ``deadline_ms`` what it asks for by when; ``replaces`` the notice that it corrects.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("community_id", "kind", "year", "seq"),
        Index(None, "community_id", "issued_ms", "id"),
        Index(None, "community_id", "place_id"),
        Index(
            "uq_notice_replaces",
            "community_id",
            "replaces",
            unique=True,
            postgresql_where=text("replaces IS NOT NULL"),
        ),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    year: Mapped[int] = mapped_column(Integer)
    seq: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(Text)
    place_id: Mapped[UUID]
    deadline_ms: Mapped[int] = mapped_column(BigInteger)
    replaces: Mapped[UUID | None]
    snapshot: Mapped[bytes] = mapped_column(LargeBinary)
    issued_ms: Mapped[int] = mapped_column(BigInteger)
    issued_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class NoticeHazard(Base):
    """Fact: the ``n``-th hazard on a notice."""

    __tablename__ = "notice_hazard"
    __table_args__ = (Index(None, "community_id", "hazard_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Integer)


class NoticeService(Base):
    """Fact: a notice was served (送达), or tried to be: by what mode, when, upon which household.

    ``body`` is sealed under the fact's id: who served it, who signed or refused, who witnessed. ``copy_sha256`` is the
    declared photo or scan of the served copy.
    """

    __tablename__ = "notice_service"
    __table_args__ = (Index(None, "community_id", "notice_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID]
    household_id: Mapped[UUID | None]
    mode: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)
    served_ms: Mapped[int] = mapped_column(BigInteger)
    copy_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_ms: Mapped[int] = mapped_column(BigInteger)
    recorded_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
