"""Files that people sent: what they are and where their key is. The bytes lie sealed in the data folder."""

from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class Attachment(Base):
    """A stored file, named by the SHA-256 of its bytes as they were sent. ``id`` follows from the hash.

    The key that opens it is the ``record_key`` of ``id``: rotated like all keys, destroyed for lawful erasure.
    """

    __tablename__ = "attachment"
    __table_args__ = (UniqueConstraint("community_id", "sha256"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    mime: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    stored_ms: Mapped[int] = mapped_column(BigInteger)
    stored_by: Mapped[UUID]
