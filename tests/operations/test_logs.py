"""Logs are JSON lines with request ids, and hold nothing personal, whatever is asked and whatever fails."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.db import Database
from backend.logs import configure_logs
from tests.factories.identity import make_account
from tests.factories.phones import Phone
from tests.factories.sweeps import Sweep

NAME, PHONE, ADDRESS = "欧阳拂晓", "13800138000", "福泉路8弄3号楼402室"
PERSONAL = (NAME, PHONE, ADDRESS)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Call it for the lines logged so far, parsed."""
    root, stderr = logging.getLogger(), io.StringIO()
    before = (root.handlers[:], root.level)
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logs("DEBUG")
    yield lambda: [json.loads(line) for line in stderr.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:], root.level = before


def holds_nothing_personal(lines: list[dict[str, Any]]) -> None:
    everything = json.dumps(lines, ensure_ascii=False)
    assert [word for word in PERSONAL if word in everything] == []


def test_push_with_personal_data_logs_none_of_it(logged: Any, sweep: Sweep) -> None:
    phone = Phone(sweep.app.test_client(), make_account(sweep.db, sweep.community_id, name=NAME))
    phone.push(
        phone.proposal(sweep.tree.households[0], sweep.tree.households[1], name=ADDRESS),
        phone.visit(sweep.tree.households[0], reason=f"{NAME} {PHONE}"),
        phone.record("visit", f'{{"broken": "{PHONE}'),
    )
    phone.push_raw(f'{{"records": [{{"owner": "{NAME} {PHONE} {ADDRESS}"'.encode())
    lines = logged()
    assert [line["route"] for line in lines if line["event"] == "request"].count("/sync/v1/push") == 2
    assert all(line["request_id"] for line in lines if line["event"] == "request")
    holds_nothing_personal(lines)


def test_request_with_personal_address_logs_its_rule(logged: Any, app: Flask) -> None:
    app.test_client().get(f"/api/v1/places?q={NAME}&phone={PHONE}", headers={"X-Request-Id": "proxy-given-id-1"})
    lines = logged()
    assert lines[-1]["request_id"] == "proxy-given-id-1"
    holds_nothing_personal(lines)


def fail_in_database(db: Database) -> None:
    """A statement whose error message quotes the row, as PostgreSQL's do."""
    with db.transaction() as session:
        row = {"i": "00000000-0000-7000-8000-000000000001", "l": PHONE, "n": NAME}
        sql = "INSERT INTO account (id, login, name, password_hash) VALUES (:i, :l, :n, 'x')"
        session.execute(text(sql), row)
        session.execute(text(sql), row)


def test_exception_that_quotes_rows_is_logged_by_kind_and_place(logged: Any, db: Database) -> None:
    with pytest.raises(IntegrityError, match=PHONE) as caught:
        fail_in_database(db)
    structlog.get_logger().error("unexpected_error", exc_info=caught.value)
    logging.getLogger("some.library").error("it failed", exc_info=caught.value)
    lines = logged()
    assert [line["exception"].split()[:2] for line in lines] == [["IntegrityError", "23505"]] * 2
    assert any("fail_in_database" in step for step in lines[0]["trace"])
    holds_nothing_personal(lines)


def test_exception_logged_with_its_message_is_caught(logged: Any, db: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        fail_in_database(db)
    structlog.get_logger().error("unexpected_error", error=str(caught.value))
    with pytest.raises(AssertionError):
        holds_nothing_personal(logged())
