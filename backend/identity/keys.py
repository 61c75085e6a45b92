"""The sealed archive's keys: a key per sealed row, wrapped by the community's key, wrapped by the installation's.

AES-256-GCM throughout; the additional data binds a ciphertext to its community and row, so rows cannot be swapped.
Destroying a row's wrapped key is the lawful erasure of what it opens, in the live database at once and in backups
when they expire.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.identity.models import CommunityKey

NONCE = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext with its own key, wrapped under version ``key_version`` of the community's key."""

    body: bytes
    key_version: int
    wrapped: bytes


def derive_key(secret_key: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose (``wrap``, ``anchor``, …), so that no key serves two."""
    return hmac.digest(secret_key, b"saolou/" + purpose.encode(), hashlib.sha256)


def _encrypt(cipher: AESGCM, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + cipher.encrypt(nonce, plain, bound_to)


def _decrypt(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], bound_to)


class Sealer:
    """Seals and opens rows of one community. Cheap to keep; holds the community's unwrapped keys by version."""

    def __init__(self, community_id: UUID, keys: dict[int, bytes], look_up: bytes) -> None:
        self._community = community_id.bytes
        self._look_up = look_up
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self.newest = max(keys)

    def seal(self, row_id: UUID, plain: bytes) -> Sealed:
        """``plain`` under a fresh key of its own."""
        bound_to = self._community + row_id.bytes
        key = os.urandom(32)
        wrapped = _encrypt(self._ciphers[self.newest], key, bound_to)
        return Sealed(_encrypt(AESGCM(key), plain, bound_to), self.newest, wrapped)

    def open(self, row_id: UUID, sealed: Sealed) -> bytes:
        """The plain bytes; cryptography.exceptions.InvalidTag when row, community or bytes were tampered with."""
        bound_to = self._community + row_id.bytes
        key = _decrypt(self._ciphers[sealed.key_version], sealed.wrapped, bound_to)
        return _decrypt(AESGCM(key), sealed.body, bound_to)

    def rewrap(self, row_id: UUID, key_version: int, wrapped: bytes) -> tuple[int, bytes]:
        """The row's key under the newest community key (rotation touches keys, never the archive)."""
        bound_to = self._community + row_id.bytes
        key = _decrypt(self._ciphers[key_version], wrapped, bound_to)
        return self.newest, _encrypt(self._ciphers[self.newest], key, bound_to)

    def keyed_hash(self, value: str) -> str:
        """A look-up key for a personal value: equal values of this community have equal hashes, nothing else shows."""
        return hmac.digest(self._look_up, self._community + value.encode(), hashlib.sha256).hex()


class Keyring:
    """Loads communities' keys with the installation's secret; one a process."""

    def __init__(self, secret_key: bytes) -> None:
        self._wrapper = AESGCM(derive_key(secret_key, "wrap"))
        self._look_up = derive_key(secret_key, "look-up")
        self._sealers: dict[UUID, Sealer] = {}

    def sealer(self, session: Session, community_id: UUID) -> Sealer:
        """The community's Sealer, cached until another process rotates the community's keys."""
        newest = session.scalar(select(func.max(CommunityKey.version)).where(CommunityKey.community_id == community_id))
        held = self._sealers.get(community_id)
        if held is not None and held.newest == newest:
            return held
        rows = session.scalars(select(CommunityKey).where(CommunityKey.community_id == community_id)).all()
        keys = {r.version: _decrypt(self._wrapper, r.wrapped, community_id.bytes) for r in rows}
        self._sealers[community_id] = Sealer(community_id, keys, self._look_up)
        return self._sealers[community_id]

    def rotate(self, session: Session, community_id: UUID) -> int:
        """Give the community a new key (its first, too); new rows are sealed with it. Returns its version."""
        newest = session.scalar(select(func.max(CommunityKey.version)).where(CommunityKey.community_id == community_id))
        version = (newest or 0) + 1
        wrapped = _encrypt(self._wrapper, os.urandom(32), community_id.bytes)
        session.add(CommunityKey(community_id=community_id, version=version, wrapped=wrapped))
        session.flush()
        self._sealers.pop(community_id, None)
        return version
