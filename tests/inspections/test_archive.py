"""The archive: families of records are loaded whole, whatever places their members name."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.bulk import BulkInsert, array_text
from backend.db import Database, new_id
from backend.identity.keys import Keyring
from backend.inspections.archive import (
    families,
    load_places_records,
    load_records,
    places_of_families,
    unstore_records,
)
from backend.inspections.models import Record, RecordKey, RecordPlace, Visit
from tests.factories.identity import SECRET_KEY, make_community
from tests.factories.records import CLEAR_EBIKE, block, put_record, visit_body


class Archive:
    """A community's archive and three places."""

    def __init__(self, db: Database) -> None:
        self.db, self.community_id = db, make_community(db)
        self.first, self.second, self.third = new_id(), new_id(), new_id()

    def put(self, body: Mapping[str, Any], at_ms: int = 1, **values: Any) -> UUID:
        with self.db.transaction([self.community_id]) as session:
            sealer = Keyring(SECRET_KEY).sealer(session, self.community_id)
            return put_record(session, sealer, self.community_id, body, at_ms, **values)

    def visit(self, *places: UUID, **values: Any) -> UUID:
        blocks = [block("ebike_charging", place, CLEAR_EBIKE) for place in places]
        return self.put(visit_body(places[0], blocks), **values)


@pytest.fixture
def archive(db: Database) -> Archive:
    return Archive(db)


def test_families_of_a_place_hold_root_and_corrections_wherever_they_are(archive: Archive) -> None:
    root = archive.visit(archive.first)
    moved = archive.visit(archive.second, amends=root)
    gone = archive.put({}, voids=root)
    other = archive.visit(archive.third)
    with archive.db.transaction([archive.community_id]) as session:
        for place in (archive.first, archive.second):
            assert families(session, archive.community_id, [place], ["visit"]) == {root, moved, gone}
        assert families(session, archive.community_id, [archive.third], ["visit"]) == {other}
        assert families(session, archive.community_id, [archive.first], ["task_step"]) == set()


def test_families_of_a_further_place_find_its_visits(archive: Archive) -> None:
    visit = archive.visit(archive.first, archive.second)
    with archive.db.transaction([archive.community_id]) as session:
        assert families(session, archive.community_id, [archive.second], ["visit"]) == {visit}


def test_places_of_families_are_those_before_and_after(archive: Archive) -> None:
    root = archive.visit(archive.first, archive.third)
    moved = archive.visit(archive.second, amends=root)
    with archive.db.transaction([archive.community_id]) as session:
        everywhere = {archive.first, archive.second, archive.third}
        for member in (root, moved):
            assert places_of_families(session, archive.community_id, {member}) == everywhere
        assert places_of_families(session, archive.community_id, set()) == set()


def test_places_of_families_whose_root_is_not_here_are_the_corrections_own(archive: Archive) -> None:
    moved = archive.visit(archive.second, amends=new_id())
    with archive.db.transaction([archive.community_id]) as session:
        assert places_of_families(session, archive.community_id, {moved}) == {archive.second}


def test_load_places_records_opens_payloads(archive: Archive) -> None:
    visit = archive.visit(archive.first)
    with archive.db.transaction([archive.community_id]) as session:
        sealer = Keyring(SECRET_KEY).sealer(session, archive.community_id)
        (found,) = load_places_records(session, sealer, archive.community_id, [archive.first])
        assert found.id == visit
        assert found.payload is not None
        assert found.payload["visit"]["header"]["place_id"] == str(archive.first)
        assert load_records(session, sealer, archive.community_id, []) == []


def test_unstore_records_takes_all_of_a_record_back(archive: Archive) -> None:
    visit = archive.visit(archive.first, archive.second)
    with archive.db.transaction([archive.community_id]) as session:
        unstore_records(session, archive.community_id, [visit])
        for table in (Record, RecordKey, RecordPlace):
            assert session.scalars(select(table)).all() == []


def test_bulk_insert_keeps_nulls_arrays_and_types(archive: Archive) -> None:
    columns = tuple(column.key for column in Visit.__table__.columns if column.key != "community_id")
    insert = BulkInsert(Visit, columns, constants=("community_id",))
    rows = [
        {
            "id": new_id(),
            "place_id": archive.first,
            "grid_id": None if n else archive.second,
            "building_id": None,
            "record_id": new_id(),
            "effective_ms": n * 10**12,
            "outcome": "done",
            "author_id": archive.third,
            "forms": array_text(["a", "b"][:n]),
            "time_quality": "楼",
        }
        for n in range(3)
    ]
    with archive.db.transaction([archive.community_id]) as session:
        insert.run(session, [[row[name] for row in rows] for name in columns], community_id=archive.community_id)
        insert.run(session, [[] for _ in columns], community_id=archive.community_id)
        found = {visit.id: visit for visit in session.scalars(select(Visit))}
    assert len(found) == 3
    for n, row in enumerate(rows):
        visit = found[row["id"]]
        assert (visit.effective_ms, visit.grid_id, visit.time_quality) == (n * 10**12, row["grid_id"], "楼")
        assert visit.forms == ["a", "b"][:n]
