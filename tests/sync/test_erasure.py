"""Lawful erasure: the contents are gone for good, the record still counts as held."""

import pytest
from sqlalchemy import select

from backend.identity.models import AuditEvent
from backend.inspections.archive import load_records
from backend.inspections.erasure import RecordNotFound
from backend.inspections.models import Record, RecordKey
from backend.sync.erasure import erase_record
from backend.sync.models import Quarantine
from backend.sync.taking import Taking
from tests.sync.conftest import World
from tests.sync.test_push import wanted_jobs
from tests.sync.test_quarantine_office import get, wrong_visit


def erase(world: World, record_id: str) -> bool:
    from uuid import UUID

    with world.db.transaction([world.community_id]) as session:
        return erase_record(session, world.community_id, UUID(record_id), None, "依法删除申请")


def test_erase_record_destroys_key_and_bytes_and_keeps_the_hash(world: World) -> None:
    phone, office = world.phone(), world.office()
    record = phone.visit(world.home)
    phone.push(record)
    assert erase(world, record["id"])
    assert not erase(world, record["id"])
    with world.db.transaction([world.community_id]) as session:
        row = session.scalars(select(Record)).one()
        assert (row.sealed, row.sha256.hex()) == (None, record["sha256"])
        assert row.erased_at is not None
        assert session.scalars(select(RecordKey)).all() == []
        events = session.scalars(select(AuditEvent.details).where(AuditEvent.action == "record_erased")).all()
        assert [event["reason"] for event in events] == ["依法删除申请"]
        taking = Taking.open(
            session,
            world.app.extensions["saolou"],
            world.community_id,
            push_id=row.push_id,
            install_id=row.install_id,
            account_id=None,
            now_ms=0,
        )
        assert load_records(session, taking.sealer, world.community_id, [row.id])[0].payload is None
    assert wanted_jobs(world) == {str(world.home): 2}
    shown = get(office, f"records/{record['id']}", reason="verify").json
    assert (shown["status"], shown["payload"]) == ("erased", None)


def test_resend_of_an_erased_record_is_a_duplicate_and_brings_nothing_back(world: World) -> None:
    phone = world.phone()
    photo = {"id": "0197a000-0000-7000-8000-000000000001", "sha256": "a" * 64, "bytes": 1, "mime": "image/jpeg"}
    record = phone.visit(world.home, attachments=[photo])
    phone.push(record)
    erase(world, record["id"])
    result = phone.push(record)[0]
    assert (result["status"], result["missing_attachments"]) == ("duplicate", [])
    answer = phone.reconcile(record["id"])
    assert (answer["missing"], answer["quarantined"]) == ([], [])
    with world.db.transaction([world.community_id]) as session:
        assert session.scalars(select(Record.sealed)).all() == [None]
        assert session.scalars(select(RecordKey)).all() == []


def test_erase_record_erases_quarantined_copies_too(world: World) -> None:
    phone, office = world.phone(), world.office()
    record, quarantine_id = wrong_visit(world, phone)
    assert erase(world, record["id"])
    with world.db.transaction([world.community_id]) as session:
        assert session.scalars(select(Quarantine.sealed)).all() == [None]
        assert session.scalars(select(RecordKey)).all() == []
    detail = get(office, f"quarantine/{quarantine_id}", reason="verify").json
    assert (detail["state"], detail["raw_base64"], detail["payload"]) == ("erased", None, None)
    assert phone.push(record)[0]["status"] == "duplicate"


def test_erase_record_nobody_ever_sent_is_not_found(world: World) -> None:
    with pytest.raises(RecordNotFound):
        erase(world, "0197a000-0000-7000-8000-000000000002")
