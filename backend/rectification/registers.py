"""Evidence that other registers hold: higher layers tell since when it holds at a place, and the fold asks for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from backend.hazards.facts import Standing
from backend.identity.keys import Keyring

Register = Callable[[Session, Keyring, UUID, Sequence[UUID]], Mapping[UUID, Sequence[Standing]]]
"""(session, keys, community, places) → what the register says of each place, merged places under their survivor.

Whoever changes what it says wants the place compiled again, in the same transaction.
"""


@dataclass(frozen=True, slots=True)
class EvidenceRegisters:
    """A part of the runtime."""

    registers: tuple[Register, ...] = ()

    def load(
        self, session: Session, keyring: Keyring, community_id: UUID, places: Sequence[UUID]
    ) -> dict[UUID, list[Standing]]:
        """What all registers say of ``places``."""
        found: dict[UUID, list[Standing]] = {}
        for register in self.registers:
            for place, standings in register(session, keyring, community_id, places).items():
                found.setdefault(place, []).extend(standings)
        return found
