"""A backup holds everything, a restore brings it back under another epoch, and phones offer again what it lacks."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from backend.app import create_app
from backend.db import Database
from backend.embedded import postgres_tool
from backend.operations import restore as restoring
from backend.operations.archive import ArchiveDamaged, Manifest, read_archive
from backend.operations.backup import backup
from backend.operations.restore import DatabaseNotEmpty, SecretDiffers, restore, verify_backup
from backend.operations.server import OwnerBlind, OwnerMissing, database_of, owner_connection, swap_databases
from backend.secret_file import FILE_NAME, PREVIOUS, read_or_make_secret, write_secret
from backend.settings import Settings
from backend.sync.epoch import server_facts
from tests.factories.identity import make_account
from tests.factories.phones import Phone, vouch
from tests.factories.sweeps import Sweep
from tests.operations.conftest import other_installation, rows_of


@pytest.fixture
def saved(sweep: Sweep, settings: Settings, tmp_path: Path) -> Path:
    """A backup of an installation with hazards and a stored photo."""
    for household in sweep.tree.households[:3]:
        sweep.hazard(household)
    photo = settings.data_dir / "files" / "ab" / "abcd"
    photo.parent.mkdir(parents=True, exist_ok=True)
    photo.write_bytes(b"\xff\xd8 a photo " * 1000)
    target = tmp_path / "backups" / "saolou.tar"
    backup(settings, target, postgres_tool)
    return target


@pytest.fixture
def other(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    with other_installation(settings, tmp_path / "other") as made:
        yield made


def epoch_of(settings: Settings) -> str:
    db = Database(settings.database_url, pool_size=1)
    with db.transaction() as session:
        epoch = server_facts(session).epoch
    db.dispose()
    return epoch


def test_restore_into_empty_database_brings_every_row_and_file(
    saved: Path, settings: Settings, other: Settings
) -> None:
    before = rows_of(settings.database_owner_url or "")
    manifest = restore(other, saved, postgres_tool)
    after = rows_of(other.database_owner_url or "")
    assert before.pop("server_state") != after.pop("server_state")
    assert after == before
    assert manifest.rows["record"] == len(after["record"]) >= 3
    photo = Path("files", "ab", "abcd")
    assert (other.data_dir / photo).read_bytes() == (settings.data_dir / photo).read_bytes()
    assert epoch_of(other) != epoch_of(settings)
    assert not [p for p in other.data_dir.iterdir() if p.name.startswith(".restoring")]


def test_restore_knows_how_large_its_tables_are(saved: Path, other: Settings) -> None:
    restore(other, saved, postgres_tool)
    engine = create_engine(other.database_owner_url or "")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'record'")).scalar_one()
        assert found == connection.execute(text("SELECT count(*) FROM record")).scalar_one() > 0
    engine.dispose()


def test_restore_serves_as_before(saved: Path, other: Settings, sweep: Sweep) -> None:
    restore(other, saved, postgres_tool)
    db = Database(other.database_url)
    restored = Sweep(create_app(other, db), db, sweep.community_id, sweep.tree)
    answer = restored.person("safety_officer").get("/tasks")
    assert answer.status_code == 200
    assert len(answer.json["items"]) == 3
    db.dispose()


def test_backup_is_for_the_owner_only_and_leaves_no_drafts(saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_restore_into_inhabited_database_is_refused_unless_replaced(
    saved: Path, settings: Settings, sweep: Sweep
) -> None:
    before = rows_of(settings.database_owner_url or "")
    with pytest.raises(DatabaseNotEmpty):
        restore(settings, saved, postgres_tool)
    assert rows_of(settings.database_owner_url or "") == before


def keep_what_backup_lacks(saved: Path, settings: Settings, sweep: Sweep, *, minds_epoch: bool) -> None:
    """A phone's record that was stored after the backup is there again after the restore."""
    account = make_account(sweep.db, sweep.community_id)
    phone = Phone(sweep.app.test_client(), account)
    late = phone.visit(sweep.tree.households[0])
    assert phone.push(late)[0]["status"] == "stored"
    known = epoch_of(settings)
    restore(settings, saved, postgres_tool, replace_data=True)
    sweep.db.dispose()  # its connections ended with the old database
    again = Phone(sweep.app.test_client(), make_account(sweep.db, sweep.community_id), phone.install_id)
    vouch(sweep.db, sweep.community_id, account.id, phone.install_id)
    if not minds_epoch or epoch_of(settings) != known:
        lost = again.reconcile(late["id"])["missing"] if minds_epoch else []
        assert [r["status"] for r in again.push(*(late for _ in lost))] == ["stored"] * len(lost)
    assert again.reconcile(late["id"])["missing"] == []


