"""The served application, or one that is wrong on purpose: ``SEEDED_BUG`` names how."""

import os
import time
from collections.abc import Callable
from typing import Any

from flask import request

from backend.app import create_app
from backend.attachments import uploads
from backend.attachments.file_store import FileStore
from backend.http import blueprint
from backend.settings import load_settings


def slow_store() -> None:
    """No bug: a store so slow that requests at once do meet."""
    right = FileStore.put

    def put(self: FileStore, name: str, sealed: bytes) -> None:
        time.sleep(0.3)
        right(self, name, sealed)

    FileStore.put = put  # type: ignore[method-assign]


def unlocked() -> None:
    """Nobody holds the row that he writes to, and the offset is compared with what was read before."""
    slow_store()
    uploads._held = lambda desk, upload_id, wait=True: uploads._read(desk, upload_id)


def padded() -> None:
    """What a cut request did not bring is taken for zeros."""
    right = blueprint.read_what_comes

    def read(max_bytes: int) -> bytes:
        return right(max_bytes).ljust(int(request.headers.get("Content-Length", "0")), b"\0")

    blueprint.read_what_comes = read


BUGS: dict[str, Callable[[], None]] = {"slow_store": slow_store, "unlocked": unlocked, "padded": padded}


def make() -> Any:
    bug = os.environ.get("SEEDED_BUG", "")
    if bug:
        BUGS[bug]()
    return create_app(load_settings())


app = make()
