"""Health, readiness and metrics over HTTP."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from backend.app import create_app
from backend.db import Database
from backend.jobs import ledger
from backend.operations.health import MINIMUM_FREE_BYTES, check_disk, check_readiness, status_of
from backend.schema import head_revision, upgrade
from backend.settings import Settings
from tests.factories.sweeps import Sweep
from tests.operations.conftest import other_installation


def names_of(findings: object) -> dict[str, bool]:
    return {f["name"]: f["ok"] for f in findings}  # type: ignore[attr-defined]


def test_live_without_any_server_is_alive(settings: Settings) -> None:
    nowhere = replace(settings, database_url="postgresql://nobody@/none?host=/nowhere", redis_url="redis://nowhere:1")
    assert create_app(nowhere).test_client().get("/healthz").status_code == 200


def test_ready_with_all_in_order_is_ready(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert names_of(answer.json["checks"]) == {"database": True, "broker": True, "disk": True}


def test_ready_without_broker_is_degraded_but_serves(settings: Settings, db: Database) -> None:
    client = create_app(replace(settings, redis_url="redis+socket:///nowhere"), db).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")


def test_ready_without_database_is_not_ready(settings: Settings) -> None:
    nowhere = replace(settings, database_url="postgresql://nobody@/none?host=/nowhere")
    answer = create_app(nowhere).test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (503, "not_ready")
    assert "unreachable" in answer.json["checks"][0]["detail"]


def test_ready_on_empty_or_old_database_says_migrate(settings: Settings, tmp_path: Path) -> None:
    with other_installation(settings, tmp_path) as other:
        client = create_app(other).test_client()
        assert "run `python3 -m backend migrate`" in client.get("/readyz").json["checks"][0]["detail"]
        upgrade(other.database_owner_url or "", "0001_identity")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert f"needs {head_revision()}" in answer.json["checks"][0]["detail"]


def test_ready_with_full_disk_says_disk_full(settings: Settings, db: Database) -> None:
    findings = check_readiness(db, settings, measure=lambda _path: MINIMUM_FREE_BYTES - 1)
    assert status_of(findings) == "degraded"
    assert findings[-1].detail.startswith("disk full")
    assert check_disk(settings.data_dir / "not" / "yet" / "made").ok


def scrape(app: Flask) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.get_data(as_text=True))
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_scrape_counts_across_communities_what_row_security_hides(app: Flask, db: Database, sweep: Sweep) -> None:
    with db.transaction([sweep.community_id]) as session:
        insert = (
            "INSERT INTO sync_change (community_id, scope_id, entity, entity_id, op, rev)"
            " VALUES (:c, 'area:x', 'place', 'x', 'put', 1)"
        )
        before = scrape(app)["saolou_feed_unnumbered_rows", ()]
        session.execute(text(insert), {"c": sweep.community_id})
    assert scrape(app)["saolou_feed_unnumbered_rows", ()] == before + 1
    assert scrape(app)["saolou_database_up", ()] == 1


def test_scrape_shows_open_and_dead_jobs_by_kind(app: Flask, db: Database, sweep: Sweep) -> None:
    with db.transaction() as session:
        ledger.want(session, "probe", sweep.community_id, ["a", "b", "c"])
    with db.transaction() as session:
        claimed = ledger.claim(session, "probe", sweep.community_id, limit=1, lease=timedelta(seconds=9))
        assert claimed is not None
        ledger.fail(session, claimed, "x", dead=True)
    found, probe = scrape(app), (("kind", "probe"),)
    assert found["saolou_jobs_open", probe] == 2
    assert found["saolou_jobs_dead", probe] == 1
    assert found["saolou_job_oldest_open_seconds", probe] >= 0


def test_scrape_labels_requests_by_rule_and_never_by_address(app: Flask) -> None:
    app.test_client().get("/api/v1/tasks/13800138000?q=王小明")
    text_of = app.test_client().get("/metrics").get_data(as_text=True)
    assert "13800138000" not in text_of
    assert "王小明" not in text_of
    app.test_client().get("/healthz")
    labels = (("method", "GET"), ("route", "/healthz"), ("status", "2xx"))
    assert scrape(app)["saolou_http_request_seconds_count", labels] >= 1


@pytest.mark.parametrize(("networks", "status"), [(("127.0.0.0/8",), 404), (("10.1.0.0/16",), 200)])
def test_scrape_from_elsewhere_is_not_found_unless_allowed(
    settings: Settings, db: Database, networks: tuple[str, ...], status: int
) -> None:
    client = create_app(replace(settings, metrics_from=networks), db).test_client()
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == status


def test_scrape_without_database_still_answers(settings: Settings) -> None:
    app = create_app(replace(settings, database_url="postgresql://nobody@/none?host=/nowhere"))
    assert scrape(app)["saolou_database_up", ()] == 0
