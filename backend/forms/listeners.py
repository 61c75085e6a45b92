"""Who is told when the rules that judge a community's visits change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(slots=True)
class RuleListeners:
    """A part of the runtime. Higher layers register what must happen, in the transaction that changes a form's rules
    for a community: an override or a reassessment. Called with the form's code."""

    on_changed: list[Callable[[Session, UUID, str], None]] = field(default_factory=list)

    def tell(self, session: Session, community_id: UUID, form_code: str) -> None:
        """The rules of ``form_code`` changed for the community."""
        for call in self.on_changed:
            call(session, community_id, form_code)
