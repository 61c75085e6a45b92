"""Facts about places and their fold. Pure: no result depends on the order in which facts are given.

A place is the fold of its facts in order-key order: the first that names a kind makes it, later ones overlay names,
addresses and locations; every parent a fact names is a candidate, and the last one that can be used is in force.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from backend.db import NIL_ID
from backend.places.field_codes import normal_code, roster_place_id
from backend.places.kinds import RANK

DEFINING: Final = frozenset({"registered", "proposed"})
ATTRIBUTES: Final = ("name", "address_raw", "location")


@dataclass(frozen=True, slots=True)
class PlaceFact:
    """One fact: ``kind`` is registered, proposed, moved or merged; ``target_id`` the parent or the survivor it names.

    ``data`` of registered and proposed: kind, name, field_code, address_raw, location ``{lat, lon, accuracy_m,
    datum}``; ``withdrawn: true`` on a proposal whose record was voided. Keys that are absent say nothing.
    """

    id: UUID
    place_id: UUID
    kind: str
    effective_ms: int
    target_id: UUID | None = None
    install_id: UUID = NIL_ID
    seq: int = 0
    actor_id: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, UUID, int, UUID]:
        """The order key; UUIDs compare as their text does."""
        return (self.effective_ms, self.install_id, self.seq, self.id)


@dataclass(frozen=True, slots=True)
class Link:
    """A place named by a fact, from ``from_ms`` on; ``key`` is the fact's order key."""

    key: tuple[int, UUID, int, UUID]
    target_id: UUID

    @property
    def from_ms(self) -> int:
        return self.key[0]


@dataclass(slots=True)
class Fold:
    """What a place's own facts say. ``kind`` None: nothing has made it yet."""

    place_id: UUID
    kind: str | None = None
    origin: str = "registered"
    registered_ms: int = 0
    field_code: str | None = None
    withdrawn: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)
    parents: list[Link] = field(default_factory=list)
    merges: list[Link] = field(default_factory=list)


def fold_facts(community_id: UUID, facts: Iterable[PlaceFact]) -> dict[UUID, Fold]:
    """Fold a set of facts (repeats of an id are harmless) into one Fold a place."""
    folds: dict[UUID, Fold] = {}
    for fact in sorted({fact.id: fact for fact in facts}.values(), key=lambda fact: fact.key):
        fold = folds.setdefault(fact.place_id, Fold(fact.place_id))
        if fact.kind in DEFINING:
            _define(community_id, fold, fact)
        elif fact.target_id is not None:
            links = fold.merges if fact.kind == "merged" else fold.parents
            links.append(Link(fact.key, fact.target_id))
    return folds


def _define(community_id: UUID, fold: Fold, fact: PlaceFact) -> None:
    kind = fact.data.get("kind")
    if fold.kind is None and _is_kind_of(kind, fact.place_id, community_id):
        fold.kind = kind
        fold.origin = "field" if fact.kind == "proposed" else "registered"
        fold.registered_ms = fact.effective_ms
    code = fact.data.get("field_code")
    if fold.field_code is None and code and roster_place_id(community_id, code) == fact.place_id:
        fold.field_code = normal_code(code)
    fold.withdrawn = bool(fact.data.get("withdrawn", False))
    fold.attributes.update({k: fact.data[k] for k in ATTRIBUTES if fact.data.get(k) is not None})
    if fact.target_id is not None:
        fold.parents.append(Link(fact.key, fact.target_id))


def _is_kind_of(kind: object, place_id: UUID, community_id: UUID) -> bool:
    """The root, whose id is the community's, and nothing else is a community."""
    return isinstance(kind, str) and kind in RANK and (kind == "community") == (place_id == community_id)
