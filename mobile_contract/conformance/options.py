"""What to play against which server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mobile_contract.conformance.faults import ALL_FAULTS, Fault
from mobile_contract.conformance.phone import Login

Progress = Callable[[str, int, int], None]


def quiet(message: str, done: int, total: int) -> None:
    """A progress callback that says nothing."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """Another community on the same server (anchors are only good where they were signed).

    `logins[i]` stands for `FleetOptions.logins[i]`, with the same role over the same places. The
    places must have the same `code` in both communities, or the same ids.
    """

    logins: Sequence[Login]
    chunk_ms: int = 6 * 3_600_000


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """What to play against which server.

    Phones take the `logins` in turn; every login sees at least one place some form can be filled
    for. `patience_s`: how long one request is tried again (servers may restart). `settle_s`: how long
    the check waits for compilation, asking every `poll_s`. `office`: a login for the office API's counts and hashes.
    """

    base_url: str
    logins: Sequence[Login]
    phones: int = 20
    days: int = 7
    seed: int = 1
    faults: frozenset[Fault] = ALL_FAULTS
    visits_per_day: int = 12
    threads: int = 6
    patience_s: float = 120
    settle_s: float = 120
    poll_s: float = 0.5
    check: bool = True
    office: Login | None = None
    mirror: Mirror | None = None
    progress: Progress = quiet
