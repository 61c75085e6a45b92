"""A server of the phone protocol in memory, small enough to break on purpose.

It exists to test the simulated fleet: a fleet that finds no fault with a broken server is worth nothing. Its
hazards know two states only: `registered`, and `review` after a later visit saw nothing any more.
"""

import gzip
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any

from backports import zstd

from mobile_contract.conformance.answers import form_of, present_chains, rules_of
from mobile_contract.rules import hazard_id, locus_of
from mobile_contract.sync.clock import Anchor, effective_time, make_anchor
from mobile_contract.sync.envelope import PushRefused, read_push
from mobile_contract.sync.ordering import Revision, effective_versions, order_key
from mobile_contract.sync.payload import phone_time

KEY = b"reference server"
GRID = "0197a000-0000-7000-8000-00000000f001"


class Community:
    """Records and places of one community."""

    def __init__(self, name: str) -> None:
        self.id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"community/{name}"))
        self.scope = f"area:{GRID}"
        self.stored: dict[str, dict[str, Any]] = {}
        self.quarantined: dict[str, str] = {}
        self.places: dict[str, dict[str, Any]] = {}
        self.extra: list[dict[str, Any]] = []
        for number in range(12):
            kind = ("building", "household", "premises")[number % 3]
            place_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"place/{name}/{number}"))
            self.places[place_id] = {"kind": kind, "parent_id": GRID, "name": f"{number}号", "code": f"FC-{number}"}


