"""The audit trail: append-only, a chain that shows every change, searchable, exportable."""

import csv
import io
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from backend.db import Database
from backend.identity.audit import audit
from backend.identity.trail import ChainReport, Head, verify_chain
from backend.operations.doctor import BAD, GOOD, check_audit
from backend.settings import Settings
from tests.conftest import DatabaseMaker
from tests.factories.identity import make_account, make_community, sign_in

API = "/api/v1"


@pytest.fixture
def community_id(db: Database) -> UUID:
    return make_community(db)


@pytest.fixture
def owner(databases: DatabaseMaker, settings: Settings) -> Iterator[Engine]:
    engine = create_engine(databases.owner_of(settings.database_url))
    yield engine
    engine.dispose()


def write(db: Database, community_id: UUID, count: int = 5) -> None:
    for n in range(count):
        with db.transaction([community_id]) as session:
            audit(session, community_id, "tested", f"thing:{n}", n=n, note="张三·ü\u2028")


def verified(db: Database, community_id: UUID, known: Head | None = None) -> ChainReport:
    with db.transaction([community_id]) as session:
        return verify_chain(session, community_id, known)


def tamper(owner: Engine, community_id: UUID, statements: str) -> None:
    """As somebody who owns the database: with the triggers off."""
    with owner.begin() as connection:
        for table in ("audit_event", "audit_link"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text("SELECT set_config('app.communities', :c, true)"), {"c": "{" + str(community_id) + "}"})
        for statement in statements.split(";"):
            connection.execute(text(statement))
        for table in ("audit_event", "audit_link"):
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def test_chain_of_what_was_written_is_whole(db: Database, community_id: UUID) -> None:
    write(db, community_id)
    report = verified(db, community_id)
    assert (report.is_whole, report.head and report.head.n) == (True, 6)


ONE = "community_id = '{c}' AND subject = 'thing:2'"
CHANGES = {
    "another detail": f"UPDATE audit_event SET details = '{{{{}}}}' WHERE {ONE}",
    "another actor": f"UPDATE audit_event SET account_id = gen_random_uuid() WHERE {ONE}",
    "another time": f"UPDATE audit_event SET at_ms = at_ms + 1 WHERE {ONE}",
    "an event removed": f"DELETE FROM audit_event WHERE {ONE}",
    "an event and its link removed": "DELETE FROM audit_link WHERE event_id = (SELECT id FROM audit_event WHERE "
    f"{ONE}); DELETE FROM audit_event WHERE {ONE}",
    "the first events removed": "DELETE FROM audit_link WHERE community_id = '{c}' AND n <= 2; "
    "DELETE FROM audit_event WHERE community_id = '{c}' AND id NOT IN (SELECT event_id FROM audit_link)",
    "an event slipped in": "INSERT INTO audit_event (community_id, id, at_ms, action, subject, details) "
    "VALUES ('{c}', gen_random_uuid(), 1, 'tested', 'thing:x', '{{}}')",
    "two events exchanged": "UPDATE audit_link SET n = -n WHERE community_id = '{c}' AND n IN (2, 3); "
    "UPDATE audit_link SET n = 5 + n WHERE community_id = '{c}' AND n IN (-2, -3)",
}


@pytest.mark.parametrize("bug", CHANGES)
def test_change_past_the_application_is_found(db: Database, owner: Engine, community_id: UUID, bug: str) -> None:
    write(db, community_id)
    tamper(owner, community_id, CHANGES[bug].format(c=community_id))
    report = verified(db, community_id)
    assert not report.is_whole, bug
    with db.transaction() as session:
        check = check_audit(session)
    assert check.state == BAD
    assert str(community_id) in check.sentence


def test_cut_off_tail_is_found_by_a_head_kept_elsewhere(db: Database, owner: Engine, community_id: UUID) -> None:
    write(db, community_id)
    head = verified(db, community_id).head
    assert head is not None
    assert verified(db, community_id, head).known_holds

    cut = (
        "DELETE FROM audit_link WHERE community_id = '{c}' AND n > 4; DELETE FROM audit_event WHERE "
        "community_id = '{c}' AND id NOT IN (SELECT event_id FROM audit_link)"
    )
    tamper(owner, community_id, cut.format(c=community_id))
    assert verified(db, community_id).is_whole, "by itself a shortened chain is a chain"
    report = verified(db, community_id, head)
    assert (report.known_holds, report.is_whole) == (False, False)


