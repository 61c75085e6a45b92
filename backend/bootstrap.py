"""From a bare Python ≥ 3.11 with pip to the locked environment. Standard library only.

Finds uv or fetches its hash-locked wheel with pip into a private folder (`pip --target` needs neither
`ensurepip` nor leave from PEP 668), makes `.venv`, installs the hash-locked packages and re-executes the same
command with that interpreter. What was installed is stamped with the SHA-256 of its lock file, last of all:
an installation that was cut off is seen as such and made again.

Environment: SAOLOU_VENV names another environment folder; `SAOLOU_VENV=none` means "the packages are already
here", as in a container image.
"""

import contextlib
import hashlib
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
RUNTIME_LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"
INSTALLER_LOCK = "requirements-uv.lock"
#: Commands that also need the development packages.
DEV_COMMANDS = frozenset({"test", "ci"})
#: Commands that serve, or test, the phone's app.
APP_COMMANDS = frozenset({"demo", "serve", "test", "ci"})
#: Present inside an environment while packages are being put into it.
UNFINISHED = "saolou-unfinished"


class BootstrapError(Exception):
    """The environment cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """Where the environment lives, and the private folder beside it for uv and its cache."""

    venv: Path
    tools: Path

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def lock_file(self) -> Path:
        return self.venv.with_name(self.venv.name + ".lock")


def run(args: Sequence[str]) -> None:
    """Make sure of the environment, then run the command in it. Does not return after a re-execution."""
    try:
        if os.environ.get("SAOLOU_VENV") != "none":
            refuse_unsupported()
            place = find_place(ROOT)
            ensure(ROOT, place, locks_for(args))
            ensure_app(ROOT, place, args)
            if Path(sys.prefix).resolve() != place.venv.resolve():
                _re_execute(place, args)
    except BootstrapError as error:
        sys.exit(f"saolou: {error}")
    from backend.cli import main

    main()


def locks_for(args: Sequence[str]) -> list[str]:
    """The lock files whose packages a command needs, in the order of installing."""
    return [RUNTIME_LOCK, DEV_LOCK] if _command_of(args) in DEV_COMMANDS else [RUNTIME_LOCK]


def _command_of(args: Sequence[str]) -> str:
    return next((arg for arg in args if not arg.startswith("-")), "")


def refuse_unsupported(system: str = sys.platform, machine: str | None = None, abi: str | None = None) -> None:
    """Raise for platforms that the embedded servers have no build for."""
    machine = (machine if machine is not None else platform.machine()).lower()
    abi = abi if abi is not None else f"{sysconfig.get_config_var('SOABI')} {sysconfig.get_config_var('HOST_GNU_TYPE')}"
    if system in ("win32", "cygwin", "msys"):
        raise BootstrapError(
            "Windows itself is not supported, because PostgreSQL and Valkey have no embedded build for it. "
            "Install WSL (`wsl --install` in an administrator's PowerShell), open Ubuntu and run this command there."
        )
    if "musl" in abi:
        raise BootstrapError(
            "This Linux uses musl (Alpine), for which embedded PostgreSQL has no build. "
            "Use a glibc system such as Debian or Ubuntu, or `docker compose up`."
        )
    supported = {"linux": ("x86_64", "amd64", "aarch64", "arm64"), "darwin": ("arm64",)}
    if machine not in supported.get(system, ()):
        raise BootstrapError(
            f"No embedded servers exist for {system} on {machine}. "
            "Use Linux (x86-64 or arm64) or a Mac with an Apple chip, or `docker compose up`."
        )


def find_place(root: Path) -> Place:
    """The environment named by SAOLOU_VENV, else the checkout's own, else one in the cache for a read-only checkout."""
    named = os.environ.get("SAOLOU_VENV")
    if named:
        venv = Path(named).expanduser().absolute()
        return Place(venv, venv.with_name(venv.name + "-tools"))
    own = Place(root / ".venv", root / ".venv-tools")
    if os.access(root, os.W_OK) and (not own.venv.exists() or os.access(own.venv, os.W_OK)):
        return own
    if _is_fresh(root, own, RUNTIME_LOCK):
        return own
    folder = _cache_folder() / f"checkout-{hashlib.sha256(os.fsencode(root)).hexdigest()[:16]}"
    if not (folder / "venv").exists():
        say(f"{root} cannot be written by this user: the environment goes to {folder}")
    return Place(folder / "venv", folder / "tools")


