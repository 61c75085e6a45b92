"""Who is told when days become worked or free."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(slots=True)
class CalendarListeners:
    """A part of the runtime. Higher layers register what must happen, in the transaction that changes a community's
    calendar: called with the days (counted from 1970-01-01) and the time from which the change counts."""

    on_changed: list[Callable[[Session, UUID, Collection[int], int], None]] = field(default_factory=list)

    def tell(self, session: Session, community_id: UUID, days: Collection[int], effective_from_ms: int) -> None:
        """``days`` changed for whatever is found from ``effective_from_ms`` on."""
        if days:
            for call in self.on_changed:
                call(session, community_id, days, effective_from_ms)
