"""What a feature must say about a type of record so that a push can take it in.

The application is wired with one ``RecordKinds`` (``backend.app``); the push knows nothing about bodies beyond it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from backend.identity.keys import Sealer
from mobile_contract.forms import Form
from mobile_contract.sync.outcomes import Problem

RefType = Literal["place", "record", "form"]
Payload = Mapping[str, Any]
FormLookup = Callable[[str, int], Form | None]
"""``(code, version)`` → the published form, or None while this installation does not know it."""


class Reference(NamedTuple):
    """Something a record names: a place or record by lower-case UUID text, a form as ``<code>/<version>``."""

    type: RefType
    id: str


@dataclass(frozen=True, slots=True)
class AcceptedRecord:
    """A record that is in the archive. ``payload`` is parsed and valid; ``body`` its exact bytes."""

    id: UUID
    payload: Payload
    body: bytes
    author_id: UUID
    actor_role: str | None
    actor_scopes: Sequence[str]
    install_id: UUID
    seq: int
    effective_ms: int
    wall_ms: int
    root_id: UUID | None
    root_op: str | None


@dataclass(frozen=True, slots=True)
class Intake:
    """The open transaction in which records are taken in."""

    session: Session
    community_id: UUID
    sealer: Sealer
    now_ms: int


OnStored = Callable[[Intake, Sequence[AcceptedRecord]], Sequence[Reference] | None]
"""Returns what the records made known (their places), so that whoever waits for it is woken."""


def nothing_more(intake: Intake, records: Sequence[AcceptedRecord]) -> None:
    """``on_stored`` of a kind that is compiled out of the archive alone."""


def no_references(payload: Payload) -> Sequence[Reference]:
    """``references`` of a kind whose records never wait."""
    return ()


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One type of record. All functions are given payloads whose common part and frame are right.

    - ``places_of``: lower-case ids of the places to compile, the main one first; empty for a record without body.
    - ``references``: what must be known before the record can take effect; what is unknown is waited for.
    - ``validate``: problems (paths start with ``/payload``); any means quarantine. Not called without a body.
    - ``on_stored``: called with the new records of a push, in its transaction, after they are archived. Called again
      with the same record when a resend changed its ``effective_ms`` or ``install_id``: it must be an upsert.
    - ``keeps_facts``: True when ``on_stored`` must be called (visits are compiled out of the archive and need none).
    """

    type: str
    places_of: Callable[[Payload], Sequence[str]]
    references: Callable[[Payload], Sequence[Reference]]
    validate: Callable[[Payload, FormLookup], list[Problem]]
    on_stored: OnStored = nothing_more
    keeps_facts: bool = False


class RecordKinds:
    """All types of record this installation takes in; a part of the runtime."""

    def __init__(self, *kinds: RecordKind) -> None:
        self._kinds = {kind.type: kind for kind in kinds}

    def find(self, record_type: str) -> RecordKind | None:
        """The kind, or None: such a record goes to quarantine until a later version knows it."""
        return self._kinds.get(record_type)
