"""A community in the middle of a sweep: places, visits put into the archive as a push would, people at the office."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import event, text

from backend import clock
from backend.attachments.declaring import declare
from backend.db import Database, new_id
from backend.forms.service import publish_shipped
from backend.http.context import Runtime
from backend.identity.keys import Keyring
from backend.rectification.compile import compile_places
from mobile_contract.rules import hazard_id
from tests.factories.identity import AccountFixture, make_account, make_community, sign_in
from tests.factories.places import Tree, make_tree
from tests.factories.records import CLEAR_EBIKE, PARKED_EBIKE, block, put_record, visit_body

DAY_MS = clock.DAY_MS
#: The chain and locus of the e-bike answers of ``tests.factories.records``.
CHAIN, LOCUS = "EBC-ROUTE", "STAIR/3"
PARTY, MEASURES = "王建国", "移走车辆，电话13800138000"


#: An invented photo, declared by some record; what a step needs unless it is given.
PHOTO = "0198c0de-0000-7000-8000-00000000f070"
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "accept": {"refusal_witness": "邻居田大禾"},
    "submit": {"photos": [PHOTO]},
    "close": {"evidence": [{"kind": "ph", "attachments": [PHOTO]}]},
}


@dataclass
class Person:
    """Somebody signed in at the office."""

    app: Flask
    account: AccountFixture
    headers: dict[str, str]

    def get(self, path: str, **query: Any) -> Any:
        return self.app.test_client().get(f"/api/v1{path}", query_string=query, headers=self.headers)

    def post(self, path: str, body: Mapping[str, Any], **headers: str) -> Any:
        return self.app.test_client().post(f"/api/v1{path}", json=dict(body), headers={**self.headers, **headers})

    def task(self, hazard: UUID) -> dict[str, Any]:
        """The task as it stands; it must be readable."""
        answer = self.get(f"/tasks/{hazard}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.json or {})

    def take(self, kind: str, hazard: UUID, rev: int | None = None, **body: Any) -> Any:
        """Take a step on the present revision, or on ``rev``."""
        named = self.task(hazard)["rev"] if rev is None else rev
        said = {**NEEDED.get(kind, {}), **(assignment() if kind == "assign" else {}), **body}
        return self.post(f"/tasks/{hazard}/{kind}", said, **{"If-Match": f'"{named}"'})


def assignment(**body: Any) -> dict[str, Any]:
    """The fields of an ``assign`` step."""
    due = clock.now_ms() + 3 * DAY_MS
    values = {"responsible_party": PARTY, "measures": MEASURES, "deadline_ms": due, "severity": "orange"}
    values |= {"funds": "住户自筹", "plan": "专人看守，备灭火器"}
    return {"assignee_account_id": None, **values, **body}


@dataclass
class Sweep:
    """A community of its own in the database of a test's module."""

    app: Flask
    db: Database
    community_id: UUID
    tree: Tree
    seq: int = field(default=0)

    @property
    def runtime(self) -> Runtime:
        found: Runtime = self.app.extensions["saolou"]
        return found

    def person(self, role: str, place_id: UUID | None = None, name: str = "石小满") -> Person:
        """A new account with one role, signed in."""
        account = make_account(self.db, self.community_id, role, place_id, name=name)
        return Person(self.app, account, sign_in(self.app.test_client(), account))

    def put(self, body: Mapping[str, Any], at_ms: int | None = None, **options: Any) -> UUID:
        """A record in the archive, made at ``at_ms`` (now)."""
        self.seq += 1
        with self.db.transaction([self.community_id]) as session:
            sealer = self.runtime.part(Keyring).sealer(session, self.community_id)
            at = clock.now_ms() if at_ms is None else at_ms
            return put_record(session, sealer, self.community_id, body, at, seq=self.seq, **options)

    def compile(self, *places: UUID) -> None:
        """Fold places, as the worker would."""
        with self.db.transaction([self.community_id]) as session:
            compile_places(session, self.runtime, self.community_id, places)

    def visit(
        self, place: UUID, answers: Mapping[str, Any] | None = None, at_ms: int | None = None, **options: Any
    ) -> UUID:
        """A visit with the e-bike form (an e-bike parked in the stairwell), compiled."""
        said = PARKED_EBIKE if answers is None else answers
        record = self.put(visit_body(place, [block("ebike_charging", place, said)]), at_ms, **options)
        self.compile(place)
        return record

    def hazard(self, place: UUID, days_ago: float = 2, answers: Mapping[str, Any] | None = None) -> UUID:
        """A registered hazard at a place."""
        self.visit(place, answers, clock.now_ms() - int(days_ago * DAY_MS))
        return self.hazard_id(place)

    def hazard_id(self, place: UUID) -> UUID:
        return hazard_id(self.community_id, place, CHAIN, LOCUS)

    def clear(self, place: UUID, **options: Any) -> UUID:
        """A visit that sees nothing (any more)."""
        return self.visit(place, CLEAR_EBIKE, **options)

    def counts(self, *tables: str) -> dict[str, int]:
        """How many rows of the community these tables hold."""
        with self.db.transaction([self.community_id]) as session:
            return {table: session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables}


def make_sweep(app: Flask, db: Database, clock_offset_ms: int = 0, **tree: int) -> Sweep:
    """A new community with places (two grids, a building each, two households each) and all published forms."""
    community_id = make_community(db, clock_offset_ms=clock_offset_ms)
    with db.transaction([community_id]) as session:
        publish_shipped(session, 0)
        made = make_tree(session, community_id, **{"grids": 2, "buildings": 1, "households": 2, **tree})
        photo = {"id": PHOTO, "sha256": "f0" * 32, "bytes": 1, "mime": "image/jpeg"}
        declare(session, community_id, [(new_id(), None, [photo])])
    return Sweep(app, db, community_id, made)


@contextmanager
def counted_statements(db: Database) -> Iterator[list[str]]:
    """The SQL statements sent while the block runs, but for those that only say who asks."""
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config" not in statement:
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
