"""From the facts of places to the rows of all projections: the one way in which both compile and rebuild compute."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.campaigns.projecting import Doors, Told
from backend.forms.catalogue import FormCatalogue, RuleBook
from backend.hazards.facts import Observation, Seen, Standing, StepFact, VisitFact
from backend.hazards.fold import PlaceFold, fold_place
from backend.hazards.models import LedgerNumber
from backend.hazards.observing import observe, without_misplaced
from backend.hazards.state import HazardState, Powers
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealer
from backend.identity.permissions import may_close, may_extend, permissions_of
from backend.places.queries import kinds_of
from backend.rectification import projection_tables as tables
from backend.rectification.families import Family, load_families
from backend.rectification.loading import PlaceFacts, load_facts
from backend.rectification.rechecking import recheck_since
from backend.rectification.registers import EvidenceRegisters
from backend.rectification.voiding import add_void
from mobile_contract.rules import hazard_id

POWERS = Powers(
    may_take=lambda role, permission: role is not None and permission in permissions_of(role),
    may_close=lambda role, closers: role is not None and may_close(role, closers),
    may_extend=lambda role, severity: role is not None and may_extend(role, severity),
)
#: What an assignment says in words; they are sealed, and a hash of them tells that they were corrected.
WORDS = ("responsible_party", "measures", "funds", "plan")


@dataclass(slots=True)
class Projection:
    """Computed rows by table, the hazards they were made of, and which hazards of these places have a number."""

    rows: dict[str, tables.Rows] = field(default_factory=lambda: {t.name: {} for t in tables.ALL_TABLES})
    hazards: dict[UUID, HazardState] = field(default_factory=dict)
    numbered: set[UUID] = field(default_factory=set)
    places: dict[UUID, Family] = field(default_factory=dict)
    folded_as_of: dict[tables.Key, tables.Values] = field(default_factory=dict)
    coverage: Doors = field(default_factory=Doors)
    told: dict[UUID, Told] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Here:
    """What else bears on one place: its ledger numbers, what registers say of it, the moment it is folded for."""

    numbered: Sequence[LedgerNumber]
    standings: Sequence[Standing]
    as_of: int


@dataclass(frozen=True, slots=True)
class Projector:
    """What projecting needs beside the session: the community, its keys, its rules, and the time it is done for."""

    community_id: UUID
    keyring: Keyring
    sealer: Sealer
    book: RuleBook
    registers: EvidenceRegisters

    @classmethod
    def make(cls, session: Session, runtime: Runtime, community_id: UUID) -> "Projector":
        """A projector over the community's keys and rules as they are now."""
        keyring = runtime.part(Keyring)
        book = runtime.part(FormCatalogue).rule_book(session, community_id)
        return cls(community_id, keyring, keyring.sealer(session, community_id), book, runtime.part(EvidenceRegisters))

    def project(self, session: Session, place_ids: Sequence[UUID], as_of: Callable[[UUID], int]) -> Projection:
        """Compute all projection rows of exactly ``place_ids`` from all facts about them and what was merged into them.

        ``as_of(place_id)`` is the moment a place is folded for; it matters to dated rules only.
        """
        families = load_families(session, self.community_id, place_ids)
        every_member = sorted({member for family in families for member in family.members})
        facts = load_facts(session, self.community_id, self.sealer, every_member)
        self._drop_misplaced(session, facts)
        numbered = self._numbered(session, [family.place_id for family in families])
        projection = Projection(numbered={number.hazard_id for rows in numbered.values() for number in rows})
        projection.coverage = Doors.load(session, self.community_id, families)
        standings = self.registers.load(session, self.keyring, self.community_id, every_member)
        for family in families:
            projection.places[family.place_id] = family
            here = _Here(numbered.get(family.place_id, ()), standings.get(family.place_id, ()), as_of(family.place_id))
            self._project_place(projection, family, facts, here)
        return projection

    def _drop_misplaced(self, session: Session, facts: PlaceFacts) -> None:
        """Blocks that may not be filled for the kind of their place take no effect, whenever the place became known."""
        named = {UUID(block.place_id) for visit in facts.visits for block in visit.blocks}
        kinds = kinds_of(session, self.community_id, named) if named else {}
        facts.change_visits(lambda visit: without_misplaced(self.book, visit, kinds))

    def _numbered(self, session: Session, place_ids: Sequence[UUID]) -> dict[UUID, list[LedgerNumber]]:
        found: dict[UUID, list[LedgerNumber]] = {}
        rows = session.scalars(
            select(LedgerNumber).where(
                LedgerNumber.community_id == self.community_id,
                LedgerNumber.place_id == func.any(list(place_ids)),
            )
        )
        for row in rows:
            found.setdefault(row.place_id, []).append(row)
        return found

    def _project_place(self, out: Projection, family: Family, facts: PlaceFacts, here: "_Here") -> None:
        members = frozenset(str(member) for member in family.members)
        visits = {v.id: v for member in members for v in facts.visits_at.get(member, ())}
        steps = [step for member in members for step in facts.steps_at.get(member, ())]
        observations = observe(self.book, visits.values(), members)
        powers = replace(POWERS, calendar=self.book.calendar)
        fold = fold_place(
            *(observations, steps, lambda chain, locus: self._ids(members, chain, locus), powers),
            *(here.as_of, here.standings),
        )
        _add_visits(out, family, members, visits.values())
        _add_observations(out, family, observations)
        out.coverage.project(out.rows["campaign_target"], out.told, family, visits.values())
        where = _places_of_causes(family, visits.values(), facts)
        for hazard in fold.hazards.values():
            drawn = [ms for i in self._ids(members, hazard.chain, hazard.locus) for ms in facts.drawn.get(UUID(i), ())]
            self._add_hazard(out, family, hazard, where, recheck_since(hazard, drawn, observations))
        _add_step_outcomes(out, family, steps, fold, self._own_id)
        for number in here.numbered:
            if number.hazard_id not in out.hazards:
                add_void(out.rows, family, number, self._own_id, self.book)
        if fold.is_dated:
            out.rows["dated_fold"][(family.place_id,)] = (fold.next_ms,)
            out.folded_as_of[(family.place_id,)] = (here.as_of,)

    def _own_id(self, place_id: UUID, chain: str, locus: str) -> UUID:
        return hazard_id(self.community_id, place_id, chain, locus)

    def _ids(self, members: frozenset[str], chain: str, locus: str) -> list[str]:
        return [str(hazard_id(self.community_id, member, chain, locus)) for member in members]

    def _add_hazard(
        self, out: Projection, family: Family, hazard: HazardState, where: Mapping[str, UUID], recheck_ms: int | None
    ) -> None:
        identity = self._own_id(family.place_id, hazard.chain, hazard.locus)
        out.hazards[identity] = hazard
        service_gap = all(not rule.is_hazard for rule in hazard.rules.values())
        out.rows["hazard"][(identity,)] = (
            family.place_id,
            family.grid_id,
            family.building_id,
            hazard.form,
            hazard.chain,
            hazard.locus,
            sorted(hazard.rules),
            hazard.rule_version,
            hazard.severity,
            hazard.severity_proposed,
            service_gap,
            hazard.state,
            hazard.cycle,
            hazard.registered_ms,
            hazard.deadline_ms,
            hazard.last_present_ms,
            hazard.closed_ms,
            hazard.extensions,
            hazard.contradicted,
            hazard.void_reason,
            _uuid(hazard.duplicate_of),
        )
        assigned = hazard.assign_step
        said = assigned.body if assigned is not None else {}
        party = said.get("responsible_party")
        out.rows["rectification_task"][(identity,)] = (
            family.place_id,
            hazard.closers[0],
            _uuid(hazard.assignee_id),
            _uuid(assigned.id) if assigned is not None else None,
            self.sealer.keyed_hash(party) if party else None,
            self.sealer.keyed_hash("\n".join(str(said.get(w)) for w in WORDS)) if assigned is not None else None,
            _uuid(hazard.submitter_id),
            _uuid(hazard.revisit_id),
            hazard.refused,
            hazard.referred_ms,
            hazard.chased_ms,
            recheck_ms,
        )
        _add_transitions(out, family, identity, hazard, where, service_gap)


