"""The job ledger: what must be computed, in PostgreSQL, so that the broker may be wiped."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Job(Base):
    """Work wanted on one subject. Done when ``done = wanted``. Global, and so without personal data.

    ``attempts`` is durable before work starts, so a subject that kills its worker is noticed; five in a row make
    ``dead_at``. ``token`` and ``lease_until`` fence a worker that was frozen beyond its lease.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "ix_job_open",
            "kind",
            "community_id",
            "run_after",
            postgresql_where=text("done < wanted AND dead_at IS NULL"),
        ),
    )

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    wanted: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    run_after: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    token: Mapped[UUID | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    dead_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class JobProgress(Base):
    """How far a long job has come: ``done`` of ``total`` (None: not known yet) in its ``stage``. Only told."""

    __tablename__ = "job_progress"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    stage: Mapped[str] = mapped_column(Text)
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
