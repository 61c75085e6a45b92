"""The stage of the golden exchanges over the real application."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from backend.db import Database
from backend.http.context import Runtime
from backend.places.models import Place
from backend.places.service import record_place_events
from backend.rectification.compile import compile_places
from mobile_contract.examples.replay import HERE, Call, Variables, fill
from mobile_contract.rules import hazard_id
from tests.factories.identity import make_account, make_community
from tests.factories.phones import publish_forms
from tests.factories.places import registered

STAGE = json.loads((HERE / "stage.json").read_text(encoding="utf-8"))
HOME = "0198c0de-0000-7000-8000-000000000041"
PASSWORD = "correct horse battery"


@dataclass
class Stage:
    """A community as `stage.json` describes it."""

    app: Flask
    db: Database
    community_id: UUID
    variables: Variables = field(default_factory=dict)

    @property
    def call(self) -> Call:
        return calling(self.app)

    def settle(self) -> None:
        """Fold every place, as the worker would do with what was pushed."""
        runtime: Runtime = self.app.extensions["saolou"]
        with self.db.transaction([self.community_id]) as session:
            places = list(session.scalars(select(Place.id).where(Place.community_id == self.community_id)))
            compile_places(session, runtime, self.community_id, places)


def calling(app: Flask) -> Call:
    """The exchanges' transport into a WSGI application."""

    def call(
        method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        answer = app.test_client().open(path, method=method, headers=headers, data=body)
        return answer.status_code, dict(answer.headers), answer.get_data()

    return call


def make_stage(app: Flask, db: Database) -> Stage:
    """A new community with the places and accounts of `stage.json`, all published forms, and the variables."""
    publish_forms(db)
    community_id = make_community(db, **STAGE["community"])
    variables: Variables = {"community_id": str(community_id)}
    facts = [
        registered(UUID(p["id"]), p["kind"], p["name"], UUID(p["parent_id"]), 1)
        for p in fill(STAGE["places"], variables)
    ]
    with db.transaction([community_id]) as session:
        record_place_events(session, community_id, facts)
    for account in STAGE["accounts"]:
        place_id = UUID(account["place_id"]) if account["place_id"] else None
        made = make_account(db, community_id, account["role"], place_id, name=account["name"], password=PASSWORD)
        variables[f"{account['variable']}_username"] = made.login
        variables[f"{account['variable']}_password"] = PASSWORD
    variables["hazard_id"] = str(hazard_id(community_id, UUID(HOME), "EBC-ROUTE", "STAIR/3"))
    return Stage(app, db, community_id, variables)