def test_restore_changes_the_epoch_and_phones_offer_again(saved: Path, settings: Settings, sweep: Sweep) -> None:
    keep_what_backup_lacks(saved, settings, sweep, minds_epoch=True)


def test_restore_with_a_phone_that_ignores_the_epoch_is_caught(saved: Path, settings: Settings, sweep: Sweep) -> None:
    with pytest.raises(AssertionError):
        keep_what_backup_lacks(saved, settings, sweep, minds_epoch=False)


def test_verify_restores_beside_and_tells_phones_how_far_it_reaches(saved: Path, settings: Settings) -> None:
    manifest = verify_backup(settings, saved, postgres_tool)
    db = Database(settings.database_url, pool_size=1)
    with db.transaction() as session:
        assert server_facts(session).safe_through_ms == manifest.covered_ms > 0
        left = session.scalar(text("SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_scratch\\_%'"))
    db.dispose()
    assert left == 0


def test_verify_with_another_secret_inside_fails(saved: Path, settings: Settings, tmp_path: Path) -> None:
    forged = rewrite(saved, tmp_path / "forged.tar", "secrets.json", b'{"secret_key": "' + b"A" * 43 + b'="}')
    with pytest.raises(ArchiveDamaged, match="does not open"):
        verify_backup(settings, forged, postgres_tool)


def test_restore_under_another_secret_is_refused_or_installs_it(saved: Path, other: Settings) -> None:
    stranger = replace(other, secret_key=b"x" * 32)
    with pytest.raises(SecretDiffers):
        restore(stranger, saved, postgres_tool)
    installed: list[bytes] = []
    restore(stranger, saved, postgres_tool, install_secret=installed.append)
    assert installed == [other.secret_key]


def rewrite(source: Path, target: Path, name: str, content: bytes | None, *, honest: bool = True) -> Path:
    """A copy with one member replaced (None: cut off before it); ``honest``: with a manifest that agrees."""
    import hashlib
    import io

    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for info in old:
            data = old.extractfile(info).read()  # type: ignore[union-attr]
            if info.name == name:
                if content is None:
                    break
                data = content
            if info.name == "manifest.json" and honest and content is not None:
                manifest = json.loads(data)
                for member in manifest["members"]:
                    if member["name"] == name:
                        member |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                data = json.dumps(manifest).encode()
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    return target


@pytest.mark.parametrize("name", ["database.dump", "secrets.json", "files/ab/abcd"])
def test_read_archive_with_changed_member_is_damaged(saved: Path, tmp_path: Path, name: str) -> None:
    forged = rewrite(saved, tmp_path / "forged.tar", name, b"something else", honest=False)
    with pytest.raises(ArchiveDamaged, match="damaged"):
        read_archive(forged)


