"""What may go wrong on the way between a phone and the server."""

from collections.abc import Iterable
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """Each can be switched on alone. What it does is in its comment."""

    LATE = "late"  # the phone stays offline for days
    SHUFFLED = "shuffled"  # the outbox is sent in any order
    DUPLICATED = "duplicated"  # batches and acknowledged records are sent again
    CUT = "cut"  # a batch arrives cut in half, as if it were whole
    DROPPED = "dropped"  # the connection breaks in the middle of a body
    SWALLOWED = "swallowed"  # the server gets all, the phone never sees the answer
    TOKEN = "token"  # the access token turns invalid mid-way; the answer to a refresh gets lost
    CLONE = "clone"  # a phone is copied with its outbox, both go on
    REBOOT = "reboot"  # a new boot before the records of the old one were sent
    CLOCK = "clock"  # the wall clock is wrong by years
    POISON = "poison"  # records that must end in quarantine


ALL_FAULTS = frozenset(Fault)

CHANCE = {
    Fault.LATE: 0.6,
    Fault.SHUFFLED: 0.7,
    Fault.DUPLICATED: 0.15,
    Fault.CUT: 0.08,
    Fault.DROPPED: 0.08,
    Fault.SWALLOWED: 0.12,
    Fault.TOKEN: 0.08,
    Fault.CLONE: 0.08,
    Fault.REBOOT: 0.25,
    Fault.CLOCK: 0.5,
    Fault.POISON: 0.03,
}
"""How often a fault strikes where it can: per batch, per day or, for poison, per visit."""


def parse_faults(text: str) -> frozenset[Fault]:
    """`all`, `none`, or names with commas. Raises ValueError naming what is unknown."""
    if text.strip().lower() == "all":
        return ALL_FAULTS
    if text.strip().lower() in ("", "none"):
        return frozenset()
    return frozenset(Fault(name.strip().lower()) for name in text.split(","))


class Luck:
    """Decides when a fault strikes, and counts it. Each fault has random numbers of its own, so that how
    often the network failed does not change what is written in the field."""

    def __init__(self, faults: Iterable[Fault], seed: object) -> None:
        self.faults = frozenset(faults)
        self.seed = seed
        self.counts: dict[str, int] = {}
        self._rngs = {fault: Random(f"{seed}/{fault.value}") for fault in Fault}

    def strikes(self, fault: Fault) -> bool:
        """True when the fault is switched on and happens now."""
        if fault not in self.faults or self._rngs[fault].random() >= CHANCE[fault]:
            return False
        self.counts[fault.value] = self.counts.get(fault.value, 0) + 1
        return True
