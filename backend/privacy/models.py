"""Which record names whom, by keyed hash: the way from a resident to everything that is held about them."""

from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base


class PersonMention(Base):
    """Projection: a sealed row (``source``: record, step, order, quarantine) names somebody.

    ``kind`` is name, phone, id_number or plate; ``key`` a keyed hash, equal for equal values of one community. A row
    that names nobody has one of kind ``none``: it has been looked at.
    """

    __tablename__ = "person_mention"
    __table_args__ = (Index(None, "community_id", "kind", "key"),)

    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(Text, primary_key=True)
    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
