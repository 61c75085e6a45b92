"""Days that are worked or not against the weekday: facts, the nation's and a community's own."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class CalendarDay(Base):
    """Fact: from ``effective_from_ms`` on, a day is a holiday, or is worked, for the whole nation. Append-only.

    ``source``: ``library`` (came with a release) or ``file`` (imported by the installation's owner).
    """

    __tablename__ = "calendar_day"
    __table_args__ = (Index(None, "day"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    works: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    effective_from_ms: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class CalendarChange(Base):
    """Fact: a community's own word on a day, before the nation's; ``works`` NULL takes it back. Append-only.

    ``source``: ``file`` (a year's file) or ``office`` (a single day).
    """

    __tablename__ = "calendar_change"
    __table_args__ = (Index(None, "community_id", "day"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    works: Mapped[bool | None] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    effective_from_ms: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[UUID | None]
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