def test_nobody_changes_an_event_even_by_mistake(db: Database, owner: Engine, community_id: UUID) -> None:
    write(db, community_id, 1)
    for statement in ("UPDATE audit_event SET action = 'x'", "DELETE FROM audit_event", "DELETE FROM audit_link"):
        with pytest.raises(DBAPIError), db.transaction([community_id]) as session:
            session.execute(text(statement))
        with owner.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(statement))
    for table in ("audit_event", "audit_link"):
        with pytest.raises(DBAPIError, match="append-only"), owner.begin() as connection:
            connection.execute(text(f"TRUNCATE {table}"))


def test_write_many_at_once_makes_one_chain(db: Database, community_id: UUID) -> None:
    threads = [threading.Thread(target=write, args=(db, community_id, 20)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = verified(db, community_id)
    assert (report.is_whole, report.head and report.head.n) == (True, 81)


def test_write_of_a_transaction_that_fails_leaves_no_link(db: Database, community_id: UUID) -> None:
    def fail() -> None:
        with db.transaction([community_id]) as session:
            audit(session, community_id, "tested", "thing:lost")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    write(db, community_id, 1)
    report = verified(db, community_id)
    assert (report.is_whole, report.head and report.head.n) == (True, 2)


@hypothesis_settings(max_examples=15)
@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text() | st.floats(allow_nan=False)))
def test_any_details_verify(db: Database, details: dict[str, Any]) -> None:
    community_id = make_community(db)
    clean = {k.replace("\0", ""): v.replace("\0", "") if isinstance(v, str) else v for k, v in details.items()}
    with db.transaction([community_id]) as session:
        audit(session, community_id, "tested", "thing", values=[clean])
    assert verified(db, community_id).is_whole


def test_search_by_actor_action_object_and_time(db: Database, client: FlaskClient, community_id: UUID) -> None:
    admin = make_account(db, community_id, "administrator")
    headers = sign_in(client, admin)
    write(db, community_id)

    def found(query: str) -> list[dict[str, Any]]:
        return list(client.get(f"{API}/audit-events?{query}", headers=headers).json["items"])

    assert len(found("action=tested")) == 5
    assert [e["details"]["n"] for e in found("subject=thing:3")] == [3]
    assert {e["action"] for e in found(f"account_id={admin.id}")} == {"signed_in"}
    times = sorted(e["at_ms"] for e in found("action=tested"))
    assert all(e["at_ms"] < times[-1] for e in found(f"to_ms={times[-1]}"))
    assert all(e["at_ms"] >= times[-1] for e in found(f"from_ms={times[-1]}"))
    assert client.get(f"{API}/audit-events?action=%20", headers=headers).status_code == 422
    first = client.get(f"{API}/audit-events?action=tested&limit=3", headers=headers).json
    rest = client.get(f"{API}/audit-events?action=tested&cursor={first['next_cursor']}", headers=headers).json
    assert [e["details"]["n"] for e in first["items"] + rest["items"]] == [4, 3, 2, 1, 0]


def test_export_is_marked_proves_the_trail_and_is_an_event(
    db: Database, client: FlaskClient, community_id: UUID
) -> None:
    headers = sign_in(client, make_account(db, community_id, "administrator", name="田大禾"))
    with db.transaction([community_id]) as session:
        audit(session, community_id, "=cmd()", "thing:1")
    answer = client.get(f"{API}/audit-events.csv", headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert "田大禾" in rows[0][0]
    assert "福泉社区" in rows[0][0]
    events = {row[3]: row for row in rows[2:]}
    assert "'=cmd()" in events
    assert events["exported"][4] == "audit_trail"
    n, hashed = int(rows[-1][0]), rows[-1][-1]
    proof = client.get(f"{API}/audit-chain?known_n={n}&known_hash={hashed}", headers=headers).json
    assert (proof["is_whole"], proof["known_holds"]) == (True, True)
    wrong = client.get(f"{API}/audit-chain?known_n={n}&known_hash={'0' * 64}", headers=headers).json
    assert (wrong["is_whole"], wrong["known_holds"]) == (False, False)
    assert (
        client.get(f"{API}/audit-events.csv", headers=sign_in(client, make_account(db, community_id))).status_code
        == 403
    )


def test_doctor_finds_all_well(databases: DatabaseMaker) -> None:
    db = Database(databases.make())
    write(db, make_community(db))
    with db.transaction() as session:
        check = check_audit(session)
    db.dispose()
    assert (check.state, check.sentence) == (GOOD, "1 chains, unbroken")
