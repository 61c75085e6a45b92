"""Published forms and rules (global, immutable) and a community's changes to them (facts)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class FormVersion(Base):
    """A published form; never changed, accepted for ever."""

    __tablename__ = "form_version"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class RuleVersion(Base):
    """A published rule set of one form; judges the visits from ``effective_from_ms`` on."""

    __tablename__ = "rule_version"

    form_code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    effective_from_ms: Mapped[int] = mapped_column(BigInteger)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class RuleChange(Base):
    """What a community changed about its rules in one go: its version 1, 2, 3…"""

    __tablename__ = "rule_change"
    __table_args__ = (UniqueConstraint("community_id", "version"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    effective_from_ms: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    actor_id: Mapped[UUID | None]
    published_ms: Mapped[int] = mapped_column(BigInteger)


class RuleOverride(Base):
    """A community's change to one rule from ``effective_from_ms`` on: switched off, another deadline, other numbers
    in its condition (``thresholds``: field → number)."""

    __tablename__ = "rule_override"
    __table_args__ = (Index(None, "community_id", "rule_code", "effective_from_ms"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    rule_code: Mapped[str] = mapped_column(Text)
    effective_from_ms: Mapped[int] = mapped_column(BigInteger)
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    due: Mapped[str | None] = mapped_column(Text)
    thresholds: Mapped[dict[str, float] | None] = mapped_column(JSONB(none_as_null=True))
    actor_id: Mapped[UUID | None]
    change_id: Mapped[UUID | None]


class Reassessment(Base):
    """A decision to look at old visits with a newer rule set, as of ``effective_ms``."""

    __tablename__ = "reassessment"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    form_code: Mapped[str] = mapped_column(Text)
    rule_version: Mapped[int] = mapped_column(Integer)
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[UUID | None]
    change_id: Mapped[UUID | None]
