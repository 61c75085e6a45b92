"""The app's engine, as it is, against the real server over a wire that fails: both sides end up equal."""

import json
import os
from pathlib import Path
from random import Random

import pytest

from backend.db import Database
from backend.inspections.models import Record
from backend.phone_build import run_node
from tests.phone.conftest import CLIENT, Community
from tests.phone.servers import ApiServer, Wire


def run_journey(node: Path, name: str, out: Path, **values: str) -> dict[str, str]:
    """Run a journey of the engine; it writes what it has as id → SHA-256."""
    os.environ.update({f"JOURNEY_{key.upper()}": value for key, value in values.items()}, JOURNEY_OUT=str(out))
    command = [str(node), "node_modules/vitest/vitest.mjs", "run", "--config", "vitest.journeys.ts", name]
    run_node(node, command, CLIENT)
    found: dict[str, str] = json.loads(out.read_text())
    return found


def on_server(community: Community, db: Database) -> dict[str, str]:
    """What the server has, the same way."""
    with db.transaction([community.id]) as session:
        rows = session.query(Record).filter(Record.community_id == community.id).all()
        return {str(row.id): row.sha256.hex() if isinstance(row.sha256, bytes) else row.sha256 for row in rows}


@pytest.mark.parametrize("seed", [1, 2])
def test_sync_over_a_failing_wire_ends_equal(
    node: Path, api: ApiServer, community: Community, db: Database, tmp_path: Path, seed: int
) -> None:
    luck, wire = Random(seed), Wire(api.port)
    wire.on_push = lambda: luck.choice(["pass", "cut", "swallow"])
    worker = community.account()
    try:
        made = run_journey(
            node,
            "engine",
            tmp_path / "made.json",
            url=wire.base_url,
            username=worker.login,
            password=worker.password,
            community=str(community.id),
            place=str(community.tree.households[0]),
        )
    finally:
        wire.close()
    assert len(made) == 40
    assert wire.pushes > 3
    assert on_server(community, db) == made
