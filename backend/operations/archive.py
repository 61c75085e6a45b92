"""The backup file: a plain tar of the database's dump, the stored files and the secret, closed by a manifest.

The manifest comes last: a backup that was cut off has none. It names every member with its size and SHA-256. The dump
is compressed by PostgreSQL; photos and sealed records do not compress.
"""

import hashlib
import io
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from backend.errors import ConfigurationError

FORMAT = 1
DATABASE, SECRET, FILES, MANIFEST = "database.dump", "secrets.json", "files", "manifest.json"
CHUNK = 1 << 20

#: ``progress(what, done, total)``; bytes.
Progress = Callable[[str, int, int], None]


def silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


class ArchiveDamaged(ConfigurationError):
    """The file is no backup of ours, or not whole any more."""


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. Everything committed before ``covered_ms`` (true server time) is in it.

    ``rows`` counts the dump's tables in the dump's own snapshot.
    """

    covered_ms: int
    revision: str
    postgres: str
    rows: dict[str, int]
    members: list[Member]
    format: int = FORMAT

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> "Manifest":
        """ArchiveDamaged when it is no manifest this release can read."""
        try:
            found: dict[str, Any] = json.loads(raw)
            if found["format"] != FORMAT:
                raise ArchiveDamaged(f"the backup has format {found['format']}; this release reads {FORMAT}")
            return cls(**{**found, "members": [Member(**m) for m in found["members"]]})
        except (ValueError, KeyError, TypeError) as error:
            raise ArchiveDamaged("the backup's manifest cannot be read") from error


@dataclass
class ArchiveWriter:
    """Adds members to a tar and remembers what it added."""

    tar: tarfile.TarFile
    members: list[Member] = field(default_factory=list)

    def add_file(self, name: str, path: Path, progress: Progress = silent) -> None:
        """Stream a file in; its content is hashed on the way."""
        with path.open("rb") as source:
            size = os.fstat(source.fileno()).st_size
            self._add(name, size, HashingReader(source, lambda done: progress(name, done, size)))

    def add_bytes(self, name: str, content: bytes) -> None:
        self._add(name, len(content), HashingReader(io.BytesIO(content)))

    def _add(self, name: str, size: int, reader: "HashingReader") -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(time.time())
        self.tar.addfile(info, cast(IO[bytes], reader))
        self.members.append(Member(name, size, reader.digest.hexdigest()))


class HashingReader:
    """Reads through to ``source`` and hashes what passes."""

    def __init__(self, source: IO[bytes], report: Callable[[int], None] = lambda _done: None) -> None:
        self.source, self.report = source, report
        self.digest, self.done = hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        chunk = self.source.read(size)
        self.digest.update(chunk)
        self.done += len(chunk)
        self.report(self.done)
        return chunk


@contextmanager
def write_archive(target: Path) -> Iterator[ArchiveWriter]:
    """A new archive, readable by its owner only, that appears under its name when it is whole and on the disk."""
    draft = target.with_name(target.name + ".part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                yield ArchiveWriter(tar)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def read_archive(path: Path, take: Callable[[str, IO[bytes]], None] | None = None) -> Manifest:
    """Read an archive to its end, compare all hashes with its manifest, and return that.

    ``take(name, stream)`` may use a member's content before it is known to be right. ArchiveDamaged otherwise.
    """
    found: dict[str, Member] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(path, mode="r|") as tar:
            for info in tar:
                stream = tar.extractfile(info)
                if stream is None or not safe_name(info.name):
                    raise ArchiveDamaged(f"{path} holds {info.name!r}, which no backup does")
                if info.name == MANIFEST:
                    manifest = Manifest.from_json(stream.read())
                    continue
                reader = HashingReader(stream)
                if take:
                    take(info.name, cast(IO[bytes], reader))
                while reader.read(CHUNK):
                    pass
                found[info.name] = Member(info.name, reader.done, reader.digest.hexdigest())
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveDamaged(f"{path} is no whole backup: {error}") from error
    if manifest is None:
        raise ArchiveDamaged(f"{path} has no manifest: the backup was cut off. Use an older one.")
    for member in manifest.members:
        if found.pop(member.name, None) != member:
            raise ArchiveDamaged(f"{path} is damaged at {member.name}. Use another copy.")
    if found:
        raise ArchiveDamaged(f"{path} holds more than its manifest says: {min(found)}")
    return manifest


def safe_name(name: str) -> bool:
    """One of ours: nothing absolute, nothing that climbs."""
    parts = PurePosixPath(name).parts
    if name in (DATABASE, SECRET, MANIFEST):
        return True
    return len(parts) > 1 and parts[0] == FILES and ".." not in parts and "/".join(parts) == name