class ReferenceServer:
    """All state; one lock. Subclasses are the seeded bugs."""

    def __init__(self, accounts: dict[str, str]) -> None:
        self.lock = threading.Lock()
        self.communities = {name: Community(name) for name in set(accounts.values())}
        self.accounts = accounts
        self.access: dict[str, tuple[str, str]] = {}
        self.refresh: dict[str, tuple[str, str]] = {}
        self.requests = 0

    # -- what a subclass may break ----------------------------------------------------------------

    def keep(self, community: Community, row: dict[str, Any]) -> str:
        """Store one record; its status."""
        known = community.stored.get(row["id"])
        if known is None:
            community.stored[row["id"]] = row
            return "stored"
        known["anchors"] += row["anchors"]
        return "duplicate" if known["sha256"] == row["sha256"] else "quarantined"

    def effective_ms(self, row: dict[str, Any]) -> int:
        """When the record happened."""
        return effective_time(phone_time(row["data"]), row["anchors"], KEY)[0]

    def tasks(self, community: Community) -> list[dict[str, Any]]:
        """Tasks as feed data."""
        visits = {record_id: row for record_id, row in community.stored.items() if row["type"] == "visit"}
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for version in effective_versions(self._revision(row) for row in visits.values()).effective:
            if version.content_id is not None:
                self._observe(community, visits[version.content_id]["data"]["visit"], version.key.effective_ms, found)
        return list(found.values())

    # -- the rest ---------------------------------------------------------------------------------

    def _revision(self, row: dict[str, Any]) -> Revision:
        data = row["data"]
        key = order_key(self.effective_ms(row), row["install_id"], data["seq"], row["id"])
        return Revision(key, "visit", data["author_id"], data["amends"], data["voids"], data["reason"])

    def _observe(
        self, community: Community, visit: dict[str, Any], when: int, found: dict[tuple[str, ...], dict[str, Any]]
    ) -> None:
        if visit["header"]["outcome"] != "done":
            return
        spoken: set[tuple[str, ...]] = set()
        present: dict[tuple[str, ...], str] = {}
        for block in visit["blocks"]:
            form = form_of(block["form"], block["version"])
            compiled = rules_of(form)
            spoken |= {(block["place_id"], chain) for chain in (compiled.ruleset.chains if compiled else ())}
            locus = locus_of(form, block["answers"])
            for chain in present_chains(form, block["answers"]):
                present.setdefault((block["place_id"], chain, locus), form.code)
        for key, task in found.items():
            if key[:2] in spoken and key not in present:
                task["state"] = "review"
        for key, code in present.items():
            place_id, chain, locus = key
            known = {"id": str(hazard_id(community.id, place_id, chain, locus)), "first_seen_ms": when, "form": code}
            task = found.setdefault(key, known)
            task |= {"place_id": place_id, "chain": chain, "locus": locus}
            task |= {"state": "registered", "severity": "orange", "cycle": 1, "rules": [chain], "basis": []}

    def answer(self, path: str, body: dict[str, Any] | bytes, token: str | None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one POST."""
        with self.lock:
            self.requests += 1
            if path.startswith("/sync/v1/auth/"):
                assert isinstance(body, dict)
                return self._auth(path, body)
            if token not in self.access:
                return 401, {"code": "token_unknown"}
            community = self.communities[self.accounts[self.access[token][0]]]
            if path == "/sync/v1/push":
                assert isinstance(body, bytes)
                return self._push(community, body)
            assert isinstance(body, dict)
            return 200, self._stamp(body) | getattr(self, "_" + path.rsplit("/", 1)[1])(community, body)

    def _auth(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path.endswith("login"):
            user, install = body["username"], body["install_id"]
            if user not in self.accounts:
                return 401, {"code": "login_failed"}
        elif body["refresh_token"] in self.refresh:
            user, install = self.refresh[body["refresh_token"]]
        else:
            return 401, {"code": "token_unknown"}
        pair = {"access_token": uuid.uuid4().hex, "refresh_token": uuid.uuid4().hex}
        self.access[pair["access_token"]] = self.refresh[pair["refresh_token"]] = (user, install)
        community = self.communities[self.accounts[user]]
        membership = {"community_id": community.id, "community_name": "", "role": "grid_worker", "place_id": GRID}
        account_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"account/{user}"))
        return 200, pair | {"account_id": account_id, "memberships": [membership]}

    def _stamp(self, body: dict[str, Any]) -> dict[str, Any]:
        now = int(time() * 1000)
        stamp: dict[str, Any] = {"server_epoch": "e1", "server_time_ms": now, "safe_through_ms": 0, "min_schema": 1}
        if clock := body.get("clock"):
            anchor = make_anchor(KEY, body["install_id"], clock["boot_id"], now, clock["elapsed_ms"])
            stamp["anchor"] = anchor.wire()
        return stamp

    def _clock(self, community: Community, body: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _push(self, community: Community, raw: bytes) -> tuple[int, dict[str, Any]]:
        try:
            push = read_push(raw)
        except PushRefused as refusal:
            return refusal.status, {"code": refusal.code}
        results: list[dict[str, Any]] = []
        for bad in push.bad:
            community.quarantined[bad.id or bad.sha256] = bad.sha256
            results.append({"id": bad.id, "status": "quarantined", "effective_at_ms": None})
        for good in push.good:
            anchors: list[Anchor] = [] if good.anchor is None else [good.anchor]
            row: dict[str, Any] = {
                "id": good.id,
                "type": good.type,
                "sha256": good.sha256,
                "data": good.data,
                "anchors": anchors,
            }
            row |= {"install_id": push.head["install_id"], "arrival": len(community.stored)}
            status = self.keep(community, row)
            effective = self.effective_ms(community.stored.get(good.id, row))
            results.append({"id": good.id, "status": status, "effective_at_ms": effective})
            if good.type == "place_proposal":
                place = good.data["place"]
                community.places.setdefault(place["id"], place)
        return 200, self._stamp(push.head) | {"results": results}

    def _reconcile(self, community: Community, body: dict[str, Any]) -> dict[str, Any]:
        held = community.stored.keys() | community.quarantined.keys()
        return {
            "missing": [record_id for record_id in body["ids"] if record_id not in held],
            "quarantined": [record_id for record_id in body["ids"] if record_id in community.quarantined],
            "missing_attachments": [],
        }

    def _pull(self, community: Community, body: dict[str, Any]) -> dict[str, Any]:
        """Always a whole snapshot."""
        rows = [("place", place_id, place) for place_id, place in community.places.items()]
        rows += [("task", task["id"], task) for task in [*self.tasks(community), *community.extra]]
        changes = [{"entity": entity, "id": key, "op": "put", "rev": 1, "data": data} for entity, key, data in rows]
        scopes = [
            {"id": scope["id"], "reset": True, "cursor": "c", "has_more": False, "changes": changes}
            for scope in body["scopes"]
        ]
        return {"allowed_scopes": [community.scope], "scopes": scopes}

    def summary(self, token: str | None) -> dict[str, Any]:
        """Counts for the office."""
        community = self.communities[self.accounts[self.access[str(token)][0]]]
        return {"records": len(community.stored), "quarantined": len(community.quarantined), "by_type": {}}


def serve(server: ReferenceServer) -> tuple[ThreadingHTTPServer, str]:
    """Start serving on a free port; the caller calls `shutdown()`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            raw = self.rfile.read(length)
            if len(raw) < length:
                self.close_connection = True
                return
            coding = self.headers.get("Content-Encoding")
            raw = gzip.decompress(raw) if coding == "gzip" else zstd.decompress(raw) if coding == "zstd" else raw
            body = raw if self.path == "/sync/v1/push" else json.loads(raw)
            self._send(*server.answer(self.path, body, self._token()))

        def do_GET(self) -> None:
            if self.path == "/api/v1/sync/summary":
                self._send(200, server.summary(self._token()))
            else:
                self._send(404, {"code": "not_found"})

        def _token(self) -> str | None:
            return self.headers.get("Authorization", "").removeprefix("Bearer ") or None

        def _send(self, status: int, body: dict[str, Any]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    http_server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=http_server.serve_forever, daemon=True).start()
    return http_server, f"http://127.0.0.1:{http_server.server_address[1]}"
