"""What a phone relies on, promise by promise: each check names the clause of PROTOCOL.md behind it."""

from mobile_contract.conformance.promises import (
    authenticating,
    clocks,
    correcting,
    poisoning,
    pulling,
    pushing,
    uploading,
)
from mobile_contract.conformance.promises.registry import CHECKS, Outcome, Promise, run_checks

__all__ = [
    "CHECKS",
    "Outcome",
    "Promise",
    "authenticating",
    "clocks",
    "correcting",
    "poisoning",
    "pulling",
    "pushing",
    "run_checks",
    "uploading",
]
