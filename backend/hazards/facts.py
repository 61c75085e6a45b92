"""The inputs of the fold, as plain values: visits, what they saw, and steps. No database here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mobile_contract.rules import Rule
from mobile_contract.sync.ordering import OrderKey


@dataclass(frozen=True, slots=True)
class Block:
    """One form of a visit at one place. ``fixed``: rule codes put right on the spot, with photos before and after."""

    form: str
    version: int
    place_id: str
    answers: Mapping[str, Any]
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class VisitFact:
    """A visit in force: the root's id and order key, the contents of its last accepted correction."""

    id: str
    key: OrderKey
    record_id: str
    author_id: str
    place_id: str
    outcome: str
    blocks: tuple[Block, ...]
    time_quality: str = "anchored"

    @property
    def effective_ms(self) -> int:
        return self.key.effective_ms


class Seen(StrEnum):
    """What a visit says about a chain. UNJUDGED: the community had switched its rules off."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Finding:
    """The rules of a chain that fired at a locus in one visit, and how grave and urgent that makes it.

    ``from_ms`` is set for a dated rule whose day lies after the visit: present from that day on.
    """

    seen: Seen
    rules: tuple[Rule, ...] = ()
    severity: str = "yellow"
    due_ms: int = 0
    fixed: bool = False
    from_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What one visit saw through one form at one place: chain → locus → finding (chains not named: absent).

    A reassessment observes under its own id.
    """

    visit_id: str
    key: OrderKey
    author_id: str
    form: str
    rule_version: int
    findings: Mapping[str, Mapping[str, Finding]]
    rules: Mapping[str, tuple[Rule, ...]]


@dataclass(frozen=True, slots=True)
class StepFact:
    """Something somebody did about a hazard; ``role`` was frozen at acceptance, ``body`` holds the kind's fields."""

    id: str
    key: OrderKey
    hazard_id: str
    kind: str
    actor_id: str
    role: str | None
    body: Mapping[str, Any] = field(default_factory=dict)
