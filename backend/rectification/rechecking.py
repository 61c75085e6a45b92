"""Which drawn hazards (回头看) somebody still has to look at again, out of facts alone."""

from collections.abc import Collection, Iterable

from backend.hazards.facts import Observation
from backend.hazards.state import HazardState


def recheck_since(hazard: HazardState, drawn: Collection[int], looks: Iterable[Observation]) -> int | None:
    """When a closed hazard was last drawn for a re-check (``drawn``: all those moments); None when it never was, or
    somebody has looked since. A reassessment of old answers is no look."""
    if not drawn or hazard.state != "closed":
        return None
    seen = (look.key.effective_ms for look in looks if look.evidence == look.key and hazard.chain in look.rules)
    last = max(drawn)
    return None if max(seen, default=0) > last else last
