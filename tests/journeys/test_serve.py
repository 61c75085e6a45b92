"""`serve` and the commands around it, as an administrator uses them for a community."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from backend.cli import commands
from backend.demo.office import Office, OfficeError
from backend.settings import Settings
from tests.journeys.serving import Serving, clean_environment, command, free_port, run, wait_until

pytestmark = pytest.mark.timeout(600)
COMMANDS = {"demo", "serve", "test", "bench", "fleet", "rebuild", "migrate", "create-admin", "import-roster"}
COMMANDS |= {"backup", "restore", "doctor", "import-calendar"}
COMMANDS |= {"permissions", "password-code", "rotate-keys", "retention", "verify-trail"}
ROSTER = """编码,类型,名称,上级编码,地址
FQ-1,网格,第一网格,,
FQ-1-1,楼栋,1栋,FQ-1,福泉路1号
FQ-1-1-101,户,101,FQ-1-1,福泉路1号101
FQ-1-1-102,户,102,FQ-1-1,福泉路1号102
FQ-1-2,楼栋,2栋,FQ-1,福泉路2号
FQ-1-2-101,户,101,FQ-1-2,福泉路2号101
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(tmp_path_factory.mktemp("serve") / "福泉 data")
    yield made
    made.stop()


def on(serving: Serving, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command beside the running `serve`, on the same data folder."""
    return run(*arguments, SAOLOU_DATA_DIR=str(serving.folder))


def external(settings: Settings, folder: Path, **more: str) -> dict[str, str]:
    """The environment of an installation whose servers are somebody else's."""
    return {
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url or "",
        "REDIS_URL": settings.redis_url,
        "SAOLOU_SECRET_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "SAOLOU_DATA_DIR": str(folder),
        **more,
    }


def test_serve_community_from_first_account_to_tasks(serving: Serving, tmp_path: Path) -> None:
    """create-admin, import-roster, log-in, invite, push and pull: nothing but the README's commands and the API."""
    named = ("--community", "福泉社区", "--short-name", "福泉", "--login", "fuquan-admin", "--name", "山朝阳")
    made = on(serving, "create-admin", *named)
    assert made.returncode == 0, made.stderr
    community = re.findall(r"^community (\S+)$", made.stdout, re.M)[0]
    password = re.findall(r"password (\S+)$", made.stdout, re.M)[0]
    admin = Office(serving.base_url, "fuquan-admin", password)

    roster = tmp_path / "roster.csv"
    roster.write_text(ROSTER.replace("FQ-1-2,楼栋", "FQ-1-2,城堡"), encoding="utf-8")
    to = ("--community", community, "--login", "fuquan-admin")
    nowhere = on(serving, "import-roster", str(roster), "--community", str(UUID(int=9)), *to[2:])
    assert (nowhere.returncode, "there is no community" in nowhere.stderr) == (1, True), nowhere.stdout
    refused = on(serving, "import-roster", str(roster), *to)
    assert (refused.returncode, "row 6" in refused.stdout) == (1, True), refused.stdout + refused.stderr
    assert places_of(admin) == 0  # all of a roster, or nothing
    roster.write_text(ROSTER, encoding="utf-8")
    assert on(serving, "import-roster", str(roster), *to, "--dry-run").returncode == 0
    assert places_of(admin) == 0
    imported = on(serving, "import-roster", str(roster), *to)
    assert (imported.returncode, "imported: 6 rows: 6 new" in imported.stdout) == (0, True), imported.stdout
    assert places_of(admin) == 7  # with the community itself

    invitation = {"login": "shi-xiaoman", "name": "石小满", "password": "stairwell-7-lamp", "role": "grid_worker"}
    admin.post("/api/v1/accounts", {**invitation, "place_id": grid_of(admin)})
    fleet = ("fleet", "--base-url", serving.base_url, "--login", "shi-xiaoman:stairwell-7-lamp")
    sizes = ("--office", f"fuquan-admin:{password}", "--phones", "3", "--days", "4", "--seed", "3")
    report = tmp_path / "fleet.json"
    played = on(serving, *fleet, *sizes, "--json", str(report))
    assert played.returncode == 0, played.stdout + played.stderr
    assert "FAILED" not in played.stdout
    assert len(admin.pages("/api/v1/tasks")) == json.loads(report.read_text(encoding="utf-8"))["tasks"] > 0
    checked = on(serving, "rebuild", "--check")
    assert (checked.returncode, "0 differences" in checked.stdout) == (0, True), checked.stdout


def places_of(office: Office) -> int:
    return len(office.pages("/api/v1/places"))


def grid_of(office: Office) -> str:
    found: list[dict[str, Any]] = [p for p in office.pages("/api/v1/places") if p["kind"] == "grid"]
    return str(found[0]["id"])


def test_sign_in_with_a_wrong_password_is_refused(serving: Serving) -> None:
    with pytest.raises(OfficeError) as refused:
        Office(serving.base_url, "nobody", "wrong")
    assert refused.value.status == 401


def test_serve_on_a_folder_in_use_names_who_has_it(serving: Serving) -> None:
    second = run("serve", "--data", str(serving.folder), "--port", str(free_port()))
    assert second.returncode == 1
    assert f"in use by process {serving.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr
    assert serving.is_well()


def test_serve_on_a_taken_port_says_so_and_stops_what_it_started(serving: Serving, tmp_path: Path) -> None:
    taken = run("serve", "--data", str(tmp_path / "data"), "--port", str(serving.port))
    assert taken.returncode == 1
    assert re.search(rf"^saolou: Port {serving.port} on 127\.0\.0\.1 is taken .*--port", taken.stderr, re.M)
    assert "Traceback" not in taken.stderr
    assert serving.is_well()


def test_serve_with_servers_of_your_own_starts_none(settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    environment = external(settings, tmp_path / "never", SAOLOU_PORT=str(port))
    environment = clean_environment(**environment)
    log = tmp_path / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command("serve"), env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: process.poll() is not None or "serving at" in log.read_text(), "it serves")
        assert process.poll() is None, log.read_text()
        assert "PostgreSQL" not in log.read_text()
        made = {path.name for path in (tmp_path / "never").iterdir()}
        assert made <= {"logs", "files"}
    finally:
        process.terminate()
        process.wait(90)


def test_run_command_with_servers_of_your_own_makes_no_data_folder(settings: Settings, tmp_path: Path) -> None:
    done = run("rebuild", "--check", **external(settings, tmp_path / "never"))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "never").exists()


def test_run_command_with_an_unknown_variable_names_it(settings: Settings, tmp_path: Path) -> None:
    environment = external(settings, tmp_path, SAOLOU_PROT="8000", SAOLOU_LOG_LEVEL="LOUD")
    del environment["REDIS_URL"]
    done = run("rebuild", "--check", **environment)
    assert done.returncode == 1
    for named in ("SAOLOU_PROT: unknown variable", "REDIS_URL", "SAOLOU_LOG_LEVEL"):
        assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_list_commands_are_those_of_the_readme() -> None:
    assert set(commands.commands) == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_ask_command_for_help_says_what_it_does(name: str) -> None:
    shown = CliRunner().invoke(commands, [name, "--help"])
    assert shown.exit_code == 0
    assert f"Usage: commands {name}" in shown.output
    assert len(shown.output.splitlines()) > 4
