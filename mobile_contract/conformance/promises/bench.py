"""The tester's phone: signs in once, makes records and files, and says in plain words what a server did wrong."""

import hashlib
import time
import uuid
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import orjson

from mobile_contract.conformance.notebook import make_uuid7
from mobile_contract.conformance.phone import Login
from mobile_contract.conformance.wire import Reply, Wire
from mobile_contract.version import PROTOCOL

Record = dict[str, Any]
DAY_MS = 86_400_000


class Broken(Exception):
    """The server does not keep the promise; the message says what it did."""


class NotOffered(Exception):
    """The check cannot be made here; the message says why."""


def expect(holds: object, what: str) -> None:
    """Broken with `what` unless it holds."""
    if not holds:
        raise Broken(what)


class Bench:
    """One installation, with one account signed in. `seed` decides all that is random."""

    def __init__(self, base_url: str, login: Login, seed: int = 1, timeout_s: float = 60) -> None:
        self.rng = Random(f"{seed}/{time.time_ns()}")
        self.wire, self.login = Wire(base_url, timeout_s), login
        self.install_id = self.new_id()
        self.boot_id, self.elapsed_ms, self.seq = self.new_id(), 7 * DAY_MS, 0
        self.anchor: dict[str, Any] | None = None
        self.tokens: dict[str, Any] = {}
        self._places: list[str] | None = None

    # -- signing in ----------------------------------------------------------------------------

    def sign_in(self) -> None:
        """Log in and take the anchor of the boot. Raises Broken when that is refused."""
        self.tokens = self.log_in()
        answer = self.ok("clock", {"clock": self.clock()})
        self.anchor = answer.body["anchor"]

    def log_in(self, install_id: str | None = None) -> dict[str, Any]:
        """Fresh tokens, of this installation unless another is named."""
        body = {
            "username": self.login.username,
            "password": self.login.password,
            "install_id": install_id or self.install_id,
            "device_name": "conformance kit",
        }
        reply = self.wire.post("/sync/v1/auth/login", body)
        expect(reply.status == 200, f"log-in answered {described(reply)}")
        found: dict[str, Any] = reply.body
        return found

    @property
    def token(self) -> str:
        return str(self.tokens["access_token"])

    @property
    def account_id(self) -> str:
        return str(self.tokens["account_id"])

    @property
    def community_id(self) -> str:
        rows = self.tokens["memberships"]
        return self.login.community_id or str(rows[0]["community_id"])

    # -- requests ------------------------------------------------------------------------------

    def headers(self, **more: str) -> dict[str, str]:
        """What every request carries; names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        base = {"Authorization": f"Bearer {self.token}", "X-Protocol": str(PROTOCOL), "X-Community": self.community_id}
        return {**base, "Content-Type": "application/json", "User-Agent": "saolou-kit", **named}

    def call(self, path: str, body: Mapping[str, Any] | bytes, encoding: str | None = None, **more: str) -> Reply:
        """POST to `/sync/v1/<path>`; a mapping gets the installation and the community."""
        raw = body if isinstance(body, bytes) else orjson.dumps({**self.head(), **body})
        if encoding is not None:
            return self.wire.post(f"/sync/v1/{path}", raw, self.token, encoding)
        return self.wire.send("POST", f"/sync/v1/{path}", raw, self.headers(**more))

    def ok(self, path: str, body: Mapping[str, Any] | bytes, encoding: str | None = None, **more: str) -> Reply:
        """As `call`; Broken unless it answers 200."""
        reply = self.call(path, body, encoding, **more)
        expect(reply.status == 200, f"{path} answered {described(reply)}")
        return reply

    def head(self) -> dict[str, Any]:
        return {"install_id": self.install_id, "community_id": self.community_id}

    def clock(self) -> dict[str, Any]:
        """Readings of this phone's clocks, a little later each time; the wall clock is wrong by years."""
        self.elapsed_ms += 1000
        return {"wall_ms": 1_000_000_000_000, "elapsed_ms": self.elapsed_ms, "boot_id": self.boot_id}

    # -- records -------------------------------------------------------------------------------

    def new_id(self) -> str:
        return make_uuid7(time.time_ns() // 1_000_000, self.rng)

    def payload(self, **changes: Any) -> dict[str, Any]:
        """The common part of the next record."""
        self.seq += 1
        return {
            "author_id": self.account_id,
            "seq": self.seq,
            "time": self.clock(),
            "attachments": [],
            "amends": None,
            "voids": None,
            "reason": None,
            **changes,
        }

    def visit(self, place_id: str | None = None, **changes: Any) -> Record:
        """A record of a visit where nobody answered: it needs a header and nothing else."""
        header = {
            "place_id": place_id or self.place(),
            "visited_at": "2026-11-20T09:30:00+08:00",
            "visitors": ["石小满"],
            "outcome": "no_answer",
        }
        return self.record("visit", self.payload(visit={"header": header, "blocks": []}, **changes))

    def record(self, kind: str, payload: Mapping[str, Any] | str, **changes: Any) -> Record:
        """A frozen record; `payload` may be text already."""
        text = payload if isinstance(payload, str) else orjson.dumps(payload).decode()
        return {
            "id": self.new_id(),
            "type": kind,
            "schema_version": 1,
            "sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            "payload": text,
            "anchor": self.anchor,
            **changes,
        }

    def envelope(self, records: Sequence[Record], **changes: Any) -> dict[str, Any]:
        """A push."""
        return {
            "push_id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
            "app_version": "kit",
            "server_epoch": None,
            **self.head(),
            "records": list(records),
            **changes,
        }

    def push(self, *records: Record, **changes: Any) -> list[dict[str, Any]]:
        """The results of a push, one per record; Broken otherwise."""
        return self.results(self.ok("push", self.envelope(records, **changes)), len(records))

    def results(self, reply: Reply, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = reply.body["results"]
        expect(len(found) == count, f"{count} records were pushed and {len(found)} results came")
        return found

    def stored(self, record: Record) -> dict[str, Any]:
        """Push one record; Broken unless it is stored."""
        (result,) = self.push(record)
        expect(result["status"] == "stored", f"a right record got {result['status']} {codes(result)}")
        return result

    # -- places --------------------------------------------------------------------------------

    def place(self) -> str:
        """A place that this account sees; NotOffered when it sees none."""
        if self._places is None:
            self._places = [row["id"] for row in self.snapshot() if row["entity"] == "place" and row["op"] == "put"]
        if not self._places:
            raise NotOffered("the account sees no place: sign in as somebody of the field, in a community with places")
        return self._places[0]

    def pull(self, scopes: Sequence[Mapping[str, Any]], **changes: Any) -> dict[str, Any]:
        """The answer of a pull."""
        body = {"schema_version": 1, "server_epoch": None, "limit": 500, "scopes": list(scopes), **changes}
        answer: dict[str, Any] = self.ok("pull", body).body
        return answer

    def area(self) -> str:
        """A scope with places in it."""
        allowed = self.pull([])["allowed_scopes"]
        found = [scope for scope in allowed if scope.startswith("area:")] or allowed
        if not found:
            raise NotOffered("the account is allowed no scope")
        return str(found[0])

    def snapshot(self, scope: str | None = None, limit: int = 500) -> list[dict[str, Any]]:
        """All changes of a scope (all scopes when none is named) from nothing to the end."""
        scopes = [scope] if scope is not None else self.pull([])["allowed_scopes"]
        found: list[dict[str, Any]] = []
        for one in scopes:
            changes, _ = self.follow(one, None, limit)
            found += changes
        return found

    def follow(self, scope: str, cursor: str | None, limit: int = 500) -> tuple[list[dict[str, Any]], str]:
        """Changes of a scope after `cursor` to the end, and the cursor there."""
        found: list[dict[str, Any]] = []
        for _ in range(10_000):
            answer = self.pull([{"id": scope, "cursor": cursor}], limit=limit)["scopes"]
            expect(len(answer) == 1, f"one scope was asked for and {len(answer)} were answered")
            page = answer[0]
            expect(len(page["changes"]) <= limit, f"{len(page['changes'])} rows came where {limit} were asked for")
            found += page["changes"]
            cursor = str(page["cursor"])
            if not page["has_more"]:
                return found, cursor
        raise Broken("a scope never ends: has_more stays true")


def codes(result: Mapping[str, Any]) -> list[str]:
    """The codes of a result's errors."""
    return [str(error["code"]) for error in result.get("errors") or ()]


def described(reply: Reply) -> str:
    """An answer in a few words."""
    return f"{reply.status} {reply.code}".strip()


def has_code(result: Mapping[str, Any], code: str) -> None:
    """Broken unless the record is in quarantine for `code`."""
    expect(result["status"] == "quarantined", f"a record that must be quarantined ({code}) got {result['status']}")
    expect(code in codes(result), f"it was quarantined for {codes(result)}, not for {code}")
    expect(result["quarantine_id"], "a quarantined record has no quarantine_id")


def is_problem(reply: Reply, status: int, code: str) -> None:
    """Broken unless the answer is this problem, in the form that all have."""
    expect((reply.status, reply.code) == (status, code), f"{status} {code} was promised, {described(reply)} came")
    kind = reply.headers.get("content-type", "").partition(";")[0]
    expect(kind == "application/problem+json", f"a problem came as {kind}")
    missing = {"type", "title", "status", "code", "detail", "errors", "request_id"} - set(reply.body)
    expect(not missing, f"a problem lacks {sorted(missing)}")
