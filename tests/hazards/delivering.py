"""Plays a plain history into a community of its own, in any order and in any batches, as pushes and the office do."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from backend import clock
from backend.calendar.listeners import CalendarListeners
from backend.calendar.models import CalendarChange, CalendarDay
from backend.calendar.queries import day_number
from backend.db import NIL_ID, Database
from backend.forms.listeners import RuleListeners
from backend.forms.models import Reassessment, RuleOverride
from backend.forms.service import publish_form, publish_rules, publish_shipped
from backend.http.context import Runtime
from backend.identity.keys import Keyring, Sealer
from backend.inspections.archive import places_of_families
from backend.inspections.models import RecordKey
from backend.jobs import ledger
from backend.places.events import PlaceFact
from backend.places.service import PlaceListeners, record_place_events
from backend.rectification.compile import compile_places
from backend.rectification.models import TaskStep
from mobile_contract.forms import list_forms
from tests.factories.identity import make_community
from tests.factories.places import registered
from tests.factories.records import block, put_record, visit_body
from tests.hazards.histories import NATIONAL, PLACES, SECOND_MS, START, History, for_community
from tests.hazards.invented import EBIKE_RULES_2, EXTINGUISHER, EXTINGUISHER_RULES
from tests.hazards.oracle import DAY

#: The communities' own time, give or take the run of the tests: all is past but a few dated rules.
NOW_MS = START + 45 * DAY
GRIDS = [UUID(int=0xC000 << 80 | n, version=4) for n in range(2)]
#: Stands in either grid: ``PLACES[2]`` starts in the second.
GRID_OF = {PLACES[0]: GRIDS[0], PLACES[1]: GRIDS[1], PLACES[2]: GRIDS[1]}
#: The first two may be merged; forms are not for all kinds.
KIND_OF = {PLACES[0]: "building", PLACES[1]: "building", PLACES[2]: "premises"}
FORM_OF = {"EBC": "ebike_charging", "ATW": "anti_theft_window", "EXT": "extinguisher_check"}
Op = Callable[[Session], None]


def publish_all(db: Database) -> None:
    """The shipped forms, the invented one, and the second version of the e-bike rules from its day on."""
    with db.transaction() as session:
        publish_shipped(session, 0)
        publish_form(session, EXTINGUISHER)
        publish_rules(session, EXTINGUISHER_RULES, [EXTINGUISHER], 0)
        ebike = [form for form in list_forms() if form.code == "ebike_charging"]
        publish_rules(session, EBIKE_RULES_2, ebike, SECOND_MS)
        for said in NATIONAL:
            values = {"day": date.fromisoformat(said["day"]), "works": said["works"], "effective_from_ms": said["from"]}
            session.merge(CalendarDay(id=UUID(said["id"]), **values, name="", source="file"))


@dataclass
class Town:
    """A community with two buildings and a shop in two grids, and what reaches it."""

    db: Database
    runtime: Runtime
    community_id: UUID = field(init=False)
    sealer: Sealer = field(init=False)

    def __post_init__(self) -> None:
        offset = NOW_MS - clock.now_ms()
        self.community_id = make_community(self.db, self.runtime.part(Keyring), clock_offset_ms=offset)
        facts = [registered(grid, "grid", f"第{n}网格", self.community_id) for n, grid in enumerate(GRIDS)]
        facts += [registered(UUID(place), KIND_OF[place], "某处", grid) for place, grid in GRID_OF.items()]
        with self.transaction() as session:
            record_place_events(session, self.community_id, facts)
            self.sealer = self.runtime.part(Keyring).sealer(session, self.community_id)

    def transaction(self) -> AbstractContextManager[Session]:
        return self.db.transaction([self.community_id])

    def named(self, history: History) -> History:
        return for_community(history, str(self.community_id))

    # --- facts as operations ---------------------------------------------------------------------------------------

    def operations(self, history: History) -> list[Op]:
        """One operation a fact, in the order they were made; each may be done any number of times."""
        history = self.named(history)
        return [
            *(self._record(record) for record in history["records"]),
            *(self._console(step) for step in history["console"]),
            *(self._override(said) for said in history["overrides"]),
            *(self._reassess(said) for said in history["reassessments"]),
            *(self._say_of_day(said) for said in history.get("days", ()) if said["own"]),
            *(self._place(fact) for fact in history.get("place_facts", ())),
        ]

    def _record(self, record: dict[str, Any]) -> Op:
        def put(session: Session) -> None:
            put_plain_record(session, self.sealer, self.community_id, record)
            self.want(session, places_to_compile(session, self.community_id, UUID(record["id"])))

        return put

    def _console(self, step: dict[str, Any]) -> Op:
        def put(session: Session) -> None:
            put_console_step(session, self.sealer, self.community_id, step)
            self.want(session, {UUID(step["step"]["place"])})

        return put

    def _override(self, said: dict[str, Any]) -> Op:
        def put(session: Session) -> None:
            key = {"community_id": self.community_id, "id": UUID(said["id"])}
            values = {"rule_code": said["rule"], "effective_from_ms": said["from"]}
            session.merge(
                RuleOverride(
                    **key, **values, enabled=said["enabled"], due=said["due"], thresholds=said.get("thresholds")
                )
            )
            session.flush()
            form = FORM_OF[said["rule"][:3]]
            self.runtime.part(RuleListeners).tell(session, self.community_id, form)

        return put

    def _say_of_day(self, said: dict[str, Any]) -> Op:
        def put(session: Session) -> None:
            key = {"community_id": self.community_id, "id": UUID(said["id"])}
            values = {"day": date.fromisoformat(said["day"]), "works": said["works"], "effective_from_ms": said["from"]}
            session.merge(CalendarChange(**key, **values, name="", source="office"))
            session.flush()
            days = {day_number(values["day"])}
            self.runtime.part(CalendarListeners).tell(session, self.community_id, days, said["from"])

        return put

    def _reassess(self, said: dict[str, Any]) -> Op:
        def put(session: Session) -> None:
            key = {"community_id": self.community_id, "id": UUID(said["id"])}
            values = {"form_code": said["form"], "rule_version": said["version"], "effective_ms": said["ms"]}
            session.merge(Reassessment(**key, **values))
            session.flush()
            self.runtime.part(RuleListeners).tell(session, self.community_id, said["form"])

        return put

    def _place(self, fact: PlaceFact) -> Op:
        def put(session: Session) -> None:
            record_place_events(session, self.community_id, [fact], self.runtime.part(PlaceListeners))

        return put

    # --- compiling -------------------------------------------------------------------------------------------------

    def want(self, session: Session, places: set[UUID]) -> None:
        ledger.want(session, "compile", self.community_id, map(str, places))

    def work(self, limit: int = 100) -> bool:
        """Compile up to ``limit`` wanted places in one transaction, as a worker does; False when none is wanted."""
        with self.transaction() as session:
            lease = timedelta(minutes=5)
            claimed = ledger.claim(session, "compile", self.community_id, limit=limit, lease=lease)
        if claimed is None:
            return False
        with self.transaction() as session:
            wanted = ledger.fence(session, claimed)
            compile_places(session, self.runtime, self.community_id, wanted)
            ledger.finish(session, claimed, wanted)
        return True

    def deliver(self, history: History, rng: Random | None = None) -> "Town":
        """Everything, in the order it was made, compiled at the end; with ``rng`` shuffled, some of it twice, and
        compiled in odd lots in between."""
        operations = self.operations(history)
        if rng is not None:
            operations += rng.choices(operations, k=len(operations) // 8)
            rng.shuffle(operations)
        queue: Sequence[Op] = operations
        while queue:
            size = rng.choice([1, 2, 5, 20]) if rng else len(queue)
            batch, queue = queue[:size], queue[size:]
            with self.transaction() as session:
                for operation in batch:
                    operation(session)
            if rng and rng.random() < 0.5:
                self.work(rng.choice([1, 1, 2, 3]))
        while self.work():
            pass
        return self


def places_to_compile(session: Session, community_id: UUID, record_id: UUID) -> set[UUID]:
    """The places a record changes: its own, its root's, and those of all corrections of that."""
    return places_of_families(session, community_id, [record_id])


