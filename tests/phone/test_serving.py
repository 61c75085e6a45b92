"""The app at ``/m/``: what is served how, how much of it there is, and that it asks no foreign host."""

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend import phone_build
from backend.app import create_app
from backend.console import phone_routes
from backend.db import Database
from backend.settings import PROJECT, Settings

MOST_SCRIPT = 150 * 1024


@pytest.fixture
def client(settings: Settings, db: Database, app_folder: Path) -> FlaskClient:
    return create_app(settings, db).test_client()


def first_load(folder: Path) -> list[Path]:
    """The scripts a browser fetches before the first screen: those of the page, and what they import at once."""
    page = (folder / "index.html").read_text()
    waiting = [folder / name for name in re.findall(r'(?:src|href)="/m/(assets/[^"]+\.js)"', page)]
    found: list[Path] = []
    while waiting:
        script = waiting.pop()
        if script in found:
            continue
        found.append(script)
        imported = re.findall(r'(?:\bfrom|\bimport)\s*["`\']\./([^"`\']+\.js)["`\']', script.read_text())
        waiting += [script.parent / name for name in imported]
    return found


def test_first_load_stays_within_150_kb_of_script(app_folder: Path) -> None:
    scripts = first_load(app_folder)
    assert scripts
    assert sum(len(gzip.compress(script.read_bytes(), 9)) for script in scripts) <= MOST_SCRIPT


def test_app_names_no_foreign_host_to_fetch_from(app_folder: Path) -> None:
    for path in app_folder.rglob("*"):
        if path.suffix in (".css", ".html", ".webmanifest", ".svg"):
            text = path.read_text().replace("http://www.w3.org/2000/svg", "")
            assert re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", text) == [], path.name


def test_serve_page_is_never_kept_and_strict(client: FlaskClient) -> None:
    answer = client.get("/m/")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self';" in policy


def test_serve_assets_for_ever(client: FlaskClient, app_folder: Path) -> None:
    asset = next((app_folder / "assets").glob("*.js"))
    answer = client.get(f"/m/assets/{asset.name}")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.data == asset.read_bytes()


@pytest.mark.parametrize("name", ["sw.js", "manifest.webmanifest", "icon.svg"])
def test_serve_named_files_asks_each_time(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/m/{name}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


def test_serve_index_by_name_leads_to_the_folder(client: FlaskClient) -> None:
    answer = client.get("/m/index.html")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/m/")


@pytest.mark.parametrize("name", ["nothing.js", "../openapi.json", "built-from.sha256", "assets/%2e%2e/index.html"])
def test_serve_anything_else_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"/m/{name}").status_code in (301, 404)


def test_precache_of_the_service_worker_is_complete(app_folder: Path) -> None:
    worker = (app_folder / "sw.js").read_text()
    named = set(json.loads("[" + ",".join(re.findall(r'"/m/[^"]*"', worker)) + "]"))
    built = {f"/m/assets/{path.name}" for path in (app_folder / "assets").iterdir()}
    assert built <= named
    assert {"/m/", "/m/manifest.webmanifest"} <= named
    assert "/m/index.html" not in named


def test_serve_without_a_built_app_says_how_to_build(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_routes, "find_built", lambda _: None)
    answer = client.get("/m/")
    assert answer.status_code == 503
    assert "npm ci" in answer.get_data(as_text=True)
    assert client.get("/healthz").status_code == 200


def test_build_is_made_again_when_a_source_changes(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    for name in ("package.json", "src/main.ts"):
        target = root / phone_build.CLIENT / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / phone_build.CLIENT / name, target)
    (root / phone_build.DESCRIPTION).write_text("{}")
    dist = root / phone_build.CLIENT / "dist"
    dist.mkdir()
    (dist / "index.html").write_text("built")
    assert not phone_build.is_fresh(root, tmp_path)
    (dist / phone_build.STAMP).write_text(phone_build.digest(root))
    assert phone_build.is_fresh(root, tmp_path)
    (root / phone_build.CLIENT / "src/main.ts").write_text("changed")
    assert not phone_build.is_fresh(root, tmp_path)
