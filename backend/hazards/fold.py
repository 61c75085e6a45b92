"""The fold: hazards are a pure function of a set of observations and steps, whatever order they arrived in.

Everything is put into order-key order and walked once per chain (``walk``). Visits register, reopen and propose;
only steps close. A step that does not apply is kept with its reason. ``as_of`` matters for dated rules alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from backend.hazards.facts import Finding, Observation, Seen, StepFact
from backend.hazards.walk import HazardState, Powers, Sighting, walk_chain
from mobile_contract.sync.ordering import NIL_INSTALL, OrderKey


@dataclass(frozen=True, slots=True)
class PlaceFold:
    """A place's hazards by (form, chain, locus), outcomes of steps that met none, and when the day changes it next."""

    hazards: Mapping[tuple[str, str, str], HazardState]
    not_applied: Mapping[str, str]
    next_ms: int | None
    is_dated: bool


def fold_place(
    observations: Iterable[Observation],
    steps: Iterable[StepFact],
    ids_of: Callable[[str, str], Iterable[str]],
    powers: Powers,
    as_of: int,
) -> PlaceFold:
    """Fold one place's observations and steps.

    ``ids_of(chain, locus)`` gives the hazard ids that mean that chain here: the place's own, and those of places
    merged into it. A step about any other id is not applied (``hazard_unknown``): its record may yet arrive.
    """
    by_form: dict[str, list[Observation]] = {}
    for observation in observations:
        by_form.setdefault(observation.form, []).append(observation)
    hazards: dict[tuple[str, str, str], HazardState] = {}
    sightings: dict[tuple[str, str, str], list[Sighting]] = {}
    turns: list[int] = []
    is_dated = False
    for form, seen in by_form.items():
        seen.sort(key=lambda observation: observation.key)
        for chain, locus in _loci_present(seen):
            walked, coming, dated = _sightings(seen, chain, locus, as_of)
            turns += coming
            is_dated = is_dated or dated
            if any(s.finding.seen is Seen.PRESENT for s in walked):
                sightings[form, chain, locus] = walked
    steps_of, unmatched = _match_steps(steps, ids_of, sightings)
    for identity, walked in sightings.items():
        hazards[identity] = walk_chain(identity, walked, steps_of.get(identity, []), powers)
    return PlaceFold(hazards, unmatched, min(turns, default=None), is_dated)


def _loci_present(observations: Sequence[Observation]) -> list[tuple[str, str]]:
    """Every (chain, locus) that was ever present, or will be on some day."""
    found: dict[tuple[str, str], None] = {}
    for observation in observations:
        for chain, loci in observation.findings.items():
            for locus, finding in loci.items():
                if finding.seen is Seen.PRESENT or finding.from_ms is not None:
                    found[chain, locus] = None
    return list(found)


def _sightings(
    observations: Sequence[Observation], chain: str, locus: str, as_of: int
) -> tuple[list[Sighting], list[int], bool]:
    """What every visit says about one chain; a visit that does not mention the locus saw it absent.

    Also the days to come on which a dated rule will fire, and whether any dated rule is involved.
    """
    walked: list[Sighting] = []
    coming: list[int] = []
    dated = False
    absent = Finding(Seen.ABSENT)
    for index, observation in enumerate(observations):
        if chain not in observation.rules:
            continue
        finding = observation.findings.get(chain, {}).get(locus, absent)
        base = Sighting(observation.key, observation.visit_id, observation.author_id, finding, observation.rule_version)
        walked.append(base)
        if finding.from_ms is None:
            continue
        dated = True
        # The next visit ends the expectation, whatever it sees.
        following = next((o.key.effective_ms for o in observations[index + 1 :] if chain in o.rules), None)
        if following is not None and following <= finding.from_ms:
            continue
        if finding.from_ms > as_of:
            coming.append(finding.from_ms)
        else:
            key = OrderKey(finding.from_ms, NIL_INSTALL, 0, observation.visit_id)
            due = replace(finding, seen=Seen.PRESENT, from_ms=None)
            walked.append(replace(base, key=key, finding=due, virtual=True))
    walked.sort(key=lambda sighting: sighting.key)
    return walked, coming, dated


def _match_steps(
    steps: Iterable[StepFact],
    ids_of: Callable[[str, str], Iterable[str]],
    sightings: Iterable[tuple[str, str, str]],
) -> tuple[dict[tuple[str, str, str], list[StepFact]], dict[str, str]]:
    matched: dict[tuple[str, str, str], list[StepFact]] = {}
    unmatched: dict[str, str] = {}
    steps = list(steps)
    meant = {i: identity for identity in sightings for i in ids_of(*identity[1:])} if steps else {}
    for step in steps:
        identity = meant.get(step.hazard_id)
        if identity is None:
            unmatched[step.id] = "hazard_unknown"
        else:
            matched.setdefault(identity, []).append(step)
    return matched, unmatched
