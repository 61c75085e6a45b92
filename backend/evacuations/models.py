"""Dangerous houses: what was done about each (facts), and how it stands (projections)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Index, Integer, LargeBinary, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class EvacuationFact(Base):
    """Fact: something was done about a dangerous house (``lifecycle.FACT_KINDS``). Append-only; ``sealed`` is its body.

    ``(effective_ms, install_id, seq, id)`` is its order key: ``effective_ms`` says when it happened, not when it was
    written down. ``actor_role`` was frozen when it was accepted.
    """

    __tablename__ = "evacuation_fact"
    __table_args__ = (Index(None, "community_id", "house_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[UUID]
    household_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    install_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[UUID]
    actor_role: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_ms: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Evacuation(Base):
    """Projection: a house with its present or last case. ``check_from_ms``: first emptied in the case, from the next
    day on somebody looks daily whether people moved back. ``rev`` rises with every change."""

    __tablename__ = "evacuation"
    __table_args__ = (Index(None, "community_id", "grid_id", "house_id"), Index(None, "community_id", "opened_ms"))

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[UUID] = mapped_column(primary_key=True)
    grid_id: Mapped[UUID | None]
    rev: Mapped[int] = mapped_column(Integer)
    cycle: Mapped[int] = mapped_column(Integer)
    stage: Mapped[str] = mapped_column(Text)
    grade: Mapped[str | None] = mapped_column(Text)
    appraisal_id: Mapped[UUID | None]
    opened_ms: Mapped[int | None] = mapped_column(BigInteger)
    notice_id: Mapped[UUID | None]
    notified_ms: Mapped[int | None] = mapped_column(BigInteger)
    served_ms: Mapped[int | None] = mapped_column(BigInteger)
    deadline_ms: Mapped[int | None] = mapped_column(BigInteger)
    households: Mapped[int] = mapped_column(Integer)
    households_left: Mapped[int] = mapped_column(Integer)
    households_refused: Mapped[int] = mapped_column(Integer)
    persons: Mapped[int] = mapped_column(Integer)
    emptied_ms: Mapped[int | None] = mapped_column(BigInteger)
    check_from_ms: Mapped[int | None] = mapped_column(BigInteger)
    cordoned_ms: Mapped[int | None] = mapped_column(BigInteger)
    cleared_ms: Mapped[int | None] = mapped_column(BigInteger)
    closed_ms: Mapped[int | None] = mapped_column(BigInteger)
    facts_not_applied: Mapped[int] = mapped_column(Integer)


class EvacuationHousehold(Base):
    """Projection: a household of the house in its present or last case."""

    __tablename__ = "evacuation_household"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    persons: Mapped[int] = mapped_column(Integer)
    listed_id: Mapped[UUID]
    told_ms: Mapped[int | None] = mapped_column(BigInteger)
    answered_ms: Mapped[int | None] = mapped_column(BigInteger)
    revisited_ms: Mapped[int | None] = mapped_column(BigInteger)
    reported_ms: Mapped[int | None] = mapped_column(BigInteger)
    left_ms: Mapped[int | None] = mapped_column(BigInteger)
    destination: Mapped[str | None] = mapped_column(Text)
    last_id: Mapped[UUID]


class EvacuationMove(Base):
    """Projection: a household left the house, or came back (``kind``: left, returned), in whichever of its cases."""

    __tablename__ = "evacuation_move"
    __table_args__ = (Index(None, "community_id", "moved_ms"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    fact_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    moved_ms: Mapped[int] = mapped_column(BigInteger)


class EvacuationCheck(Base):
    """Projection: what the last look of a Shanghai day saw of people moving back (返住)."""

    __tablename__ = "evacuation_check"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    returned: Mapped[bool] = mapped_column(Boolean)
    checked_ms: Mapped[int] = mapped_column(BigInteger)
    fact_id: Mapped[UUID]


class EvacuationOutcome(Base):
    """Projection: whether a fact applied, and if not, why."""

    __tablename__ = "evacuation_outcome"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[UUID] = mapped_column(primary_key=True)
    fact_id: Mapped[UUID] = mapped_column(primary_key=True)
    applied: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str | None] = mapped_column(Text)
