"""What people are told: their inbox, a community's channels outward, and what goes through them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Notification(Base):
    """Something one account is told about one hazard. ``slot`` is what it is for: told once, whoever asks how often.

    ``said`` holds numbers and times, no words and nothing personal: the sentence is made when it is read.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("community_id", "account_id", "slot"),
        Index(None, "community_id", "account_id", "id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    slot: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    hazard_id: Mapped[UUID]
    said: Mapped[dict[str, Any]] = mapped_column(JSONB)
    told_ms: Mapped[int] = mapped_column(BigInteger)
    read_ms: Mapped[int | None] = mapped_column(BigInteger)


class NotificationChannel(Base):
    """A way out of the system: an e-mail list or a group's robot. ``kinds``: what is sent there; ``place_id``: only
    about this place and what stands in it. Addresses, web address and secret are sealed under the channel's id."""

    __tablename__ = "notification_channel"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(Boolean)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    place_id: Mapped[UUID | None]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Delivery(Base):
    """One thing to be sent through one channel, once for each ``slot``. ``state``: queued, sent, dead. ``hazard_id``:
    what it is about; none for a test.

    Many may go in one message (``message_id``). A worker that dies between the sending and the commit sends again.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("community_id", "channel_id", "slot"),
        Index(
            "ix_delivery_queued",
            "community_id",
            "channel_id",
            "next_at",
            postgresql_where=text("state = 'queued'"),
        ),
        Index(None, "community_id", "channel_id", "sent_at"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID]
    slot: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    hazard_id: Mapped[UUID | None]
    said: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default=text("'queued'"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_error: Mapped[str | None] = mapped_column(Text)
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    message_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
