"""From a bare Python to the locked environment: made once, made again when cut off, never twice at a time."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend import bootstrap
from backend.bootstrap import DEV_LOCK, INSTALLER_LOCK, RUNTIME_LOCK, BootstrapError, Place
from tests.embedded.conftest import CHECKOUT


@pytest.fixture(scope="session")
def uv() -> str:
    """The uv that installed the environment of this run."""
    return bootstrap.find_uv(CHECKOUT, bootstrap.find_place(CHECKOUT))


@pytest.fixture
def checkout(tmp_path: Path, uv: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose locks name no package, so nothing is downloaded."""
    monkeypatch.delenv("SAOLOU_VENV", raising=False)
    monkeypatch.setenv("PATH", f"{Path(uv).parent}{os.pathsep}{os.environ['PATH']}")
    root = tmp_path / "扫楼 a checkout"
    (root / "backend").mkdir(parents=True)
    for name in ("__init__.py", "__main__.py", "bootstrap.py"):
        shutil.copy(CHECKOUT / "backend" / name, root / "backend")
    (root / "backend/cli.py").write_text("import sys\ndef main():\n    print(sys.prefix, *sys.argv[1:])\n")
    (root / RUNTIME_LOCK).write_text("# nothing\n")
    (root / DEV_LOCK).write_text("# nothing to develop with\n")
    shutil.copy(CHECKOUT / INSTALLER_LOCK, root)
    return root


def run(root: Path, *arguments: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The README's command as a person gives it."""
    paths = {"PYTHONPATH": str(root)} if cwd else {}
    return subprocess.run(
        [sys.executable, "-m", "backend", *arguments],
        cwd=cwd or root,
        env={**os.environ, **paths, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_run_first_installs_second_says_nothing(checkout: Path) -> None:
    first = run(checkout, "demo", "--exit")
    assert first.stdout == f"{checkout / '.venv'} demo --exit\n", first.stderr
    assert "installing" in first.stderr
    second = run(checkout, "demo")
    assert (second.stdout, second.stderr) == (f"{checkout / '.venv'} demo\n", "")


def test_run_test_also_installs_what_develops(checkout: Path) -> None:
    assert DEV_LOCK not in run(checkout, "demo").stderr
    assert DEV_LOCK in run(checkout, "test").stderr
    assert run(checkout, "test").stderr == ""


def test_run_changed_lock_installs_again(checkout: Path) -> None:
    run(checkout, "demo")
    (checkout / RUNTIME_LOCK).write_text("# still nothing\n")
    assert "installing" in run(checkout, "demo").stderr


def test_run_without_a_home_or_from_elsewhere_works(checkout: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    outcome = run(checkout, "demo", cwd=elsewhere, HOME="/nonexistent")
    assert outcome.stdout == f"{checkout / '.venv'} demo\n", outcome.stderr
    outcome = run(checkout, "demo", HOME="")
    assert outcome.stdout == f"{checkout / '.venv'} demo\n", outcome.stderr


def test_run_after_a_cut_off_makes_the_environment_again(checkout: Path) -> None:
    run(checkout, "demo")
    (checkout / ".venv" / bootstrap.UNFINISHED).touch()
    (checkout / ".venv/left-over").touch()
    outcome = run(checkout, "demo")
    assert "unfinished" in outcome.stderr
    assert outcome.stdout == f"{checkout / '.venv'} demo\n"
    assert not (checkout / ".venv/left-over").exists()


def test_run_two_at_once_install_once(checkout: Path) -> None:
    command = [sys.executable, "-m", "backend", "demo"]
    both = [
        subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate() for process in both]
    assert [out for out, _ in outputs] == [f"{checkout / '.venv'} demo\n"] * 2
    assert sum(err.count("installing the packages") for _, err in outputs) == 1


def test_run_named_environment_is_used(checkout: Path, tmp_path: Path) -> None:
    outcome = run(checkout, "demo", SAOLOU_VENV=str(tmp_path / "named"))
    assert outcome.stdout == f"{tmp_path / 'named'} demo\n"
    assert not (checkout / ".venv").exists()
    assert run(checkout, "demo", SAOLOU_VENV="none").stdout == f"{sys.prefix} demo\n"


def test_run_foreign_folder_in_the_way_is_kept(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv/letter.txt").touch()
    outcome = run(checkout, "demo")
    assert outcome.returncode == 1
    assert "SAOLOU_VENV" in outcome.stderr
    assert (checkout / ".venv/letter.txt").exists()


def test_find_place_read_only_checkout_goes_to_the_cache(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != checkout and really(path, mode))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = bootstrap.find_place(checkout)
    assert place.venv.is_relative_to(tmp_path / "cache/saolou")
    assert place == bootstrap.find_place(checkout)


def test_find_uv_without_pip_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_runs", lambda _command: False)
    with pytest.raises(BootstrapError, match="python3-pip"):
        bootstrap.find_uv(CHECKOUT, Place(tmp_path / ".venv", tmp_path / ".venv-tools"))


def test_installer_env_gives_pips_mirror_to_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://mirror.example/simple\nuser = yes\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    env = bootstrap.installer_env(Place(tmp_path / ".venv", tmp_path / ".venv-tools"))
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert env["PIP_USER"] == "0"


@pytest.mark.parametrize(
    ("system", "machine", "abi", "remedy"),
    [
        ("win32", "AMD64", "cp312-win_amd64", "WSL"),
        ("linux", "x86_64", "cpython-312-x86_64-linux-musl", "Debian"),
        ("linux", "riscv64", "cpython-312-riscv64-linux-gnu", "docker compose"),
        ("darwin", "x86_64", "cpython-312-darwin", "Apple"),
    ],
)
def test_refuse_unsupported_platform_says_what_to_do(system: str, machine: str, abi: str, remedy: str) -> None:
    with pytest.raises(BootstrapError, match=remedy):
        bootstrap.refuse_unsupported(system, machine, abi)


def test_refuse_unsupported_this_platform_passes() -> None:
    bootstrap.refuse_unsupported()
    bootstrap.refuse_unsupported("darwin", "arm64", "cpython-312-darwin")


def test_main_parses_under_any_python_3() -> None:
    for name in ("__main__.py", "__init__.py"):
        ast.parse((CHECKOUT / "backend" / name).read_text(), feature_version=(3, 3))


def test_bootstrap_imports_only_the_standard_library() -> None:
    tree = ast.parse((CHECKOUT / "backend/bootstrap.py").read_text())
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).partition(".")[0] for name in names} - set(sys.stdlib_module_names) == {"backend"}


def test_locks_agree_on_every_version() -> None:
    def pins(name: str) -> set[str]:
        lines = (CHECKOUT / name).read_text().splitlines()
        return {line.split("\\")[0].strip() for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert pins(RUNTIME_LOCK) <= pins(DEV_LOCK)