def put_plain_record(session: Session, sealer: Sealer, community_id: UUID, record: dict[str, Any]) -> None:
    """Archive a record of a plain history."""
    body: dict[str, Any] = {}
    if record["type"] == "visit" and record["visit"] is not None:
        said = record["visit"]
        blocks = [block(b["form"], UUID(b["place"]), b["answers"], b["fixed"]) for b in said["blocks"]]
        body = visit_body(UUID(said["place"]), blocks, said["outcome"])
    elif record["type"] == "task_step" and record["step"] is not None:
        body = {"step": step_body(record["step"])}
    put_record(
        session,
        sealer,
        community_id,
        body,
        record["ms"],
        record_id=UUID(record["id"]),
        author_id=UUID(record["author"]),
        role=record["role"],
        install_id=UUID(record["install"]),
        seq=record["seq"],
        amends=record["amends"] and UUID(record["amends"]),
        voids=record["voids"] and UUID(record["voids"]),
        reason=record["reason"],
        record_type=record["type"],
        schema_version=record.get("version", 1),
    )


def put_console_step(session: Session, sealer: Sealer, community_id: UUID, step: dict[str, Any]) -> None:
    """Store a step as taken at the console, whether it applies or not."""
    step_id = UUID(step["id"])
    if session.get(TaskStep, (community_id, step_id)) is not None:
        return
    body = step_body(step["step"])
    sealed = sealer.seal(step_id, orjson.dumps({"step": body}))
    key = {"community_id": community_id, "key_version": sealed.key_version, "wrapped": sealed.wrapped}
    session.add(RecordKey(record_id=step_id, **key))
    session.add(
        TaskStep(
            community_id=community_id,
            id=step_id,
            hazard_id=UUID(body["hazard_id"]),
            place_id=UUID(body["place_id"]),
            kind=body["kind"],
            effective_ms=step["ms"],
            install_id=NIL_ID,
            seq=0,
            actor_id=UUID(step["author"]),
            actor_role=step["role"],
            from_record=False,
            sealed=sealed.body,
            schema_version=step.get("version", 1),
        )
    )
    session.flush()


def step_body(step: dict[str, Any]) -> dict[str, Any]:
    """A plain step as phones send it."""
    body = {name: value for name, value in step.items() if name not in ("chain", "hazard", "place")}
    if step["kind"] == "assign":
        body = {"assignee_account_id": None, "responsible_party": "王建国", "measures": "移走车辆", **body}
    return {**body, "hazard_id": step["hazard"], "place_id": step["place"]}
