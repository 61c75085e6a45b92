"""A signed-in phone over real HTTP."""

import http.client
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import orjson

from mobile_contract.conformance.wire import Wire
from tests.factories.identity import AccountFixture


@dataclass
class RemotePhone:
    """One installation with one account signed in and the anchor of its boot."""

    url: str
    account: AccountFixture
    install_id: UUID = field(default_factory=uuid4)
    boot_id: str = "boot-1"
    token: str = ""
    anchor: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.wire = Wire(self.url)
        login = {
            "username": self.account.login,
            "password": self.account.password,
            "install_id": str(self.install_id),
            "device_name": "测试机",
        }
        self.token = self.call("auth/login", login)["access_token"]
        self.anchor = self.call("clock", {**self.install(), "clock": self.clock()})["anchor"]

    @property
    def account_id(self) -> UUID:
        return self.account.id

    def install(self) -> dict[str, Any]:
        return {"install_id": str(self.install_id), "community_id": None}

    def clock(self) -> dict[str, Any]:
        """The phone's clocks."""
        return {"wall_ms": 1_790_000_000_000, "elapsed_ms": 1_000_000, "boot_id": self.boot_id}

    def call(self, path: str, body: Any) -> dict[str, Any]:
        """The JSON of a 200 answer."""
        reply = self.wire.post(f"/sync/v1/{path}", body, self.token or None)
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise RuntimeError(f"{path} answered {reply.status}: {reply.body}")
        return reply.body

    def push(self, body: bytes) -> list[str]:
        """Push a compressed body; every record's status."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        connection.request("POST", "/sync/v1/push", body, push_headers(self.token))
        statuses = read_statuses((answer := connection.getresponse()).status, answer.read())
        connection.close()
        return statuses

    def pull(self, scopes: dict[str, str | None], limit: int) -> dict[str, Any]:
        """One page of the feed."""
        asked = [{"id": scope, "cursor": cursor} for scope, cursor in scopes.items()]
        return self.call("pull", {**self.install(), "schema_version": 1, "limit": limit, "scopes": asked})


def push_headers(token: str) -> dict[str, str]:
    """Of a push whose body is compressed already."""
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "X-Protocol": "1",
    }


def read_statuses(status: int, answer: bytes) -> list[str]:
    """What became of every record of a push; RuntimeError when it was not answered 200."""
    if status != 200:
        raise RuntimeError(f"a push was answered {status}: {answer[:300]!r}")
    return [result["status"] for result in orjson.loads(answer)["results"]]
