"""The office as a program: signs in and works through the public API like any console would."""

import json
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4


class OfficeError(Exception):
    """The API answered an error; the message holds its code and sentence."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status, self.code = status, str(problem.get("code"))


class Office:
    """One signed-in person at the API. Not for use by several threads."""

    def __init__(self, base_url: str, login: str, password: str) -> None:
        address = urlsplit(base_url)
        self._connection = HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=60)
        self._token = ""
        body = {"username": login, "password": password, "install_id": str(uuid4()), "device_name": "demo"}
        answer = self.post("/sync/v1/auth/login", body)
        self._token = answer["access_token"]
        self.account_id: str = answer["account_id"]

    def get(self, path: str, **query: Any) -> Any:
        """The JSON answer of a GET."""
        return self._call("GET", path + ("?" + urlencode(query) if query else ""))

    def post(self, path: str, body: dict[str, Any], rev: int | None = None) -> Any:
        """The JSON answer of a POST; ``rev`` is sent as If-Match."""
        return self._call("POST", path, body, {"If-Match": f'"{rev}"'} if rev is not None else {})

    def put_photo(self, raw: bytes) -> str:
        """Store a JPEG; its attachment id."""
        return str(self._send("POST", "/api/v1/attachments", raw, {"Content-Type": "image/jpeg"})["id"])

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All rows of a paged list."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.get(path, limit=200, **query, **({"cursor": cursor} if cursor else {}))
            rows += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows

    def wait_for(self, path: str, is_ready: Any, seconds: float) -> Any:
        """Ask again until ``is_ready(answer)``; the last answer, ready or not."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if is_ready(answer) or time.monotonic() > deadline:
                return answer
            time.sleep(0.3)

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        if body is None:
            return self._send(method, path, None, headers or {})
        return self._send(
            method, path, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
        )

    def _send(self, method: str, path: str, payload: bytes | None, headers: dict[str, str]) -> Any:
        sent = {"Accept": "application/json", "Accept-Language": "en", **headers}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        self._connection.request(method, path, payload, sent)
        response = self._connection.getresponse()
        raw = response.read()
        answer = json.loads(raw) if raw else None
        if response.status >= 400:
            raise OfficeError(response.status, answer or {})
        return answer
