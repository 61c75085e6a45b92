"""A phone of a test: makes frozen records, pushes and pulls them over HTTP. All people and places are invented."""

import gzip
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient

from backend.db import Database, new_id
from backend.forms.service import publish_shipped
from backend.identity.models import DeviceAccount, Membership
from tests.factories.identity import AccountFixture, log_in
from tests.factories.records import CLEAR_EBIKE

ANSWERS = dict(CLEAR_EBIKE)


def publish_forms(db: Database) -> None:
    """The shipped forms and rules in this database."""
    with db.transaction() as session:
        publish_shipped(session, 0)


@dataclass
class Phone:
    """One installation with one account signed in. ``elapsed_ms`` is its clock since boot."""

    client: FlaskClient
    account: AccountFixture
    install_id: UUID = field(default_factory=uuid4)
    boot_id: str = "b1"
    elapsed_ms: int = 1_000_000
    seq: int = 0
    anchor: dict[str, Any] | None = None
    token: str = ""

    def __post_init__(self) -> None:
        self.token = log_in(self.client, self.account, self.install_id)["access_token"]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "X-Protocol": "1"}

    def call(self, path: str, body: Any, **headers: str) -> Any:
        """The answer (a test response) of ``/sync/v1/<path>``."""
        return self.client.post(f"/sync/v1/{path}", json=body, headers={**self.headers, **headers})

    def clock(self) -> dict[str, Any]:
        return {"wall_ms": 1_600_000_000_000, "elapsed_ms": self.elapsed_ms, "boot_id": self.boot_id}

    def take_anchor(self) -> dict[str, Any]:
        """Ask the server for the anchor of this boot and keep it."""
        body = {"install_id": str(self.install_id), "community_id": None, "clock": self.clock()}
        answer = self.call("clock", body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        self.anchor = answer.json["anchor"]
        assert self.anchor is not None
        return self.anchor

    def payload(self, **changes: Any) -> dict[str, Any]:
        """The common part of the next record."""
        self.seq += 1
        self.elapsed_ms += 1000
        return {
            "author_id": str(self.account.id),
            "seq": self.seq,
            "time": {"wall_ms": 1_600_000_000_000, "elapsed_ms": self.elapsed_ms, "boot_id": self.boot_id},
            "attachments": [],
            "amends": None,
            "voids": None,
            "reason": None,
            **changes,
        }

    def visit(self, place_id: UUID | str, **changes: Any) -> dict[str, Any]:
        """A record of a finished visit with one block; ``answers`` and ``blocks`` replace, the rest is common part."""
        answers = changes.pop("answers", ANSWERS)
        block = {"form": "ebike_charging", "version": 1, "place_id": str(place_id), "answers": answers, "fixed": []}
        header = {
            "place_id": str(place_id),
            "visited_at": "2026-11-20T09:30:00+08:00",
            "visitors": ["石小满"],
            "outcome": "done",
            "informed": True,
        }
        visit = {"header": header, "blocks": changes.pop("blocks", [block])}
        return self.record("visit", self.payload(visit=visit, **changes))

    def proposal(self, place_id: UUID, parent_id: UUID, **changes: Any) -> dict[str, Any]:
        """A record of a household found in the field."""
        place = {
            "id": str(place_id),
            "kind": changes.pop("kind", "household"),
            "parent_id": str(parent_id),
            "name": changes.pop("name", "301室"),
            "address_raw": None,
            "location": None,
        }
        return self.record("place_proposal", self.payload(place=place, **changes))

    def voiding(self, root: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """A record that voids ``root``."""
        return self.record(root["type"], self.payload(voids=root["id"], **changes))

    def record(self, kind: str, payload: Any, **changes: Any) -> dict[str, Any]:
        """A frozen record; ``payload`` may be text already."""
        text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
        record = {
            "id": str(new_id()),
            "type": kind,
            "schema_version": 1,
            "sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            "payload": text,
            "anchor": self.anchor,
        }
        return record | changes

    def envelope(self, records: list[Any], **changes: Any) -> dict[str, Any]:
        """A push body around ``records``."""
        return {
            "push_id": str(uuid4()),
            "install_id": str(self.install_id),
            "community_id": None,
            "app_version": "1.0.0",
            "server_epoch": None,
            "records": records,
        } | changes

    def push(self, *records: Any, **changes: Any) -> list[dict[str, Any]]:
        """Push records; their results."""
        answer = self.call("push", self.envelope(list(records), **changes))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return list(answer.json["results"])

    def push_raw(self, raw: bytes, compress: bool = False) -> Any:
        """Push bytes as they are; the response."""
        headers = {**self.headers, "Content-Type": "application/json"}
        if compress:
            headers["Content-Encoding"] = "gzip"
            raw = gzip.compress(raw)
        return self.client.post("/sync/v1/push", data=raw, headers=headers)

    def pull(self, scopes: dict[str, str | None], **changes: Any) -> dict[str, Any]:
        """Pull scopes by their cursors; the answer."""
        body = {
            "install_id": str(self.install_id),
            "community_id": None,
            "schema_version": 1,
            "server_epoch": None,
            "limit": 500,
            "scopes": [{"id": scope, "cursor": cursor} for scope, cursor in scopes.items()],
        } | changes
        answer = self.call("pull", body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.json)

    def reconcile(self, *ids: str, attachments: tuple[str, ...] = ()) -> dict[str, Any]:
        """Ask which of ``ids`` the server holds."""
        body = {
            "install_id": str(self.install_id),
            "community_id": None,
            "ids": list(ids),
            "attachment_ids": list(attachments),
        }
        answer = self.call("reconcile", body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.json)


def vouch(db: Database, community_id: UUID, author_id: UUID, install_id: UUID, role: str = "grid_worker") -> None:
    """Make ``author_id`` somebody who serves the community and has signed in on the installation."""
    with db.transaction([community_id]) as session:
        session.add(Membership(community_id=community_id, id=uuid4(), account_id=author_id, role=role, place_id=None))
        session.add(DeviceAccount(install_id=install_id, account_id=author_id))
