"""Papers: figures computed at one cut-off, frozen when issued, each with the rows behind it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Paper(Base):
    """A meeting paper of one period. ``state``: queued, draft, issued. An issued paper never changes (a trigger too).

    ``content`` holds figures, sections and sentences as printed; ``sha256`` seals it at issue. Compile jobs asked for
    up to ``requested_at`` must have drained before the paper is computed.
    """

    __tablename__ = "paper"
    __table_args__ = (
        UniqueConstraint("community_id", "kind", "year", "issue"),
        Index(None, "community_id", "kind", "period_start_ms"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    year: Mapped[int] = mapped_column(Integer)
    issue: Mapped[int] = mapped_column(Integer)
    period_start_ms: Mapped[int] = mapped_column(BigInteger)
    period_end_ms: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    cutoff_ms: Mapped[int | None] = mapped_column(BigInteger)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sha256: Mapped[str | None] = mapped_column(Text)
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    issued_ms: Mapped[int | None] = mapped_column(BigInteger)
    issued_by: Mapped[UUID | None]


class PaperFigure(Base):
    """One number of a paper, under its stable key. ``row_kind``: hazard, place, visit, notice, or case: a person or a
    household whose name and door are nobody's business, under a pseudonym."""

    __tablename__ = "paper_figure"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
    row_kind: Mapped[str] = mapped_column(Text)


class PaperFigureRow(Base):
    """The ``n``-th row behind a figure, as it was at the cut-off.

    ``row_id`` is a hazard's, a visit's, a place's, a notice's or a case's. ``at_ms`` is the figure's own time (of the
    change, of the visit, of the deadline); ``category`` a form or a kind of place; ``state`` the hazard's state or the
    visit's outcome; ``detail`` what else tells rows of one id apart (the transition's number, the chain and locus).
    ``amount``: for how many the row stands; null: one.
    """

    __tablename__ = "paper_figure_row"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    row_id: Mapped[UUID]
    at_ms: Mapped[int] = mapped_column(BigInteger)
    category: Mapped[str] = mapped_column(Text)
    severity: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[int | None] = mapped_column(BigInteger)


class PaperLedgerRow(Base):
    """The ``n``-th line of a paper's ledger as it stood at the cut-off: one text a column, persons masked."""

    __tablename__ = "paper_ledger_row"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    hazard_id: Mapped[UUID]
    cells: Mapped[list[str]] = mapped_column(ARRAY(Text))


class PaperFile(Base):
    """A paper's document in one ``format`` (pdf, docx, xlsx, html), made once from its frozen content and then kept."""

    __tablename__ = "paper_file"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    format: Mapped[str] = mapped_column(Text, primary_key=True)
    sha256: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)


class Minutes(Base):
    """Minutes (会议纪要) of the meeting that sat over a paper. ``state``: draft, issued; issued ones never change.

    ``sealed``: place, chair, those present, decisions, remarks. ``sha256`` seals what was issued.
    """

    __tablename__ = "minutes"
    __table_args__ = (
        UniqueConstraint("community_id", "paper_id"),
        Index(None, "community_id", "held_ms", "id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(Text)
    held_ms: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    written_ms: Mapped[int] = mapped_column(BigInteger)
    written_by: Mapped[UUID]
    issued_ms: Mapped[int | None] = mapped_column(BigInteger)
    issued_by: Mapped[UUID | None]
    sha256: Mapped[str | None] = mapped_column(Text)


class Decision(Base):
    """A task that a meeting gave (议定事项): ``sealed`` says what and who; ``state``: open, done, dropped.

    ``state``, ``due`` and ``settled_ms`` follow from its steps in their order.
    """

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("community_id", "minutes_id", "n"),
        Index(None, "community_id", "due", "id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    minutes_id: Mapped[UUID]
    n: Mapped[int] = mapped_column(Integer)
    owner_id: Mapped[UUID | None]
    first_due: Mapped[date] = mapped_column(Date)
    due: Mapped[date] = mapped_column(Date)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    decided_ms: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    settled_ms: Mapped[int | None] = mapped_column(BigInteger)
    rev: Mapped[int] = mapped_column(Integer)


class DecisionStep(Base):
    """Fact: somebody reported on a decision. ``kind``: done, reopened, postponed (with ``due``), dropped."""

    __tablename__ = "decision_step"
    __table_args__ = (Index(None, "community_id", "decision_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    decision_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    due: Mapped[date | None] = mapped_column(Date)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    effective_ms: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[UUID]
