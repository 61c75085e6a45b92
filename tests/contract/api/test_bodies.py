"""Bodies and paths that no client should send, over a real socket where the socket matters."""

import http.client
import socket
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from backend.app import create_app
from backend.settings import Settings


class Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port(settings: Settings) -> Iterator[int]:
    with make_server("127.0.0.1", 0, create_app(settings), handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()


def test_push_over_the_cap_is_answered_413_to_a_client_that_sends_first(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/sync/v1/push", b" " * (5 * 1024 * 1024), {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status == 413
    assert b"max_bytes" in response.read()


def test_path_with_nul_is_not_found(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(b"GET /api/v1/places/by-code/%00 HTTP/1.0\r\n\r\n")
        assert b" 404 " in raw.makefile("rb").readline()
