"""Remarks in the ledger (facts), and exports of it: long work whose result waits to be fetched."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class LedgerRemark(Base):
    """Fact: what somebody wrote into the columns of a hazard's line that nothing else fills. Append-only.

    ``sealed``: ``{column: text}`` of the columns written; the newest word on each counts, by ``(at_ms, id)``.
    """

    __tablename__ = "ledger_remark"
    __table_args__ = (Index(None, "community_id", "hazard_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    hazard_id: Mapped[UUID]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[UUID]


class Export(Base):
    """A ledger that was asked for as a file. ``state``: queued, ready. ``scope``: paths it is limited to (none:
    the whole community).

    Its bytes are the ``ExportChunk`` rows in order; both are forgotten after some days.
    """

    __tablename__ = "export"
    __table_args__ = (Index(None, "community_id", "requested_ms", "id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB(none_as_null=True))
    scope: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(Text)
    requested_ms: Mapped[int] = mapped_column(BigInteger)
    requested_by: Mapped[UUID]
    rows: Mapped[int | None] = mapped_column(Integer)
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(Text)
    made_ms: Mapped[int | None] = mapped_column(BigInteger)


class ExportChunk(Base):
    """The ``n``-th piece of an export's file."""

    __tablename__ = "export_chunk"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    export_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
