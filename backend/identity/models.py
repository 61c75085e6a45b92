"""Communities, accounts, memberships, devices, tokens and the audit trail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Community(Base):
    """A residents' community (社区): the tenant. ``clock_offset_ms`` is set at creation only (simulations)."""

    __tablename__ = "community"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    short_name: Mapped[str] = mapped_column(Text)
    division_code: Mapped[str | None] = mapped_column(Text)
    clock_offset_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class CommunityKey(Base):
    """A community's data key, wrapped by the installation's master key; the newest version seals."""

    __tablename__ = "community_key"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Account(Base):
    """A person who signs in. Global: one account may serve several communities."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Membership(Base):
    """A role in a community over a place and all below it (``place_id`` None: the whole community)."""

    __tablename__ = "membership"
    __table_args__ = (Index(None, "account_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    role: Mapped[str] = mapped_column(Text)
    place_id: Mapped[UUID | None]
    granted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Device(Base):
    """An installation (phone or browser) and who signed in there last."""

    __tablename__ = "device"

    install_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    name: Mapped[str | None] = mapped_column(Text)
    app_version: Mapped[str | None] = mapped_column(Text)


class DeviceAccount(Base):
    """An account that signed in on an installation: only such accounts may be the authors of records from there.

    Once revoked, the account may only push from there, into quarantine; whoever else uses the phone is untouched.
    """

    __tablename__ = "device_account"
    __table_args__ = (Index(None, "account_id", "install_id"),)

    install_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Token(Base):
    """An opaque access or refresh token, stored as its SHA-256. A family is one log-in on one installation.

    A refresh token is spent once a token of a later generation of its family was used.
    """

    __tablename__ = "token"
    __table_args__ = (Index(None, "family"), Index(None, "expires_at"), Index(None, "account_id", "install_id"))

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    family: Mapped[UUID]
    account_id: Mapped[UUID]
    install_id: Mapped[UUID | None]
    generation: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    first_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PasswordCode(Base):
    """A one-time code to set a new password, as its argon2 hash; one an account, gone once used."""

    __tablename__ = "password_code"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(Text)
    issued_by: Mapped[UUID | None]
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))


class AuditEvent(Base):
    """Who did what to what, and when. Append-only (triggers refuse the rest); details hold no personal data."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(None, "community_id", "at_ms", "id"),
        Index(None, "community_id", "account_id", "at_ms", "id"),
        Index(None, "community_id", "action", "at_ms", "id"),
        Index(None, "community_id", "subject", "at_ms", "id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    request_id: Mapped[str | None] = mapped_column(Text)


class AuditLink(Base):
    """A link of a community's chain: ``hash`` is SHA-256 over the link before it and the event (``audit_digest``).

    Written by the database when the event's transaction commits; the application may only read it.
    """

    __tablename__ = "audit_link"
    __table_args__ = (UniqueConstraint("community_id", "event_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[UUID]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
