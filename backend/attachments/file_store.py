"""Sealed files in a folder, by community and content. A file appears whole or not at all, and before its row."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True, slots=True)
class FileStore:
    """A part of the runtime. ``folder``: ``files`` in the data folder, which backups copy."""

    folder: Path

    def path_of(self, community_id: UUID, sha256: bytes) -> Path:
        """Where the file with this hash lies, or would lie."""
        name = sha256.hex()
        return self.folder / str(community_id) / name[:2] / name

    def put(self, community_id: UUID, sha256: bytes, sealed: bytes) -> None:
        """Store sealed bytes durably; what lay there before is replaced in one step."""
        path = self.path_of(community_id, sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync(path.parent)

    def find(self, community_id: UUID, sha256: bytes) -> bytes | None:
        """The sealed bytes, or None."""
        try:
            return self.path_of(community_id, sha256).read_bytes()
        except FileNotFoundError:
            return None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
