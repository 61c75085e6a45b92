"""A served application with a community to try the kit on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from backend.db import Database
from mobile_contract.conformance.phone import Login
from tests.factories.identity import make_account, make_community
from tests.factories.places import make_tree
from tests.sync.conftest import app, bell, quiet_logs

__all__ = ["app", "bell", "quiet_logs"]


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any, **__: Any) -> None:
        pass


@contextmanager
def served(wsgi: Any) -> Iterator[str]:
    """The base URL of a WSGI application while it is served."""
    server = make_server("127.0.0.1", 0, wsgi, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def login(app: Flask, db: Database) -> Login:
    """A grid worker of a community with places."""
    community_id = make_community(db)
    with db.transaction([community_id]) as session:
        make_tree(session, community_id)
    account = make_account(db, community_id)
    return Login(account.login, account.password)
