"""The doctor finds what is wrong and says what to do; with all in order it finds nothing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from backend import clock
from backend.db import Database
from backend.jobs import ledger
from backend.operations.doctor import BAD, GOOD, WARNING, Check, check_lock, check_secret_file, exit_code, run_doctor
from backend.settings import PROJECT, Settings
from backend.sync.epoch import note_safe_through
from tests.factories.sweeps import Sweep


def states(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.state for check in checks}


def test_run_doctor_on_sound_installation_finds_nothing_wrong(settings: Settings, db: Database) -> None:
    with db.transaction() as session:
        note_safe_through(session, clock.now_ms())
    checks = run_doctor(replace(settings, port=1))
    wrong = [c for c in checks if c.state == BAD and c.name != "packages"]  # those are this machine's affair
    assert wrong == []
    assert exit_code([c for c in checks if c.name != "packages"]) == 0
    assert states(checks)["backup"] == GOOD


def test_run_doctor_without_database_and_broker_says_so_and_goes_on(settings: Settings) -> None:
    nowhere = replace(
        settings,
        database_url="postgresql://nobody@/none?host=/nowhere",
        redis_url="redis+socket:///nowhere",
        data_dir=settings.data_dir / "missing",
    )
    checks = run_doctor(nowhere)
    found = states(checks)
    assert (found["database"], found["data folder"], found["broker"]) == (BAD, BAD, WARNING)
    assert exit_code(checks) == 1
    assert all(c.advice for c in checks if c.state == BAD)


def test_run_doctor_as_owner_says_row_security_does_not_bind(settings: Settings) -> None:
    checks = run_doctor(replace(settings, database_url=settings.database_owner_url or ""))
    assert states(checks)["role"] == BAD


def test_run_doctor_with_dead_and_waiting_jobs_names_them(settings: Settings, db: Database, sweep: Sweep) -> None:
    with db.transaction() as session:
        ledger.want(session, "probe", sweep.community_id, ["a"])
        hour_ago = "UPDATE job SET requested_at = now() - interval '1 h', run_after = now() - interval '1 h'"
        session.execute(text(f"{hour_ago} WHERE kind = 'probe'"))
    (jobs,) = (c for c in run_doctor(settings) if c.name == "jobs")
    assert (jobs.state, "wait" in jobs.sentence) == (BAD, True)
    with db.transaction() as session:
        claimed = ledger.claim(session, "probe", sweep.community_id, limit=1, lease=timedelta(seconds=9))
        assert claimed is not None
        ledger.fail(session, claimed, "x", dead=True)
    (jobs,) = (c for c in run_doctor(settings) if c.name == "jobs")
    assert "1 of kind probe" in jobs.sentence
    with db.transaction() as session:
        assert ledger.revive_all(session) == 1


def test_run_doctor_without_backup_warns(settings: Settings, db: Database) -> None:
    with db.transaction() as session:
        note_safe_through(session, clock.now_ms() - 30 * clock.DAY_MS)
    (found,) = (c for c in run_doctor(settings) if c.name == "backup")
    assert (found.state, "30 days" in found.sentence) == (WARNING, True)


def test_check_secret_file_that_others_may_read_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{}")
    path.chmod(0o644)
    assert check_secret_file(tmp_path).state == BAD
    path.chmod(0o600)
    assert check_secret_file(tmp_path).state == GOOD


def test_check_lock_with_stale_stamp_is_wrong(tmp_path: Path) -> None:
    assert check_lock(PROJECT, tmp_path).state == WARNING
    (tmp_path / "saolou-requirements.lock.sha256").write_text("0" * 64)
    assert check_lock(PROJECT, tmp_path).state == BAD
