"""Whatever leaves as a file or a page to print is marked with who took it and when, and is an event."""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from backend import clock
from backend.identity import exports
from backend.ledger.exports import make_export
from backend.meetings import making
from backend.meetings.paper_files import make_files
from tests.architecture.test_routes_guarded import rules
from tests.factories.notices import issued
from tests.factories.sweeps import Person, Sweep

TAKER = "易水寒"
#: Answers that are files or pages and no exports: templates, the browser's own pages, documents that are served, and
#: photos as the office looks at them, without what a camera writes into them.
NO_EXPORTS = {
    "/",
    "/login",
    "/papers",
    "/metrics",
    "/api/v1/attachments/<uuid:attachment_id>/content",
    "/api/v1/attachments/<uuid:attachment_id>/thumbnail",
    "/api/v1/roster/template",
    "/api/v1/notices/<uuid:notice_id>.pdf",
    "/api/v1/notices/<uuid:notice_id>.docx",
    "/api/v1/notices/<uuid:notice_id>/services/<uuid:service_id>/copy",
}

#: Documents whose bytes are frozen: who took one is an event, the file itself stays as it was issued.
NOTED = {
    *(f"/api/v1/papers/<uuid:paper_id>.{kind}" for kind in ("pdf", "docx", "xlsx")),
    *(f"/api/v1/papers/<uuid:paper_id>/minutes.{kind}" for kind in ("pdf", "docx")),
}


@pytest.fixture
def taker(sweep: Sweep) -> Person:
    return sweep.person("committee", name=TAKER)


def made_paper(sweep: Sweep, person: Person) -> str:
    day = clock.local_day(clock.now_ms()).isoformat()
    paper = person.post("/papers", {"kind": "weekly", "period_start": day}).json["id"]
    with sweep.db.transaction([sweep.community_id], isolation="REPEATABLE READ") as session:
        session.execute(text("DELETE FROM job WHERE kind = 'compile'"))
        making.make_paper(session, sweep.runtime, sweep.community_id, UUID(paper))
    return str(paper)


def made_ledger(sweep: Sweep, person: Person) -> str:
    export = person.post("/ledger/exports", {}).json["id"]
    with sweep.db.transaction([sweep.community_id], isolation="REPEATABLE READ") as session:
        make_export(session, sweep.runtime, sweep.community_id, UUID(export))
    return f"/ledger/exports/{export}.xlsx"


def paths(sweep: Sweep, person: Person) -> dict[str, str]:
    """Export → path, with something in each."""
    issued(person, sweep.hazard(sweep.tree.households[0]))
    paper = made_paper(sweep, person)
    figures = person.get(f"/papers/{paper}").get_data(as_text=True)
    key = figures.partition('"figure":"')[2].partition('"')[0] or figures.partition('"figure": "')[2].partition('"')[0]
    return {
        "audit_trail": "/audit-events.csv",
        "ledger": made_ledger(sweep, person),
        "notice_register": "/notices/register.csv",
        "notice_register ": "/notices/register.xlsx",
        "paper": f"/papers/{paper}.html",
        "receipts": f"/papers/{paper}/figures/{key}.html",
    }


def text_of(answer: Any) -> str:
    raw = answer.get_data()
    if not raw.startswith(b"PK"):
        return str(raw.decode())
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


def check_marks(sweep: Sweep, taker: Person) -> None:
    for what, path in paths(sweep, taker).items():
        answer = taker.get(path)
        assert answer.status_code == 200, (path, answer.get_data(as_text=True))
        minute = (clock.iso(clock.now_ms()) or "")[:13].replace("T", " ")
        assert f"{TAKER} {minute}" in text_of(answer), path
        noted = taker.get("/audit-events", action="exported", subject=what.strip()).json["items"]
        assert [event["account_id"] for event in noted[:1]] == [str(taker.account.id)], path


def test_exports_are_marked_and_noted(sweep: Sweep, taker: Person) -> None:
    check_marks(sweep, taker)


def test_export_without_its_mark_is_caught(sweep: Sweep, taker: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., str] = exports.mark_export

    def unmarked(ctx: Any, what: str, **details: Any) -> str:
        real(ctx, what, **details)
        return ""

    monkeypatch.setattr(exports, "mark_export", unmarked)
    with pytest.raises(AssertionError):
        check_marks(sweep, taker)


def test_frozen_document_is_noted_and_stays_as_it_was(sweep: Sweep, taker: Person) -> None:
    paper = made_paper(sweep, taker)
    with sweep.db.transaction([sweep.community_id]) as session:
        make_files(session, sweep.runtime, sweep.community_id, UUID(paper))
    for kind in ("pdf", "docx", "xlsx"):
        first, second = taker.get(f"/papers/{paper}.{kind}"), taker.get(f"/papers/{paper}.{kind}")
        assert first.data == second.data
        [noted, *_] = taker.get("/audit-events", action="exported", subject="paper").json["items"]
        assert (noted["account_id"], noted["details"]["format"]) == (str(taker.account.id), kind)


def test_every_file_and_page_is_an_export_or_listed(app: Flask) -> None:
    """A new one is found here before anybody takes it away unmarked."""
    known = {
        "/api/v1/audit-events.csv",
        "/api/v1/notices/register.csv",
        "/api/v1/notices/register.xlsx",
        "/api/v1/papers/<uuid:paper_id>.html",
        "/api/v1/papers/<uuid:paper_id>/figures/<string:key>.html",
        "/api/v1/ledger/exports/<uuid:export_id>.xlsx",
        *NOTED,
        "/api/v1/campaigns/<uuid:campaign_id>/statement.html",
        "/api/v1/persons/report.html",
    }
    described = app.test_client().get("/api/openapi.json").json["paths"]
    files = set()
    for rule, _ in rules(app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for operation in described.get(path, {}).values():
            answers = operation.get("responses", {}) if isinstance(operation, dict) else {}
            if set(answers.get("200", {}).get("content", {})) - {"application/json"}:
                files.add(rule.rule)
    assert files - NO_EXPORTS == known
