"""Papers: figures computed at one cut-off, frozen when issued, each with the rows behind it."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Paper(Base):
    """A meeting paper of one period. ``state``: queued, draft, issued. An issued paper never changes.

    ``content`` holds the sections and sentences as printed; ``sha256`` seals it at issue.
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
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    sha256: Mapped[str | None] = mapped_column(Text)
    requested_by: Mapped[UUID | None]
    issued_ms: Mapped[int | None] = mapped_column(BigInteger)
    issued_by: Mapped[UUID | None]


class PaperFigure(Base):
    """One number of a paper, under its stable key."""

    __tablename__ = "paper_figure"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
    row_kind: Mapped[str] = mapped_column(Text)


class PaperFigureRow(Base):
    """A row behind a figure: a hazard, a visit or a place, by id."""

    __tablename__ = "paper_figure_row"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    row_id: Mapped[UUID]
