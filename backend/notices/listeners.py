"""What must happen when a notice was issued or served; higher layers register it. A part of the runtime."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from backend.http.context import Runtime
from backend.notices.models import Notice


@dataclass(frozen=True, slots=True)
class NoticeListeners:
    """Called in the transaction that stores the fact: ``(session, runtime, community, notice)``."""

    on_changed: list[Callable[[Session, Runtime, UUID, Notice], None]] = field(default_factory=list)