def test_read_archive_cut_off_is_damaged(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveDamaged, match="cut off"):
        read_archive(rewrite(saved, tmp_path / "cut.tar", "manifest.json", None))
    raw = saved.read_bytes()
    for length in (0, 100, len(raw) // 2):
        (tmp_path / "short.tar").write_bytes(raw[:length])
        with pytest.raises(ArchiveDamaged):
            read_archive(tmp_path / "short.tar")


@pytest.mark.parametrize("name", ["/etc/passwd", "files/../../x", "../x", "files"])
def test_read_archive_with_name_that_climbs_is_damaged(saved: Path, tmp_path: Path, name: str) -> None:
    import io

    target = tmp_path / "climbs.tar"
    with tarfile.open(target, "w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(ArchiveDamaged, match="which no backup does"):
        read_archive(target)


def test_read_archive_returns_what_backup_wrote(saved: Path) -> None:
    manifest = read_archive(saved)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert {m.name for m in manifest.members} >= {"database.dump", "secrets.json", "files/ab/abcd"}


def test_backup_as_role_that_rls_binds_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    bound = replace(settings, database_owner_url=settings.database_url)
    with pytest.raises(OwnerBlind, match="BYPASSRLS"):
        backup(bound, tmp_path / "b.tar", postgres_tool)
    assert list(tmp_path.iterdir()) == []


def test_backup_as_owner_without_superuser_needs_and_uses_bypassrls(
    settings: Settings, sweep: Sweep, tmp_path: Path
) -> None:
    role = "saolou_test_backup"
    engine = create_engine(settings.database_owner_url or "", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        with suppress(Exception):
            connection.execute(text(f"CREATE ROLE {role} LOGIN BYPASSRLS"))
        connection.execute(text(f"GRANT pg_read_all_data TO {role}"))
        url = make_url(settings.database_owner_url or "").set(username=role)
        reader = replace(settings, database_owner_url=url.render_as_string(hide_password=False))
        manifest = backup(reader, tmp_path / "b.tar", postgres_tool)
        assert manifest.rows["community"] == connection.scalar(text("SELECT count(*) FROM community"))
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
    engine.dispose()


def test_backup_without_owner_says_what_to_set(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(OwnerMissing, match="DATABASE_OWNER_URL"):
        backup(replace(settings, database_owner_url=None), tmp_path / "b.tar", postgres_tool)


def test_swap_that_fails_half_way_leaves_the_live_database_under_its_name(other: Settings) -> None:
    url = other.database_owner_url or ""
    with pytest.raises(DBAPIError):
        swap_databases(url, database_of(url, "not_there"))
    with owner_connection(url) as connection:
        assert connection.scalar(text("SELECT 1")) == 1


def test_restore_after_one_that_was_killed_amid_its_swap_opens_the_database_again(saved: Path, other: Settings) -> None:
    url = other.database_owner_url or ""
    closing = text(f'ALTER DATABASE "{make_url(url).database}" WITH ALLOW_CONNECTIONS false')
    with owner_connection(database_of(url, "postgres")) as connection:
        connection.execute(closing)
    assert restore(other, saved, postgres_tool, replace_data=True).rows["record"] >= 3
    assert epoch_of(other)


def test_restore_whose_swap_fails_leaves_the_secret_alone(
    saved: Path, other: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = other.data_dir / FILE_NAME
    write_secret(path, b"x" * 32)

    def broken(*_: str) -> None:
        raise ConnectionError

    monkeypatch.setattr(restoring, "swap_databases", broken)
    stranger = replace(other, secret_key=b"x" * 32)
    with pytest.raises(ConnectionError):
        restore(stranger, saved, postgres_tool, install_secret=lambda key: write_secret(path, key))
    assert read_or_make_secret(other.data_dir) == b"x" * 32


def test_write_secret_over_another_keeps_that_one_beside(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    for key in (b"x" * 32, b"y" * 32, b"y" * 32):
        write_secret(path, key)
    (tmp_path / "older").mkdir()
    path.with_name(PREVIOUS).rename(tmp_path / "older" / FILE_NAME)
    assert (read_or_make_secret(tmp_path), read_or_make_secret(tmp_path / "older")) == (b"y" * 32, b"x" * 32)
