"""From the facts of places to the rows of ``campaign_target``: what both compile and rebuild compute."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import Row, exists, or_, select, text
from sqlalchemy.orm import Session

from backend.campaigns.coverage import Standing, last_contact_ms, stand
from backend.campaigns.models import Campaign, CampaignBase, CampaignTarget
from backend.campaigns.rounds import Round, rounds_of
from backend.hazards.facts import VisitFact
from backend.jobs import ledger
from backend.places.facts import among
from backend.places.models import Place
from backend.places.projection import PlaceChange
from backend.places.queries import stood_under

COMPILE = "compile"
TargetRows = dict[tuple[Any, ...], tuple[Any, ...]]


class Told(NamedTuple):
    """A door as phones must know it: its grid now and when its people were last asked for their time."""

    grid_id: UUID | None
    last_contact_ms: int | None


class FoldedPlace(Protocol):
    """A place that is compiled with all merged into it; none when it was itself merged away."""

    @property
    def place_id(self) -> UUID: ...
    @property
    def members(self) -> frozenset[UUID]: ...
    @property
    def grid_id(self) -> UUID | None: ...
    @property
    def building_id(self) -> UUID | None: ...
    def grid_at(self, at_ms: int, member: UUID | None = None) -> UUID | None: ...


def hold_campaigns(session: Session, community_id: UUID, *, alone: bool = False) -> None:
    """Keep campaigns from being started or ended until this transaction ends; ``alone``: to do just that.

    Otherwise a compile under way would not know the campaign, and the start would not know the compile's visits.
    """
    call = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    session.execute(text(f"SELECT {call}(hashtextextended(:key, 0))"), {"key": f"campaigns:{community_id}"})


def running_rounds(campaign: Campaign) -> tuple[Round, ...]:
    """The rounds of a started campaign."""
    assert campaign.started_ms is not None
    return rounds_of(campaign.cadence, campaign.starts_ms, campaign.ends_ms, campaign.started_ms, campaign.ended_ms)


def list_started(session: Session, community_id: UUID) -> Sequence[Campaign]:
    """Every campaign that was ever started; late records still count in those that are over."""
    found = select(Campaign).where(Campaign.community_id == community_id, Campaign.started_ms.is_not(None))
    return session.scalars(found.execution_options(populate_existing=True)).all()


@dataclass(slots=True)
class Doors:
    """What is known about a set of places and the campaigns they may count in. Empty when none was ever started."""

    campaigns: Sequence[Campaign] = ()
    places: Mapping[UUID, Row[*tuple[Any, ...]]] = field(default_factory=dict)
    frozen: Mapping[UUID, Mapping[UUID, Row[*tuple[Any, ...]]]] = field(default_factory=dict)
    above: Mapping[UUID, Collection[UUID]] = field(default_factory=dict)

    @classmethod
    def load(cls, session: Session, community_id: UUID, families: Iterable[FoldedPlace]) -> "Doors":
        """Three statements for any number of places, one when there was no campaign."""
        campaigns = list_started(session, community_id)
        if not campaigns:
            return cls()
        members = sorted({member for family in families for member in family.members})
        columns = (Place.id, Place.kind, Place.path, Place.origin, Place.registered_ms, Place.withdrawn)
        found = select(*columns).where(Place.community_id == community_id, among(Place.id, members))
        places = {row.id: row for row in session.execute(found)}
        frozen: dict[UUID, dict[UUID, Row[*tuple[Any, ...]]]] = defaultdict(dict)
        base = select(CampaignBase.campaign_id, CampaignBase.place_id, CampaignBase.grid_id, CampaignBase.building_id)
        base = base.where(CampaignBase.community_id == community_id, among(CampaignBase.place_id, members))
        for row in session.execute(base):
            frozen[row.campaign_id][row.place_id] = row
        late = [row.id for row in places.values() if row.origin == "field"]
        return cls(campaigns, places, frozen, stood_under(session, community_id, late))

    def project(
        self, rows: TargetRows, told: dict[UUID, Told], family: FoldedPlace, visits: Collection[VisitFact]
    ) -> None:
        """Add the targets of one place (key → values, in the order of the table's columns), and what phones must know
        of a place that has any."""
        own = self.places.get(family.place_id)
        if own is None:
            return
        door = frozenset(map(str, family.members))
        before = len(rows)
        for campaign in self.campaigns:
            forms = {form for form, kinds in campaign.forms.items() if own.kind in kinds}
            claim = self._claim(campaign, family, own)
            if claim is None or not forms:
                continue
            for one in running_rounds(campaign):
                if one.to_ms > claim.since_ms:
                    here = (v for v in visits if one.from_ms <= v.effective_ms < one.to_ms)
                    rows[family.place_id, campaign.id, one.n] = _values(own.kind, claim, stand(here, door, forms))
        if len(rows) > before:
            told[family.place_id] = Told(family.grid_id, last_contact_ms(visits, door))

    def _claim(self, campaign: Campaign, family: FoldedPlace, own: Row[*tuple[Any, ...]]) -> "Claim | None":
        """Why a place is a target: it, or what was merged into it, was frozen or found in the field.

        It counts where it stood itself when it was frozen or found; else where the first of those merged into it did.
        """
        base = self.frozen.get(campaign.id, {})
        claims: dict[UUID, Claim] = {}
        for member in family.members & self.places.keys():
            place, stood = self.places[member], base.get(member)
            if place.withdrawn:
                continue
            if stood is not None:
                claims[member] = Claim(stood.grid_id, stood.building_id, 1)
            elif self._was_found(campaign, place, own):
                grid_id = family.grid_at(max(place.registered_ms, campaign.started_ms or 0), member)
                claims[member] = Claim(grid_id, family.building_id, 0, place.registered_ms)
        if not claims:
            return None
        frozen, since_ms = sum(c.frozen for c in claims.values()), min(c.since_ms for c in claims.values())
        return replace(claims.get(family.place_id) or claims[min(claims)], frozen=frozen, since_ms=since_ms)

    def _was_found(self, campaign: Campaign, member: Row[*tuple[Any, ...]], own: Row[*tuple[Any, ...]]) -> bool:
        """A door proposed from the field within the scope. One that was found before the start and arrives after it
        counts as if it had arrived in time."""
        if campaign.rules or member.origin != "field" or member.kind not in campaign.kinds:
            return False
        if member.registered_ms >= campaign.ends_ms:
            return False
        if member.registered_ms >= (campaign.started_ms or 0):
            return not set(campaign.scope).isdisjoint(self.above.get(member.id, ()))
        return not {scope.hex for scope in campaign.scope}.isdisjoint(own.path.split("."))


def _values(kind: str, claim: "Claim", standing: Standing) -> tuple[Any, ...]:
    visit = standing.visit
    return (
        kind,
        claim.grid_id,
        claim.building_id,
        claim.frozen,
        standing.state,
        standing.attempts,
        len(standing.slots),
        sorted(standing.forms_left),
        None if visit is None else UUID(visit.id),
        None if visit is None else visit.effective_ms,
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """Where a target counts, for how many frozen doors, and from when on."""

    grid_id: UUID | None
    building_id: UUID | None
    frozen: int
    since_ms: int = 0


def want_found(session: Session, community_id: UUID, changes: Sequence[PlaceChange]) -> None:
    """Doors proposed, corrected or withdrawn while campaigns count them are folded anew. For ``on_changed``."""
    started = exists().where(Campaign.community_id == community_id, Campaign.started_ms.is_not(None))
    if not session.scalar(select(started)):
        return
    counted = exists().where(CampaignTarget.community_id == community_id, CampaignTarget.place_id == Place.id)
    found = select(Place.id).where(
        Place.community_id == community_id,
        among(Place.id, [change.place_id for change in changes]),
        or_(Place.origin == "field", counted),
    )
    places = sorted(map(str, session.scalars(found)))
    ledger.want(session, COMPILE, community_id, places)
