"""Plain histories of a sweep: visits, doors found, merged, moved and registered late; and a recount of what is covered,
written apart from the product."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.campaigns.models import Campaign, CampaignTarget
from backend.inspections.record_kinds import Reference
from backend.inspections.waiting import unknown_places, wait
from backend.places.events import PlaceFact
from backend.places.service import record_place_events
from tests.factories.campaigns import make_campaign
from tests.factories.places import merged, moved, proposed, registered
from tests.factories.records import block, put_record, visit_body
from tests.hazards.delivering import GRIDS, NOW_MS, Town, places_to_compile

HOUR, DAY = 3_600_000, 86_400_000
STARTED: Final = NOW_MS - 20 * DAY
UNITS = [UUID(int=0xD000 << 80 | n, version=4) for n in range(2)]
HOMES = [UUID(int=0xE000 << 80 | n, version=4) for n in range(6)]
#: Homes stand in turn in the unit of the first grid and of the second.
UNIT_OF = {home: UNITS[n % 2] for n, home in enumerate(HOMES)}
GRID_OF_UNIT = dict(zip(UNITS, GRIDS, strict=True))
FORMS = ("anti_theft_window", "ebike_charging")
#: A sweep of all doors with both forms, and one of the first grid with one form, week by week.
PLANS: Final[dict[str, dict[str, Any]]] = {
    "everywhere": {"forms": FORMS},
    "first grid": {"forms": FORMS[1:], "scope": GRIDS[:1], "cadence": "weekly"},
}
Op = Callable[[Session], None]


@dataclass
class Said:
    """A history. ``before`` and ``after``: what the office did before and after the start; the rest is of phones."""

    visits: list[dict[str, Any]] = field(default_factory=list)
    found: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    late: dict[UUID, UUID] = field(default_factory=dict)
    merged: dict[UUID, UUID] = field(default_factory=dict)
    moved: dict[UUID, UUID] = field(default_factory=dict)


def make_said(rng: Random, visits: int = 14) -> Said:
    """A history of a few weeks around the start."""
    said = Said()
    for n in range(rng.randint(0, 3)):
        door = UUID(int=0xF000 << 80 | n, version=4)
        at_ms = STARTED + rng.randint(-5, 8) * DAY + n
        said.found[door] = {"unit": rng.choice(UNITS), "ms": at_ms, "withdrawn": rng.random() < 0.3}
    said.late = {UUID(int=0xF100 << 80 | n, version=4): rng.choice(UNITS) for n in range(rng.randint(0, 2))}
    doors = [*HOMES, *said.found]
    for loser in rng.sample(HOMES, rng.randint(0, 2)):
        survivor = rng.choice([d for d in [*doors, *said.late] if d != loser and d not in said.merged])
        if survivor not in said.merged.values() or rng.random() < 0.5:
            said.merged[loser] = survivor
    for loser in list(said.merged):
        if said.merged[loser] in said.merged:
            del said.merged[loser]
    said.moved = {door: rng.choice(UNITS) for door in rng.sample(HOMES, rng.randint(0, 2))}
    said.visits = [_visit(rng, n, [*doors, *said.late]) for n in range(visits)]
    return said


def _visit(rng: Random, n: int, doors: Sequence[UUID]) -> dict[str, Any]:
    outcome = rng.choice(["done", "done", "no_answer", "no_answer", "refused", "vacant", "not_applicable"])
    return {
        "id": UUID(int=0xA000 << 80 | n, version=4),
        "ms": STARTED + rng.randint(-8, 12) * DAY + rng.randint(0, 23) * HOUR + n,
        "door": rng.choice(doors),
        "outcome": outcome,
        "forms": rng.sample(FORMS, rng.randint(1, 2)) if outcome == "done" else [],
        "two": rng.random() < 0.6,
        "voided": rng.random() < 0.1,
    }


# --- into the system --------------------------------------------------------------------------------------------------


@dataclass
class Streets(Town):
    """A town with homes in both grids."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.withdrawn: set[UUID] = set()
        self.arrived: set[UUID] = set()
        self.in_time: set[UUID] = set()
        facts = [registered(unit, "unit", "1单元", grid) for unit, grid in GRID_OF_UNIT.items()]
        facts += [registered(home, "household", f"{n + 1}01室", UNIT_OF[home]) for n, home in enumerate(HOMES)]
        with self.transaction() as session:
            record_place_events(session, self.community_id, facts)

    def play(self, said: Said, rng: Random | None = None) -> dict[str, Campaign]:
        """Everything, in the order it happened, or in odd lots and any order that the office's own clock allows."""
        phones = [*self._visits(said), *self._found(said)]
        office = list(self._office(said))
        if rng is not None:
            phones += rng.choices(phones, k=len(phones) // 6) if phones else []
            rng.shuffle(phones)
        early = rng.randint(0, len(phones)) if rng else len(phones) // 2
        for operation in phones[:early]:
            self._do(operation, rng)
        self.in_time = {door for door in self.arrived - self.withdrawn if said.found[door]["ms"] < STARTED}
        campaigns = {}
        for name, plan in PLANS.items():
            with self.transaction() as session:
                campaigns[name] = make_campaign(
                    session, self.runtime, self.community_id, now_ms=STARTED, days_before=5, days_after=14, **plan
                )
        rest = [*phones[early:], *office]
        if rng is not None:
            rng.shuffle(rest)
        for operation in rest:
            self._do(operation, rng)
        while self.work():
            pass
        return campaigns

    def _do(self, operation: Op, rng: Random | None) -> None:
        with self.transaction() as session:
            operation(session)
        if rng is not None and rng.random() < 0.4:
            self.work(rng.choice([1, 2, 5]))

    def _visits(self, said: Said) -> Iterator[Op]:
        for visit in said.visits:
            yield lambda session, v=visit: self._put_visit(session, v)
            if visit["voided"]:
                yield lambda session, v=visit: self._put_void(session, v)

    def _put_visit(self, session: Session, visit: dict[str, Any]) -> None:
        blocks = [block(form, visit["door"], {}) for form in visit["forms"]]
        body = visit_body(visit["door"], blocks, visit["outcome"])
        body["visit"]["header"]["visitors"] = ["石小满", "田大禾"] if visit["two"] else ["石小满"]
        self._put(session, body, visit["id"], visit["ms"])
        if unknown_places(session, self.community_id, [str(visit["door"])]):
            wait(session, self.community_id, {visit["id"]: [Reference("place", str(visit["door"]))]}, {})

    def _put_void(self, session: Session, visit: dict[str, Any]) -> None:
        record_id = UUID(int=visit["id"].int + (1 << 40))
        self._put(session, {}, record_id, visit["ms"] + 1, voids=visit["id"], record_type="visit")

    def _put(self, session: Session, body: dict[str, Any], record_id: UUID, at_ms: int, **options: Any) -> None:
        put_record(session, self.sealer, self.community_id, body, at_ms, record_id=record_id, **options)
        self.want(session, places_to_compile(session, self.community_id, record_id))

    def _found(self, said: Said) -> Iterator[Op]:
        for door, found in said.found.items():
            fact = proposed(door, "household", "野外户", found["unit"], found["ms"])
            yield lambda session, f=fact: self._propose(session, f)
            if found["withdrawn"]:
                yield lambda session, f=fact: self._withdraw(session, f)

    def _propose(self, session: Session, fact: PlaceFact) -> None:
        self.arrived.add(fact.place_id)
        self._place(_withdrawn(fact) if fact.place_id in self.withdrawn else fact)(session)

    def _withdraw(self, session: Session, fact: PlaceFact) -> None:
        self.withdrawn.add(fact.place_id)
        self.arrived.add(fact.place_id)
        self._place(_withdrawn(fact))(session)

    def _office(self, said: Said) -> Iterator[Op]:
        for n, (door, unit) in enumerate(said.late.items()):
            yield self._place(registered(door, "household", f"补登{n}室", unit, STARTED + DAY))
        for n, (loser, survivor) in enumerate(said.merged.items()):
            yield self._place(merged(loser, survivor, STARTED + 2 * DAY + n))
        for n, (door, unit) in enumerate(said.moved.items()):
            yield self._place(moved(door, unit, STARTED + 3 * DAY + n))


def _withdrawn(fact: PlaceFact) -> PlaceFact:
    data = {**fact.data, "withdrawn": True}
    return PlaceFact(
        fact.id, fact.place_id, fact.kind, fact.effective_ms, fact.target_id, fact.install_id, fact.seq, data=data
    )


Row = tuple[str, UUID | None, int, int, int]
Rows = dict[tuple[int, UUID], Row]


def stored(session: Session, campaign: Campaign) -> Rows:
    """(round, door) → (state, grid, frozen, attempts, slots) as the product has them."""
    t = CampaignTarget
    found = select(t).where(t.community_id == campaign.community_id, t.campaign_id == campaign.id)
    return {(r.round, r.place_id): (r.state, r.grid_id, r.frozen, r.attempts, r.slots) for r in session.scalars(found)}


# --- the recount ------------------------------------------------------------------------------------------------------


def recount(said: Said, plan: dict[str, Any], rounds: Sequence[tuple[int, int, int]], in_time: set[UUID]) -> Rows:
    """The same, counted by hand. ``rounds``: (n, from, to); ``in_time``: doors found that were known at the start."""
    grids = plan.get("scope") or GRIDS
    base = {home: GRID_OF_UNIT[UNIT_OF[home]] for home in HOMES if GRID_OF_UNIT[UNIT_OF[home]] in grids}
    last = max(to for _, _, to in rounds)
    found = {
        door: (GRID_OF_UNIT[f["unit"]], f["ms"])
        for door, f in said.found.items()
        if not f["withdrawn"] and GRID_OF_UNIT[f["unit"]] in grids and f["ms"] < last
    }
    stays = {door: said.merged.get(door, door) for door in [*HOMES, *said.found, *said.late]}
    rows: Rows = {}
    for survivor in sorted({stays[d] for d in [*base, *found]}):
        members = [d for d in stays if stays[d] == survivor]
        for n, from_ms, to_ms in rounds:
            row = _recount_door(said, plan["forms"], members, survivor, base, found, in_time, (from_ms, to_ms))
            if row is not None:
                rows[n, survivor] = row
    return rows


def _recount_door(
    said: Said,
    forms: Sequence[str],
    members: Sequence[UUID],
    survivor: UUID,
    base: dict[UUID, UUID],
    found: dict[UUID, tuple[UUID, int]],
    in_time: set[UUID],
    window: tuple[int, int],
) -> Row | None:
    claims = {m: base[m] for m in members if m in base} | {m: found[m][0] for m in members if m in found}
    since = min(found[m][1] if m in found else 0 for m in claims)
    if since >= window[1]:
        return None
    grid = claims.get(survivor, claims[min(claims)])
    frozen = sum(m in base or m in in_time for m in claims)
    visits = sorted((v for v in said.visits if v["door"] in members and not v["voided"]), key=lambda v: v["ms"])
    here = [v for v in visits if window[0] <= v["ms"] < window[1]]
    here = [v for v in here if v["outcome"] != "done" or set(v["forms"]) & set(forms)]
    attempts, slots = _recount_attempts(here, set(forms))
    return _recount_state(here, set(forms)), grid, frozen, attempts, slots


def _recount_state(visits: Sequence[dict[str, Any]], forms: set[str]) -> str:
    if not visits:
        return "not_visited"
    if forms <= {form for v in visits for form in v["forms"]}:
        return "done"
    met = max((i for i, v in enumerate(visits) if v["outcome"] in ("done", "refused")), default=-1)
    settled = [
        v["outcome"]
        for v in visits[met + 1 :]
        if v["outcome"] == "not_applicable" or (v["outcome"] == "vacant" and v["two"])
    ]
    if settled:
        return str(settled[-1])
    outcome: str = visits[-1]["outcome"]
    return {"done": "partial", "vacant": "vacant_unconfirmed"}.get(outcome, outcome)


def _recount_attempts(visits: Sequence[dict[str, Any]], forms: set[str]) -> tuple[int, int]:
    """Attempts until the door was done, and their different slots: weekday or weekend, before 12, before 18, after."""
    left, tried = set(forms), []
    for v in visits:
        if not left:
            break
        left -= set(v["forms"])
        if v["outcome"] in ("no_answer", "refused", "wrong_address"):
            tried.append(v["ms"])
    slots = set()
    for ms in tried:
        hours = (ms + 8 * HOUR) // HOUR
        slots.add(((hours // 24 + 3) % 7 >= 5, min(hours % 24, 18) // 6 if hours % 24 >= 12 else 0))
    return len(tried), len(slots)
