"""Steps (facts), the tasks they make (projection), and issued work orders (facts)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class TaskStep(Base):
    """Fact: somebody did something about a hazard. Append-only; the body is sealed (it names people).

    ``actor_role`` of a step taken at the console is as what it was taken, checked there and then. A phone's step has
    the author's roles with their places (``actor_scopes``), judged by place when folded; ``actor_role`` is only shown.
    ``schema_version`` is that of what a console step says; a phone's is its record's.
    """

    __tablename__ = "task_step"
    __table_args__ = (Index(None, "community_id", "place_id"), Index(None, "community_id", "hazard_id"))

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID]
    place_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    install_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[UUID]
    actor_role: Mapped[str | None] = mapped_column(Text)
    actor_scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    from_record: Mapped[bool] = mapped_column(Boolean)
    wall_ms: Mapped[int | None] = mapped_column(BigInteger)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    schema_version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class StepOutcome(Base):
    """Projection: whether a step applied, and if not, why (shown to a supervisor).

    The place is part of the key, as a correction may move a step.
    """

    __tablename__ = "step_outcome"
    __table_args__ = (
        Index(None, "community_id", "place_id"),
        Index(None, "community_id", "applied", "step_id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    step_id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID]
    place_id: Mapped[UUID] = mapped_column(primary_key=True)
    applied: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str | None] = mapped_column(Text)


class RectificationTask(Base):
    """Projection: who must do what about a hazard. ``rev`` rises with every visible change.

    The responsible party and the measures are read from the sealed ``assign_step_id``; ``responsible_party_key`` is a
    keyed hash, equal for equal parties, by which work orders are grouped. ``assignment_key`` is one of all that the
    assignment says, so that a correction of its words is a visible change too.
    ``referred_ms`` is since when it is with another, ``chased_ms`` when that other was last written to. ``recheck_ms``:
    when it was drawn for a 回头看, as long as nobody has looked since.
    """

    __tablename__ = "rectification_task"
    __table_args__ = (Index(None, "community_id", "place_id"), Index(None, "community_id", "assignee_id"))

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID]
    rev: Mapped[int] = mapped_column(Integer)
    closer: Mapped[str] = mapped_column(Text)
    assignee_id: Mapped[UUID | None]
    assign_step_id: Mapped[UUID | None]
    responsible_party_key: Mapped[str | None] = mapped_column(Text)
    assignment_key: Mapped[str | None] = mapped_column(Text)
    submitter_id: Mapped[UUID | None]
    revisit_id: Mapped[UUID | None]
    steps_not_applied: Mapped[int] = mapped_column(Integer)
    referred_ms: Mapped[int | None] = mapped_column(BigInteger)
    chased_ms: Mapped[int | None] = mapped_column(BigInteger)
    recheck_ms: Mapped[int | None] = mapped_column(BigInteger)


class RecheckDraw(Base):
    """Fact: a 回头看 draw. From the same seed and population (hazard ids, ascending) anybody draws the same again."""

    __tablename__ = "recheck_draw"
    __table_args__ = (Index(None, "community_id", "drawn_ms", "id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    seed: Mapped[int] = mapped_column(BigInteger)
    drawn_ms: Mapped[int] = mapped_column(BigInteger)
    drawn_by: Mapped[UUID]
    closed_from_ms: Mapped[int] = mapped_column(BigInteger)
    closed_to_ms: Mapped[int] = mapped_column(BigInteger)
    population: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))


class RecheckItem(Base):
    """Fact: a hazard that was drawn, in the order of drawing."""

    __tablename__ = "recheck_item"
    __table_args__ = (Index(None, "community_id", "hazard_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    draw_id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Integer)
    drawn_ms: Mapped[int] = mapped_column(BigInteger)


class IssuedOrder(Base):
    """Fact: a work order (交办单) as it was issued: one building (or a place without one), one responsible party, one
    closing role. ``snapshot`` is sealed under the order's id: it names people."""

    __tablename__ = "issued_order"
    __table_args__ = (UniqueConstraint("community_id", "number"), Index(None, "community_id", "issued_ms", "id"))

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text)
    building_id: Mapped[UUID]
    closer: Mapped[str] = mapped_column(Text)
    snapshot: Mapped[bytes] = mapped_column(LargeBinary)
    issued_ms: Mapped[int] = mapped_column(BigInteger)
    issued_by: Mapped[UUID]


class IssuedOrderItem(Base):
    """Fact: a task on an issued order, as it was assigned then: assigned anew, it belongs on a new order."""

    __tablename__ = "issued_order_item"
    __table_args__ = (Index(None, "community_id", "hazard_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID] = mapped_column(primary_key=True)
    assign_step_id: Mapped[UUID]
