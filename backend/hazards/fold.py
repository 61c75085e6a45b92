"""The fold: hazards are a pure function of a set of observations and steps, whatever order they arrived in.

Everything is put into order-key order and walked once per chain (``walk``). Visits register, reopen and propose;
only steps close. A step that does not apply is kept with its reason. ``as_of`` matters for dated rules alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.hazards.facts import Observation, Seen, Standing, StepFact
from backend.hazards.observing import together
from backend.hazards.state import HazardState, Powers, Sighting
from backend.hazards.walk import walk_chain
from mobile_contract.sync.ordering import NIL_INSTALL, OrderKey

Chain = tuple[str, str]
"""(chain, locus)"""


@dataclass(frozen=True, slots=True)
class PlaceFold:
    """A place's hazards by (chain, locus), outcomes of steps that met none, and when the day changes it next."""

    hazards: Mapping[Chain, HazardState]
    not_applied: Mapping[str, str]
    next_ms: int | None
    is_dated: bool


def fold_place(
    observations: Iterable[Observation],
    steps: Iterable[StepFact],
    ids_of: Callable[[str, str], Iterable[str]],
    powers: Powers,
    as_of: int,
    standings: Sequence[Standing] = (),
) -> PlaceFold:
    """Fold one place's observations and steps.

    ``ids_of(chain, locus)`` gives the hazard ids that mean that chain here: the place's own, and those of places
    merged into it. A step about any other id is not applied (``hazard_unknown``): its record may yet arrive. Forms
    that share a rule see one and the same hazard. ``standings`` are evidence that other registers hold about the place.
    """
    ordered = sorted(observations, key=lambda observation: (observation.key, observation.form))
    sightings: dict[Chain, list[Sighting]] = {}
    turns: list[int] = []
    is_dated = False
    for chain, locus in _loci_present(ordered):
        walked, coming, dated = _with_days(_sightings(ordered, chain, locus), as_of)
        turns += coming
        is_dated = is_dated or dated
        if any(s.finding.seen is Seen.PRESENT for s in walked):
            sightings[chain, locus] = walked
    steps_of, unmatched = _match_steps(steps, ids_of, sightings)
    hazards = {
        (chain, locus): walk_chain(chain, locus, walked, steps_of.get((chain, locus), []), powers, standings)
        for (chain, locus), walked in sightings.items()
    }
    return PlaceFold(hazards, unmatched, min(turns, default=None), is_dated)


def _loci_present(observations: Sequence[Observation]) -> list[Chain]:
    """Every (chain, locus) that was ever present, or will be on some day."""
    found: dict[Chain, None] = {}
    for observation in observations:
        for chain, loci in observation.findings.items():
            for locus, finding in loci.items():
                if finding.seen is Seen.PRESENT or finding.later:
                    found[chain, locus] = None
    return list(found)


def _sightings(observations: Sequence[Observation], chain: str, locus: str) -> Iterator[Sighting]:
    """What every look says about one chain, in order; a visit that does not mention the locus saw it absent."""
    held: Sighting | None = None
    for seen in observations:
        finding = seen.finding(chain, locus)
        if finding is None:
            continue
        if held is not None and held.key == seen.key:  # one visit, two forms with the same rule
            held = held.with_finding(together(held.finding, finding))
            continue
        if held is not None:
            yield held
        held = Sighting(seen.key, seen.evidence, seen.visit_id, seen.author_id, finding, seen.form, seen.rule_version)
    if held is not None:
        yield held


def _with_days(looks: Iterable[Sighting], as_of: int) -> tuple[list[Sighting], list[int], bool]:
    """The looks with those days among them on which dated rules fired, nobody being there; the days to come; and
    whether any dated rule is involved."""
    walked = list(looks)
    coming: list[int] = []
    days: list[Sighting] = []
    for look, following in zip(walked, [*walked[1:], None], strict=True):
        for from_ms, finding in look.finding.later:
            # The next visit ends the expectation, whatever it sees.
            if following is not None and following.key.effective_ms <= from_ms:
                continue
            if from_ms > as_of:
                coming.append(from_ms)
            else:
                days.append(look.on_day(OrderKey(from_ms, NIL_INSTALL, 0, look.visit_id), finding))
    is_dated = any(look.finding.later for look in walked)
    return sorted([*walked, *days], key=lambda sighting: sighting.key), coming, is_dated


def _match_steps(
    steps: Iterable[StepFact],
    ids_of: Callable[[str, str], Iterable[str]],
    sightings: Iterable[Chain],
) -> tuple[dict[Chain, list[StepFact]], dict[str, str]]:
    matched: dict[Chain, list[StepFact]] = {}
    unmatched: dict[str, str] = {}
    steps = list(steps)
    meant = {i: identity for identity in sightings for i in ids_of(*identity)} if steps else {}
    for step in steps:
        identity = meant.get(step.hazard_id)
        if identity is None:
            unmatched[step.id] = "hazard_unknown"
        else:
            matched.setdefault(identity, []).append(step)
    return matched, unmatched
