"""What holds for a whole community is closed to a role over a part of it."""

from uuid import UUID

import pytest
from flask.testing import FlaskClient

from backend.db import Database
from tests.factories.identity import make_account, make_community, sign_in
from tests.factories.places import make_tree

API = "/api/v1"


@pytest.fixture
def grids(db: Database) -> tuple[UUID, UUID]:
    """A community and one of its grids."""
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        return community_id, make_tree(session, community_id).grids[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "audit-events"),
        ("post", "roster/dry-run"),
        ("post", "roster/import"),
        ("post", "rules/EBC-01/override"),
        ("post", "forms/ebike_charging/reassess"),
        ("post", "papers"),
        ("post", "papers/00000000-0000-7000-8000-000000000001/issue"),
    ],
)
def test_call_for_the_whole_community_with_a_role_over_a_grid_is_refused(
    db: Database, client: FlaskClient, grids: tuple[UUID, UUID], method: str, path: str
) -> None:
    community_id, grid = grids
    codes = {}
    for place in (None, grid):
        headers = sign_in(client, make_account(db, community_id, "committee", place))
        body = None if method == "get" else VALID.get(path, {})
        answer = getattr(client, method)(f"{API}/{path}", headers=headers, json=body)
        codes[place] = (answer.json or {}).get("code")
    assert codes[grid] == "permission_denied"
    assert codes[None] != "permission_denied"


#: Bodies whose shape is right.
VALID = {
    "rules/EBC-01/override": {"enabled": False},
    "forms/ebike_charging/reassess": {"rule_version": 1},
    "papers": {"kind": "weekly", "period_start": "2026-11-16"},
}
