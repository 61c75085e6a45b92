"""Files that people sent: what they are and where their key is. The bytes lie sealed in the store of files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Attachment(Base):
    """A stored file, named by the SHA-256 of its bytes as they were sent. ``id`` follows from the hash.

    The key that opens it is the ``record_key`` of ``id``: rotated like all keys, destroyed for lawful erasure.
    ``width`` to ``damaged`` are what the worker found when it looked (``examined_at``): ``taken_at`` is what the
    camera's clock showed, ``damaged`` a picture that cannot be drawn.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        UniqueConstraint("community_id", "sha256"),
        Index("ix_attachment_unexamined", "community_id", "id", postgresql_where=text("examined_at IS NULL")),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    mime: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    stored_ms: Mapped[int] = mapped_column(BigInteger)
    stored_by: Mapped[UUID]
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    taken_at: Mapped[str | None] = mapped_column(Text)
    damaged: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    examined_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Upload(Base):
    """A file on its way from a phone, under the attachment id that the phone gave it.

    ``state``: receiving, stored (``file_id`` is the content), refused (for ever, ``code`` says why), erased (lawfully).
    ``generation`` counts the times it began anew because the whole did not have the hash; ``received`` is the offset.
    """

    __tablename__ = "upload"
    __table_args__ = (
        Index("ix_upload_receiving", "community_id", "install_id", postgresql_where=text("state = 'receiving'")),
        Index(None, "community_id", "file_id"),
    )

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    install_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    mime: Mapped[str] = mapped_column(Text)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    bytes: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    generation: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    state: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    file_id: Mapped[UUID | None]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class UploadPart(Base):
    """Bytes of an upload from ``start`` on, sealed under ``part_id``, whose ``record_key`` opens them."""

    __tablename__ = "upload_part"

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    upload_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    part_id: Mapped[UUID]


class DeclaredAttachment(Base):
    """A record, or a step of the console, says that an attachment belongs to it. Whether its bytes came is another
    matter. ``place_id`` is the place whose people may see it (further ones: ``record_place``)."""

    __tablename__ = "declared_attachment"
    __table_args__ = (Index(None, "community_id", "record_id"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    attachment_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    place_id: Mapped[UUID | None]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    bytes: Mapped[int] = mapped_column(BigInteger)
    mime: Mapped[str] = mapped_column(Text)
