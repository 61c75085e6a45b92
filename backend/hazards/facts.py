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
    """A visit in force: the root's id and order key, the contents of its last accepted correction.

    ``witnessed``: two visitors saw it, or the property office confirmed it (what 空置 needs).
    """

    id: str
    key: OrderKey
    record_id: str
    author_id: str
    place_id: str
    outcome: str
    blocks: tuple[Block, ...]
    time_quality: str = "anchored"
    witnessed: bool = False

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

    ``strict_ms`` is the deadline that waits for no holiday: a red hazard's.
    ``fixed``: every one of them was put right on the spot. ``later``: the days to come on which dated rules of the
    chain will fire, with what each day brings; earliest first.
    """

    seen: Seen
    rules: tuple[Rule, ...] = ()
    severity: str = "yellow"
    due_ms: int = 0
    strict_ms: int = 0
    fixed: bool = False
    later: "tuple[tuple[int, Finding], ...]" = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """What one visit saw through one form at one place: chain → locus → finding (chains not named: absent).

    ``switched_off``: chains that the community had switched off then, of which the visit says nothing.
    A reassessment observes under its own id and key; its ``evidence`` is the key of the visit whose answers it judges.
    """

    visit_id: str
    key: OrderKey
    evidence: OrderKey
    author_id: str
    form: str
    rule_version: int
    findings: Mapping[str, Mapping[str, Finding]]
    rules: Mapping[str, tuple[Rule, ...]]
    switched_off: frozenset[str] = frozenset()

    def finding(self, chain: str, locus: str) -> Finding | None:
        """What it says about a chain at a locus; None when it does not speak of that chain."""
        if chain not in self.rules:
            return None
        if chain in self.switched_off:
            return _UNJUDGED
        return self.findings.get(chain, {}).get(locus, _ABSENT)


_ABSENT = Finding(Seen.ABSENT)
_UNJUDGED = Finding(Seen.UNJUDGED)


@dataclass(frozen=True, slots=True)
class Standing:
    """What another register says of the place: from ``key`` on, evidence of a kind held there or held no more."""

    key: OrderKey
    evidence: str
    holds: bool


@dataclass(frozen=True, slots=True)
class StepFact:
    """Something somebody did about a hazard; ``role`` was frozen at acceptance, ``body`` holds the kind's fields.

    ``version`` is the schema version it was written in: later ones must say more.
    """

    id: str
    key: OrderKey
    hazard_id: str
    kind: str
    actor_id: str
    role: str | None
    body: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