def ensure(root: Path, place: Place, locks: Sequence[str]) -> None:
    """Install what the lock files name, unless their stamps say that it is there. Safe against a second start."""
    if all(_is_fresh(root, place, name) for name in locks):
        return
    place.venv.parent.mkdir(parents=True, exist_ok=True)
    with _exclusive(place.lock_file):
        stale = [name for name in locks if not _is_fresh(root, place, name)]
        if not stale:
            return
        uv = find_uv(root, place)
        _make_venv(uv, place)
        marker = place.venv / UNFINISHED
        marker.touch()
        for name in stale:
            _install(uv, root, place, name)
        marker.unlink()
        for name in stale:
            _stamp(place, name).write_text(_sha256(root / name))


def ensure_app(root: Path, place: Place, args: Sequence[str]) -> None:
    """Build the phone's app unless it is there. All else works without it: a failure is told and passed over."""
    if _command_of(args) not in APP_COMMANDS or not (root / "mobile_contract/client/package.json").exists():
        return
    from backend import phone_build

    if phone_build.is_fresh(root, place.venv):
        return
    with _exclusive(place.lock_file):
        if phone_build.is_fresh(root, place.venv):
            return
        say("building the phone's app")
        fetch = [find_uv(root, place), "pip", "install", "--quiet", "--python", str(place.python)]
        try:
            phone_build.build(root, place.venv, place.tools, fetch, installer_env(place))
        except (phone_build.BuildFailed, OSError) as error:
            say(f"the phone's app was not built, /m/ will say so; everything else works: {error}")


def find_uv(root: Path, place: Place) -> str:
    """A working uv: on PATH, in the private folder, or fetched into it now with this Python's pip."""
    private = place.tools / "bin" / "uv"
    for candidate in (shutil.which("uv"), str(private)):
        if candidate and _runs([candidate, "--version"]):
            return candidate
    python = base_python()
    if not _runs([python, "-m", "pip", "--version"]):
        raise BootstrapError(
            f"{python} has no pip. Install it (Debian/Ubuntu: sudo apt-get install python3-pip; "
            "Fedora: sudo dnf install python3-pip) or put uv on PATH, then run the same command again."
        )
    say("fetching uv, the installer")
    fresh = Path(tempfile.mkdtemp(prefix=place.tools.name + "-", dir=place.tools.parent))
    try:
        command = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        command += ["--require-hashes", "--only-binary", ":all:", "--target", str(fresh)]
        _checked([*command, "-r", str(root / INSTALLER_LOCK)], "pip could not fetch uv")
        fresh.chmod(0o755)
        shutil.rmtree(place.tools, ignore_errors=True)
        fresh.rename(place.tools)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return str(private)


def base_python() -> str:
    """The interpreter below any environment: ours may be the very one to be remade, and has no pip."""
    return getattr(sys, "_base_executable", None) or sys.executable


def installer_env(place: Place) -> dict[str, str]:
    """The environment for pip and uv: no surprises from the caller's settings, pip's mirror also for uv."""
    env = _pip_env() | {"UV_PYTHON_DOWNLOADS": "never"}
    env.setdefault("UV_HTTP_TIMEOUT", "180")
    if "UV_CACHE_DIR" not in env and not _home_is_writable():
        env["UV_CACHE_DIR"] = str(place.tools.with_name(place.tools.name + "-cache"))
    settings = _pip_settings()
    if "index-url" in settings and not env.keys() & {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"}:
        env["UV_DEFAULT_INDEX"] = settings["index-url"]
    # uv trusts only its own list of authorities unless told of a company's: pip's setting, else the system's list.
    if "SSL_CERT_FILE" not in env:
        if "cert" in settings:
            env["SSL_CERT_FILE"] = settings["cert"]
        elif ssl.get_default_verify_paths().cafile:
            env |= {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}
    return env


def _pip_env() -> dict[str, str]:
    # A `user = yes` or `require-virtualenv` in somebody's pip.conf would refuse `--target`.
    return dict(os.environ) | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}


