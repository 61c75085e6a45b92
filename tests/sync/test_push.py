"""Push: what became of every record, as the protocol's page says."""

from sqlalchemy import select

from backend.inspections.models import Record, RecordKey
from tests.sync.conftest import World


def test_push_new_record_stores_it_sealed(world: World) -> None:
    phone = world.phone()
    phone.take_anchor()
    record = phone.visit(world.home)
    (result,) = phone.push(record)
    assert result["status"] == "stored"
    assert result["id"] == record["id"]
    assert result["time_quality"] == "anchored"
    with world.db.transaction([world.community_id]) as session:
        row = session.scalars(select(Record)).one()
        assert row.sha256.hex() == record["sha256"]
        assert row.sealed is not None
        assert record["payload"].encode() not in row.sealed
        assert session.scalars(select(RecordKey.record_id)).all() == [row.id]
