"""Sealed files by name, in a local folder or in any S3-compatible store. A file appears whole or not at all.

Names lead with the community: its content by hash, parts of unfinished uploads, thumbnails. All bytes are sealed
before they come here, so whoever runs the store learns sizes and nothing else.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from backend.errors import DomainError

#: Below this many free bytes uploads are refused.
MINIMUM_FREE_BYTES: Final = 500_000_000
#: A store that does not answer must not hold a phone's request: the phone comes again. Whether the line to it is
#: encrypted is for its address to say; the bytes are.
_CLIENT: Final = {"timeout": "20s", "connect_timeout": "3s", "allow_http": True}
_RETRY: Final = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}
_PARTS, _THUMBNAILS = "parts", "thumbs"


class Unavailable(DomainError):
    """The store of files does not answer; nothing was stored, the same request may come again."""

    status = 503

    def __init__(self) -> None:
        super().__init__(retry_after_s=30)


class StorageFull(DomainError):
    """Too little room is left for uploads; records are still taken in."""

    status = 503

    def __init__(self) -> None:
        super().__init__(retry_after_s=600)


def free_bytes(path: Path) -> int:
    """Free bytes of the disk that holds ``path`` or would hold it."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def content_name(community_id: UUID, sha256: bytes) -> str:
    """Where the content with this hash lies."""
    name = sha256.hex()
    return f"{community_id}/{name[:2]}/{name}"


def part_name(community_id: UUID, part_id: UUID | str) -> str:
    """Where a part of an unfinished upload lies."""
    return f"{community_id}/{_PARTS}/{part_id}"


def part_id_of(name: str) -> str | None:
    """The id of the part that lies there; None for other files."""
    _, folder, part_id = name.split("/", 2)
    return part_id if folder == _PARTS else None


def thumbnail_name(community_id: UUID, file_id: UUID) -> str:
    """Where the small picture of a file lies."""
    return f"{community_id}/{_THUMBNAILS}/{file_id}"


@dataclass(slots=True)
class FileStore:
    """A part of the runtime. ``folder``: ``files`` in the data folder, which backups copy. ``url`` (``s3://bucket/path``)
    names a store to use instead; its credentials are the usual ``AWS_`` variables.

    The client is made in the process that uses it: its threads do not survive a fork.
    """

    folder: Path
    url: str | None = None
    _made: tuple[int, Any] | None = field(default=None, init=False)

    @property
    def is_local(self) -> bool:
        return self.url is None

    def put(self, name: str, sealed: bytes) -> None:
        """Store durably; what lay there before is replaced in one step. Unavailable."""
        try:
            obstore.put(self._store(), name, sealed, use_multipart=False)
            if self.is_local:
                self._make_durable(name)
        except (BaseError, OSError) as error:
            raise Unavailable from error

    def find(self, name: str) -> bytes | None:
        """The sealed bytes, or None. Unavailable."""
        try:
            return bytes(obstore.get(self._store(), name).bytes())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise Unavailable from error

    def holds(self, name: str) -> bool:
        """Whether there is such a file. Unavailable."""
        try:
            obstore.head(self._store(), name)
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise Unavailable from error
        return True

    def delete(self, names: Iterable[str]) -> None:
        """Remove files; one that is not there is no error. Unavailable."""
        for name in names:
            try:
                obstore.delete(self._store(), name)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise Unavailable from error

    def listed(self, community_id: UUID) -> Iterator[tuple[str, datetime]]:
        """Names of all files of a community with the time they were stored. Unavailable."""
        try:
            for batch in obstore.list(self._store(), str(community_id)):
                for found in batch:
                    yield found["path"], found["last_modified"]
        except (BaseError, OSError) as error:
            raise Unavailable from error

    def ensure_room(self) -> None:
        """StorageFull when the disk is nearly full (a store elsewhere looks after itself)."""
        if self.is_local and free_bytes(self.folder) < MINIMUM_FREE_BYTES:
            raise StorageFull

    def _store(self) -> Any:
        made = self._made
        if made is None or made[0] != os.getpid():
            made = self._made = (os.getpid(), self._make())
        return made[1]

    def _make(self) -> Any:
        if self.url is None:
            return LocalStore(self.folder, mkdir=True)
        return S3Store.from_url(self.url, client_options=_CLIENT, retry_config=_RETRY)  # type: ignore[arg-type]

    def _make_durable(self, name: str) -> None:
        """The bytes and the names of the folders above them are on the disk before anybody is told."""
        path = self.folder / name
        while True:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
            if path == self.folder:
                return
            path = path.parent
