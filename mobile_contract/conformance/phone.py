"""A simulated phone: keeps its outbox as the protocol demands, while everything around it fails."""

import copy
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from mobile_contract.conformance.faults import Fault, Luck
from mobile_contract.conformance.notebook import MadeRecord, Notebook
from mobile_contract.conformance.view import View
from mobile_contract.conformance.wire import Reply, Unreachable, Wire

ENCODINGS = (None, "gzip", "zstd")
PULL_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Login:
    """Who uses a phone. `community_id` picks one of several communities of the account."""

    username: str
    password: str
    community_id: str | None = None


class GaveUp(Exception):
    """The server gave no usable answer within the patience of the fleet."""


class Refused(Exception):
    """The server answered something the protocol does not foresee."""


class Phone:
    """One installation. Used by one thread at a time.

    `rng` decides what is written, `net` how it is sent.

    `now_ms` gives the true time of the simulation: the server's clock at the fleet's start plus what
    passed since. `patience_s` is how long one request is tried again before `GaveUp`.
    """

    def __init__(
        self, name: str, base_url: str, login: Login, luck: Luck, now_ms: Callable[[], int], patience_s: float
    ) -> None:
        self.name = name
        self.base_url = base_url
        self.login = login
        self.luck = luck
        self.rng = Random(f"{luck.seed}/work")
        self.net = Random(f"{luck.seed}/net")
        self.now_ms = now_ms
        self.patience_s = patience_s
        self.wire = Wire(base_url)
        self.install_id = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self.view = View()
        self.outbox: dict[str, MadeRecord] = {}
        self.tokens: dict[str, Any] | None = None
        self.server_epoch: str | None = None
        self.counts = {"pushes": 0, "pulls": 0, "repeats": 0, "stored": 0, "duplicate": 0, "quarantined": 0}
        self._notebook: Notebook | None = None

    # -- who and when -------------------------------------------------------------------------

    @property
    def notebook(self) -> Notebook:
        """Made at the first log-in, when the author is known."""
        if self._notebook is None:
            raise RuntimeError("log in first")
        return self._notebook

    @property
    def role(self) -> str:
        """The account's role in its community."""
        return str(self.membership["role"])

    @property
    def membership(self) -> dict[str, Any]:
        """The membership this phone works under."""
        rows: list[dict[str, Any]] = (self.tokens or {})["memberships"]
        return next((row for row in rows if row["community_id"] == self.community_id), rows[0])

    @property
    def community_id(self) -> str:
        """The community records are pushed to."""
        if self.login.community_id is not None:
            return self.login.community_id
        rows: list[dict[str, Any]] = (self.tokens or {})["memberships"]
        return str(rows[0]["community_id"])

    def sign_in(self, started_ms: int) -> None:
        """Log in and begin a notebook whose first boot started at `started_ms`."""
        self._sign_in()
        assert self.tokens is not None
        self._notebook = Notebook(self.rng, str(self.tokens["account_id"]), self.install_id, started_ms)

    def clone(self, name: str) -> "Phone":
        """A copy made by a backup app: same installation, same outbox, own life from here on."""
        luck = Luck(self.luck.faults, f"{self.luck.seed}/{name}")
        twin = Phone(name, self.base_url, self.login, luck, self.now_ms, self.patience_s)
        twin.install_id = self.install_id
        twin.tokens = dict(self.tokens or {})
        twin.outbox = {record_id: copy.copy(record) for record_id, record in self.outbox.items()}
        twin.server_epoch = self.server_epoch
        book = Notebook(twin.rng, self.notebook.author_id, self.install_id, self.notebook.boot.started_ms)
        book.boots = list(self.notebook.boots)
        book.records = dict(twin.outbox)
        book.seq, book.wall_error_ms = self.notebook.seq, self.notebook.wall_error_ms
        twin._notebook = book
        return twin

    def keep(self, record: MadeRecord) -> None:
        """Put a new record into the outbox."""
        self.outbox[record.id] = record

    # -- requests -----------------------------------------------------------------------------

    def call(self, path: str, body: dict[str, Any] | bytes, before: Callable[[], None] | None = None) -> Reply:
        """POST with the access token until there is a final answer (200, 400, 413, 422).

        Waits out 429, 5xx and broken connections with jitter, refreshes or logs in at 401. `before`
        runs before every attempt and may raise Unreachable, as a fault does.
        """
        deadline = time.monotonic() + self.patience_s
        wait_s = 0.05
        while True:
            reply = self._attempt(path, body, before)
            if reply is not None and reply.status == 401:
                self._renew(reply)
            elif reply is not None and reply.status < 500 and reply.status != 429:
                return reply
            if time.monotonic() > deadline:
                raise GaveUp(f"{self.name}: {path} {reply.status if reply else 'unreachable'}")
            if reply is None or reply.status != 401:
                pause = wait_s if reply is None else reply.retry_after_s(wait_s)
                time.sleep(min(pause, 15) * (0.5 + self.net.random()))
                wait_s = min(wait_s * 1.7, 5)
            self.counts["repeats"] += 1

    def fetch(self, path: str) -> Reply:
        """GET of the office API in this phone's community."""
        deadline = time.monotonic() + self.patience_s
        while True:
            try:
                token = str((self.tokens or {})["access_token"])
                reply = self.wire.get(path, token, {"X-Community": self.community_id})
            except Unreachable:
                reply = Reply(503)
            if reply.status == 401:
                self._renew(reply)
            elif reply.status < 500 and reply.status != 429:
                return reply
            if time.monotonic() > deadline:
                raise GaveUp(f"{self.name}: {path} {reply.status}")
            time.sleep(0.2 + self.net.random())

    def _attempt(self, path: str, body: dict[str, Any] | bytes, before: Callable[[], None] | None) -> Reply | None:
        try:
            if before is not None:
                before()
            return self.wire.post(path, body, self._access_token(), self.net.choice(ENCODINGS))
        except Unreachable:
            return None

    def _access_token(self) -> str:
        assert self.tokens is not None
        if self.luck.strikes(Fault.TOKEN):
            self.tokens["access_token"] = "expired-" + self.tokens["access_token"][:8]
        return str(self.tokens["access_token"])

    def _renew(self, reply: Reply) -> None:
        if reply.code == "device_revoked":
            raise Refused(f"{self.name}: {reply.code}")
        assert self.tokens is not None
        body = {"refresh_token": self.tokens["refresh_token"], "install_id": self.install_id}
        if self.luck.strikes(Fault.TOKEN):
            # The answer of a refresh gets lost: the old token must go on working.
            with suppress(Unreachable):
                self.wire.post_and_leave("/sync/v1/auth/refresh", body, None, None)
        answer = self._patiently("/sync/v1/auth/refresh", body)
        if answer.status == 200:
            self.tokens = answer.body
        else:
            self._sign_in()

    def _sign_in(self) -> None:
        body = {
            "username": self.login.username,
            "password": self.login.password,
            "install_id": self.install_id,
            "device_name": f"simulated phone {self.name}",
        }
        answer = self._patiently("/sync/v1/auth/login", body)
        if answer.status != 200:
            raise Refused(f"{self.name}: log-in answered {answer.status} {answer.code}")
        self.tokens = answer.body

    def _patiently(self, path: str, body: dict[str, Any]) -> Reply:
        deadline = time.monotonic() + self.patience_s
        wait_s = 0.05
        while True:
            try:
                reply = self.wire.post(path, body)
            except Unreachable:
                reply = Reply(503)
            if reply.status < 500 and reply.status != 429:
                return reply
            if time.monotonic() > deadline:
                raise GaveUp(f"{self.name}: {path} {reply.status}")
            time.sleep(min(reply.retry_after_s(wait_s), 15) * (0.5 + self.net.random()))
            wait_s = min(wait_s * 1.7, 5)
