"""The app's own tests and type check, run with the Node that built it."""

import subprocess
from pathlib import Path

from backend.phone_build import run_node
from tests.phone.conftest import CLIENT


def test_run_the_apps_own_tests_and_shared_vectors(node: Path) -> None:
    run_node(node, [str(node), "node_modules/vitest/vitest.mjs", "run"], CLIENT)


def test_check_types_finds_no_fault(node: Path) -> None:
    run_node(node, [str(node), "node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit"], CLIENT)


def test_list_committed_files_nothing_built_is_among_them() -> None:
    listed = subprocess.run(["git", "ls-files", "."], cwd=CLIENT, capture_output=True, text=True, check=False).stdout
    assert [name for name in listed.splitlines() if name.startswith(("dist/", "node_modules/", "src/generated/"))] == []
