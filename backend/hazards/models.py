"""Observations, hazards and their transitions (projections), and ledger numbers (facts)."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ColumnElement, Index, Integer, Text, UniqueConstraint, and_, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base

OPEN_STATES = ("registered", "assigned", "fixing", "review", "referred")


class Observation(Base):
    """Projection: what one visit saw through one form at one place.

    ``results`` maps chain → locus → present | unknown (待核); every other chain of the form was seen absent.
    """

    __tablename__ = "observation"
    __table_args__ = (Index(None, "community_id", "effective_ms"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    form: Mapped[str] = mapped_column(Text, primary_key=True)
    rule_version: Mapped[int] = mapped_column(Integer)
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    results: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Hazard(Base):
    """Projection: a chain (place, rule group or rule, locus), its state now and the open or last cycle.

    A numbered hazard whose last record was voided, or whose place was merged into another, stays as ``void`` with
    ``void_reason`` no_record or merged, without transitions and with ``cycle`` 0.
    """

    __tablename__ = "hazard"
    __table_args__ = (
        Index(None, "community_id", "place_id"),
        Index(
            "ix_hazard_open",
            "community_id",
            "grid_id",
            postgresql_where=text("state IN ('registered', 'assigned', 'fixing', 'review', 'referred')"),
        ),
        Index(None, "community_id", "registered_ms", "id"),
        Index(None, "community_id", "deadline_ms", "id"),
        Index(None, "community_id", "grid_id", "id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID]
    grid_id: Mapped[UUID | None]
    building_id: Mapped[UUID | None]
    form: Mapped[str] = mapped_column(Text)
    chain: Mapped[str] = mapped_column(Text)
    locus: Mapped[str] = mapped_column(Text)
    rules: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rule_version: Mapped[int] = mapped_column(Integer)
    severity: Mapped[str] = mapped_column(Text)
    severity_proposed: Mapped[str | None] = mapped_column(Text)
    service_gap: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str] = mapped_column(Text)
    cycle: Mapped[int] = mapped_column(Integer)
    registered_ms: Mapped[int] = mapped_column(BigInteger)
    deadline_ms: Mapped[int] = mapped_column(BigInteger)
    last_present_ms: Mapped[int] = mapped_column(BigInteger)
    closed_ms: Mapped[int | None] = mapped_column(BigInteger)
    extensions: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    contradicted: Mapped[bool] = mapped_column(Boolean)
    void_reason: Mapped[str | None] = mapped_column(Text)
    duplicate_of: Mapped[UUID | None]


class Transition(Base):
    """Projection: the ``n``-th change of a hazard's state, indexed by time for the papers."""

    __tablename__ = "transition"
    __table_args__ = (Index(None, "community_id", "effective_ms"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    cycle: Mapped[int] = mapped_column(Integer)
    step: Mapped[str] = mapped_column(Text)
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    severity: Mapped[str] = mapped_column(Text)
    form: Mapped[str] = mapped_column(Text)
    grid_id: Mapped[UUID | None]
    service_gap: Mapped[bool] = mapped_column(Boolean)
    cause: Mapped[str] = mapped_column(Text)
    cause_id: Mapped[UUID]
    actor_id: Mapped[UUID | None]


class LedgerNumber(Base):
    """Fact: the number a hazard bears for ever, with the natural key it was given to."""

    __tablename__ = "ledger_number"
    __table_args__ = (
        UniqueConstraint("community_id", "form", "year", "seq"),
        UniqueConstraint("community_id", "number"),
        Index(None, "community_id", "place_id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text)
    form: Mapped[str] = mapped_column(Text)
    year: Mapped[int] = mapped_column(Integer)
    seq: Mapped[int] = mapped_column(Integer)
    place_id: Mapped[UUID]
    chain: Mapped[str] = mapped_column(Text)
    locus: Mapped[str] = mapped_column(Text)


class LedgerCounter(Base):
    """The last ledger ``seq`` given per form and year; its row lock serialises numbering."""

    __tablename__ = "ledger_counter"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    form: Mapped[str] = mapped_column(Text, primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last_seq: Mapped[int] = mapped_column(Integer)


class DatedFold(Base):
    """Projection: a place whose hazards depend on the day. ``folded_as_of`` is the day it was last folded for."""

    __tablename__ = "dated_fold"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    folded_as_of: Mapped[int] = mapped_column(BigInteger)
    next_ms: Mapped[int | None] = mapped_column(BigInteger)


def is_retracted() -> ColumnElement[bool]:
    """A numbered hazard that no record supports any more: its only records were voided, amended away or erased.

    Whether such a hazard ever got its number depends on when it was compiled, so lists and the feed leave it out:
    they show the same for the same records, whatever order those arrived in. Its number keeps pointing at it.
    """
    return and_(Hazard.state == "void", Hazard.cycle == 0, Hazard.duplicate_of.is_(None))
