"""HTTP as a phone sees it: keep-alive, compressed bodies, and broken connections on purpose."""

import gzip
import http.client
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from mobile_contract.version import PROTOCOL

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_BROKEN = (OSError, http.client.HTTPException)


class Unreachable(Exception):
    """No answer: refused, cut, timed out. Whether the server got the request is unknown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `body` is the parsed JSON, or None."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """`code` of a problem body, or ""."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""

    def retry_after_s(self, otherwise: float) -> float:
        """Seconds to wait according to `Retry-After`."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdigit() else otherwise


class Wire:
    """One phone's connection to one server. Not for two threads at once."""

    def __init__(self, base_url: str, timeout_s: float = 60) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an HTTP address: {base_url}")
        self._make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self.sent_bytes = 0

    def post(self, path: str, body: object, token: str | None = None, encoding: str | None = None) -> Reply:
        """POST JSON (`body` may be ready bytes). Raises Unreachable."""
        raw, headers = _pack(body, token, encoding)
        return self._request("POST", path, raw, headers)

    def get(self, path: str, token: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        """GET. Raises Unreachable."""
        _, ours = _pack(b"", token, None)
        return self._request("GET", path, None, {**ours, **(headers or {})})

    def send(self, method: str, path: str, raw: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Any request, with just these headers. Raises Unreachable."""
        return self._request(method, path, raw, headers)

    def send_partly(self, method: str, path: str, raw: bytes, headers: Mapping[str, str], sent: int) -> None:
        """Promise all of `raw`, send its first bytes, and break the connection. Raises Unreachable, always."""
        self._send_raw(path, headers, len(raw), raw[:sent], method)

    def post_and_leave(self, path: str, body: object, token: str | None, encoding: str | None) -> None:
        """Send a whole request and go before the answer comes. Raises Unreachable, always."""
        raw, headers = _pack(body, token, encoding)
        self._send_raw(path, headers, len(raw), raw)

    def post_partly(self, path: str, body: object, token: str | None, encoding: str | None, part: float) -> None:
        """Send a share of the body, then break the connection. Raises Unreachable, always."""
        raw, headers = _pack(body, token, encoding)
        self._send_raw(path, headers, len(raw), raw[: int(len(raw) * part)])

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = self._make(self._host, self._port, timeout=self._timeout_s)
        return self._connection

    def _request(self, method: str, path: str, raw: bytes | None, headers: Mapping[str, str]) -> Reply:
        # A kept connection may have been closed meanwhile; that says nothing about the server.
        attempts = 1 if self._connection is None else 2
        while True:
            attempts -= 1
            try:
                connection = self._connect()
                connection.request(method, self._prefix + path, raw, dict(headers))
                self.sent_bytes += len(raw or b"")
                response = connection.getresponse()
                content = response.read()
            except _BROKEN as error:
                self.close()
                if attempts <= 0:
                    raise Unreachable(f"{method} {path}: {error!r}") from error
            else:
                return _reply(response, content)

    def _send_raw(self, path: str, headers: Mapping[str, str], length: int, raw: bytes, method: str = "POST") -> None:
        self.close()
        try:
            connection = self._connect()
            connection.putrequest(method, self._prefix + path)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(length))
            connection.endheaders()
            connection.send(raw)
            self.sent_bytes += len(raw)
        except _BROKEN as error:
            raise Unreachable(f"POST {path}: {error!r}") from error
        finally:
            self.close()
        raise Unreachable(f"POST {path}: left on purpose")


def _pack(body: object, token: str | None, encoding: str | None) -> tuple[bytes, dict[str, str]]:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-Protocol": str(PROTOCOL),
        "User-Agent": "saolou-fleet",
    }
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if encoding == "gzip":
        raw, headers["Content-Encoding"] = gzip.compress(raw, compresslevel=5, mtime=0), "gzip"
    elif encoding == "zstd":
        raw, headers["Content-Encoding"] = zstd.compress(raw, level=3), "zstd"
    return raw, headers


def _reply(response: http.client.HTTPResponse, content: bytes) -> Reply:
    try:
        body = orjson.loads(content) if content else None
    except orjson.JSONDecodeError:
        body = None
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, body, headers)
