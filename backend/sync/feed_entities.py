"""What may travel in the feed. The application is wired with one ``FeedEntities`` (``backend.app``)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from backend.http.context import Actor


class FeedRow(NamedTuple):
    """An entity as it stands. ``data`` is anything orjson writes (``orjson.Fragment`` for ready JSON). ``path`` is that
    of its place, for entities that not everybody who follows a scope may see in full."""

    id: str
    rev: int
    scope_id: str
    data: Any
    path: str | None = None


Load = Callable[[Session, UUID, Sequence[str]], Mapping[str, FeedRow]]
"""``(session, community_id, ids)`` → the rows that exist, by id, whatever their scope. One query, not one an id."""

After = Callable[[Session, UUID, str, str | None, int], Sequence[FeedRow]]
"""``(session, community_id, scope_id, after_id, limit)`` → the scope's next rows, ascending by one stable key that
is the id; from the first when ``after_id`` is None."""


Seen = Callable[[FeedRow, Actor], FeedRow]
"""The row as that account may see it."""


def in_full(row: FeedRow, _actor: Actor) -> FeedRow:
    """For entities that hold nothing personal."""
    return row


@dataclass(frozen=True, slots=True)
class FeedEntity:
    """One entity: its wire name, the kind of scope it lives in (``area``, ``forms`` or ``device``), how to read it, and
    what of it whoever follows the scope may see."""

    name: str
    scope_kind: str
    load: Load
    after: After
    seen: Seen = in_full


class FeedEntities:
    """All entities of the feed, in the order in which a snapshot sends them; a part of the runtime."""

    def __init__(self, entities: Iterable[FeedEntity] = ()) -> None:
        self._entities = tuple(entities)
        self._by_name = {entity.name: entity for entity in self._entities}

    def find(self, name: str) -> FeedEntity | None:
        """The entity of that wire name."""
        return self._by_name.get(name)

    def of_scope(self, scope_id: str) -> tuple[FeedEntity, ...]:
        """The entities that live in a scope, in the order of a snapshot."""
        kind = scope_id.partition(":")[0]
        return tuple(entity for entity in self._entities if entity.scope_kind == kind)