def _add_transitions(
    out: Projection,
    family: Family,
    identity: UUID,
    hazard: HazardState,
    where: Mapping[str, UUID],
    service_gap: bool,
) -> None:
    for n, change in enumerate(hazard.changes, 1):
        out.rows["transition"][identity, n] = (
            change.cycle,
            change.step,
            change.from_state,
            change.to_state,
            change.effective_ms,
            change.severity,
            hazard.form,
            family.grid_at(change.effective_ms, where.get(change.cause_id)),
            service_gap,
            change.cause,
            UUID(change.cause_id),
            _uuid(change.actor_id),
        )


def _places_of_causes(family: Family, visits: Iterable[VisitFact], facts: PlaceFacts) -> Mapping[str, UUID]:
    """At which of the merged places a visit or step was: it counts in the grid that place stood in then."""
    where: dict[str, UUID] = {}
    if len(family.members) > 1:
        for visit in visits:
            named = {UUID(visit.place_id), *(UUID(block.place_id) for block in visit.blocks)} & family.members
            # None is left of a visit whose only block here was misplaced.
            if named:
                where[visit.id] = family.place_id if family.place_id in named else min(named)
        for member in family.members:
            where |= {step.id: member for step in facts.steps_at.get(str(member), ())}
    return where


def _add_visits(out: Projection, family: Family, members: frozenset[str], visits: Iterable[VisitFact]) -> None:
    for visit in visits:
        if visit.place_id in members:
            out.rows["visit"][family.place_id, UUID(visit.id)] = (
                family.grid_at(visit.effective_ms, UUID(visit.place_id)),
                family.building_id,
                UUID(visit.record_id),
                visit.effective_ms,
                visit.outcome,
                UUID(visit.author_id),
                sorted({block.form for block in visit.blocks}),
                visit.time_quality,
            )


def _add_observations(out: Projection, family: Family, observations: Sequence[Observation]) -> None:
    stored = (Seen.PRESENT, Seen.UNKNOWN)
    for seen in observations:
        results = {
            chain: marked
            for chain, loci in seen.findings.items()
            if (marked := {locus: str(f.seen) for locus, f in loci.items() if f.seen in stored})
        }
        key = (family.place_id, UUID(seen.visit_id), seen.form)
        out.rows["observation"][key] = (seen.rule_version, seen.key.effective_ms, results)


def _add_step_outcomes(
    out: Projection,
    family: Family,
    steps: Sequence[StepFact],
    fold: PlaceFold,
    own_id: Callable[[UUID, str, str], UUID],
) -> None:
    refused: dict[str, tuple[UUID, str | None]] = {}
    for (chain, locus), hazard in fold.hazards.items():
        identity = own_id(family.place_id, chain, locus)
        refused |= dict.fromkeys(hazard.applied, (identity, None))
        refused |= {step_id: (identity, reason) for step_id, reason in hazard.not_applied.items()}
    for step in steps:
        identity, reason = refused.get(step.id, (UUID(step.hazard_id), fold.not_applied.get(step.id)))
        out.rows["step_outcome"][UUID(step.id), family.place_id] = (identity, reason is None, reason)


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None
