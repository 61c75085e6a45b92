"""A proxy that fails on purpose, to be put between a phone under development and a server.

It understands HTTP, so each request has a fate of its own: forwarded, slow, dropped, cut off after some bytes on its
way up or on its way down, or delivered with its answer swallowed. That last is the one that doubles records on phones
that trust their luck.
"""

import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import urlsplit

#: Of the hop, not of the message.
_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "host")
)
_BROKEN = (OSError, http.client.HTTPException)


class Fate(StrEnum):
    """What becomes of a request."""

    FORWARD = "forward"
    DELAY = "delay"
    DROP = "drop"  # the connection closes before the server hears of it
    CUT_REQUEST = "cut"  # the server gets the first bytes of the body, then nothing
    SWALLOW = "swallow"  # the server does it, the phone gets no answer
    CUT_ANSWER = "cut-answer"  # the phone gets the first bytes of the answer


@dataclass(frozen=True, slots=True)
class Weather:
    """How often what happens (0 to 1, together at most 1), and how much: `cut_bytes` pass before a cut."""

    drop: float = 0.0
    cut: float = 0.0
    swallow: float = 0.0
    cut_answer: float = 0.0
    delay: float = 0.0
    cut_bytes: int = 1000
    delay_ms: int = 2000
    seed: int = 1

    def __post_init__(self) -> None:
        chances = (self.drop, self.cut, self.swallow, self.cut_answer, self.delay)
        if min(chances) < 0 or sum(chances) > 1:
            raise ValueError("chances lie between 0 and 1, and so does their sum")
        if self.cut_bytes < 0 or self.delay_ms < 0:
            raise ValueError("bytes and milliseconds are not negative")

    def chances(self) -> dict[Fate, float]:
        """Fate → how often."""
        return {
            Fate.DROP: self.drop,
            Fate.CUT_REQUEST: self.cut,
            Fate.SWALLOW: self.swallow,
            Fate.CUT_ANSWER: self.cut_answer,
            Fate.DELAY: self.delay,
        }


@dataclass(slots=True)
class FaultProxy:
    """Listens on `host:port` (0: any free port) and forwards to `upstream` through the weather.

    `only`: a part of the paths that faults strike (all others are forwarded). `choose` replaces the dice: it is given
    the number of the request, its method and its path. `tell` is called once a request.
    """

    upstream: str
    weather: Weather = field(default_factory=Weather)
    host: str = "127.0.0.1"
    port: int = 0
    only: str = ""
    timeout_s: float = 60.0
    choose: Callable[[int, str, str], Fate] | None = None
    tell: Callable[[str, str, Fate], None] = lambda method, path, fate: None
    counts: Counter[str] = field(default_factory=Counter)
    _server: ThreadingHTTPServer | None = None
    _rng: Random = field(default_factory=Random)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _number: int = 0

    def __enter__(self) -> "FaultProxy":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Listen, in a thread."""
        self._rng = Random(self.weather.seed)
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer((self.host, self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Close; requests on their way end."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def fate_of(self, method: str, path: str) -> Fate:
        """Decide, count and tell what becomes of the next request."""
        with self._lock:
            self._number += 1
            fate = self._decide(method, path)
            self.counts[fate.value] += 1
        self.tell(method, path, fate)
        return fate

    def _decide(self, method: str, path: str) -> Fate:
        if self.only not in path:
            return Fate.FORWARD
        if self.choose is not None:
            return self.choose(self._number, method, path)
        dice = self._rng.random()
        for fate, chance in self.weather.chances().items():
            dice -= chance
            if dice < 0:
                return fate
        return Fate.FORWARD

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the server."""
        parts = urlsplit(self.upstream)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=self.timeout_s)


class _Handler(BaseHTTPRequestHandler):
    owner: FaultProxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """The proxy tells by itself."""

    def _handle(self) -> None:
        body = self._body()
        fate = self.owner.fate_of(self.command, self.path)
        if fate is Fate.DELAY:
            time.sleep(self.owner.weather.delay_ms / 1000)
        if fate is Fate.DROP:
            self._hang_up()
            return
        try:
            answer = self._forward(body, fate)
        except _BROKEN:
            answer = None
        if answer is None:
            self._hang_up()
            return
        self._answer(answer, fate)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            found = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _forward(self, body: bytes, fate: Fate) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """The server's answer; None when it is not to be told."""
        connection = self.owner.connect()
        try:
            parts = urlsplit(self.owner.upstream)
            connection.putrequest(
                self.command, parts.path.rstrip("/") + self.path, skip_host=True, skip_accept_encoding=True
            )
            connection.putheader("Host", parts.netloc)
            for name, value in self.headers.items():
                if name.lower() not in _HOP and name.lower() != "content-length":
                    connection.putheader(name, value)
            if body or self.command in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            cut = fate is Fate.CUT_REQUEST and len(body) > 0
            connection.endheaders()
            connection.send(body[: min(self.owner.weather.cut_bytes, len(body) - 1)] if cut else body)
            if cut:
                return None
            response = connection.getresponse()
            headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
            content = response.read()
            return None if fate is Fate.SWALLOW else (response.status, headers, content)
        finally:
            connection.close()

    def _answer(self, answer: tuple[int, list[tuple[str, str]], bytes], fate: Fate) -> None:
        status, headers, content = answer
        self.send_response_only(status)
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(content)))
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", length)
        cut = fate is Fate.CUT_ANSWER
        with suppress(OSError):
            self.end_headers()
            self.wfile.write(content[: min(self.owner.weather.cut_bytes, len(content) - 1)] if cut else content)
            self.wfile.flush()
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler._handle)


def weather_of(options: Mapping[str, Any]) -> Weather:
    """The weather out of command line options; what is not said does not happen."""
    return Weather(**{name: options[name] for name in Weather.__dataclass_fields__ if options.get(name) is not None})