def say(text: str) -> None:
    """Progress goes to standard error: standard output belongs to the command."""
    print(f"saolou: {text}", file=sys.stderr, flush=True)


def _install(uv: str, root: Path, place: Place, name: str) -> None:
    say(f"installing the packages of {name} into {place.venv}")
    command = [
        uv,
        "pip",
        "install",
        "--python",
        str(place.python),
        "--require-hashes",
        "-r",
        str(root / name),
    ]
    if not sys.stderr.isatty():
        command.append("--quiet")
    _checked(command, f"the packages of {name} could not be installed", installer_env(place))


def _make_venv(uv: str, place: Place) -> None:
    """An environment with an interpreter that runs; one whose filling was cut off is thrown away."""
    if (place.venv / UNFINISHED).exists():
        say(f"{place.venv} was left unfinished; making it again")
    elif _runs([str(place.python), "-c", ""]):
        return
    if place.venv.exists() and not (place.venv / "pyvenv.cfg").exists() and any(place.venv.iterdir()):
        raise BootstrapError(f"{place.venv} exists and is no Python environment. Move it away or set SAOLOU_VENV.")
    shutil.rmtree(place.venv, ignore_errors=True)
    command = [uv, "venv", "--quiet", "--python", base_python(), "--no-project", str(place.venv)]
    _checked(command, f"{place.venv} could not be made", installer_env(place))


def _re_execute(place: Place, args: Sequence[str]) -> NoReturn:
    if Path.cwd().resolve() != ROOT:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    os.execv(place.python, [str(place.python), "-m", "backend", *args])


def _stamp(place: Place, name: str) -> Path:
    return place.venv / f"saolou-{name}.sha256"


def _is_fresh(root: Path, place: Place, name: str) -> bool:
    # X_OK follows the symlink: an environment on an interpreter that this user cannot reach is not fresh.
    if not os.access(place.python, os.X_OK) or (place.venv / UNFINISHED).exists():
        return False
    try:
        return _stamp(place, name).read_text() == _sha256(root / name)
    except OSError:
        return False


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _home_is_writable() -> bool:
    home = os.environ.get("HOME", "")
    return bool(home) and os.path.isdir(home) and os.access(home, os.W_OK)


def _cache_folder() -> Path:
    candidates = [os.environ.get("XDG_CACHE_HOME", "")]
    if _home_is_writable():
        candidates.append(str(Path(os.environ["HOME"]) / ".cache"))
    for candidate in filter(None, candidates):
        folder = Path(candidate) / "saolou"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    folder = Path(tempfile.gettempdir()) / f"saolou-cache-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    # Anyone may create a name in /tmp first: packages from a folder of theirs must never run as us.
    if state.st_uid != os.geteuid() or state.st_mode & 0o077 or folder.is_symlink():
        raise BootstrapError(f"{folder} is not private to this user. Remove it, or set XDG_CACHE_HOME or SAOLOU_VENV.")
    return folder


def _pip_settings() -> dict[str, str]:
    """What pip is set to by files and environment: a mirror or an authority set up once serves uv too."""
    command = [base_python(), "-m", "pip", "config", "list"]
    listed = subprocess.run(command, env=_pip_env(), capture_output=True, text=True, check=False).stdout
    # Later lines win, as they do for pip: :env: sorts first, but it must come last.
    lines = sorted(listed.splitlines(), key=lambda line: line.startswith(":env:"))
    found = (re.match(r"(?:global|install|:env:)\.([a-z-]+)='(.*)'$", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold the file lock; the kernel releases it however this process ends."""
    import fcntl  # not at the top: Windows has none, and gets a sentence instead

    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start is installing; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _runs(command: Sequence[str]) -> bool:
    try:
        finished = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return False
    return finished.returncode == 0


def _checked(command: Sequence[str], failure: str, env: dict[str, str] | None = None) -> None:
    finished = subprocess.run(command, env=env or _pip_env(), stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if finished.returncode:
        raise BootstrapError(
            f"{failure} (see above). Check the network and the free space; behind a mirror, set PIP_INDEX_URL to it. "
            "The same command goes on from here."
        )
