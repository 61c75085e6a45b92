"""Passwords: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane), at most two at a time in a process.

A hash costs about 20 ms of one core and 19 MiB; the cap keeps a flood of log-ins from starving everything else.
"""

import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.errors import DomainError
from backend.http.messages import add_messages

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: Characters; the upper bound only keeps hashing cheap.
MIN_LENGTH, MAX_LENGTH = 10, 1000
AT_ONCE = 2
WAIT_SECONDS = 10
_cap = BoundedSemaphore(AT_ONCE)


class PasswordTooWeak(DomainError):
    """Shorter than ``min_length`` characters, or the log-in name itself."""

    status = 422


class Unavailable(DomainError):
    """Too many log-ins wait already; come back after ``retry_after_s``."""

    status = 503


add_messages(
    {
        "password_too_weak": (
            "密码至少 {min_length} 个字符，且不能与登录名相同。",
            "A password has at least {min_length} characters and is not the log-in name.",
        )
    }
)


@contextmanager
def _slot() -> Iterator[None]:
    if not _cap.acquire(timeout=WAIT_SECONDS):
        raise Unavailable(retry_after_s=5)
    try:
        yield
    finally:
        _cap.release()


def _same_spelling(password: str) -> str:
    """NFKC: a full-width letter typed on a Chinese keyboard is the letter."""
    return unicodedata.normalize("NFKC", password)


def hash_password(login: str, password: str) -> str:
    """The argon2id hash (PHC text); PasswordTooWeak when it may not be used for ``login``."""
    password = _same_spelling(password)
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH or password.casefold() == login:
        raise PasswordTooWeak(min_length=MIN_LENGTH)
    with _slot():
        return HASHER.hash(password)


@cache
def _nobodys_hash() -> str:
    return HASHER.hash(secrets.token_hex(16))


def verify_password(password_hash: str | None, password: str) -> bool:
    """True when ``password`` is the one hashed. None (no such account) costs the same time and is False."""
    expected = password_hash or _nobodys_hash()
    with _slot():
        try:
            return HASHER.verify(expected, _same_spelling(password)) and password_hash is not None
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False


def renewed_hash(password_hash: str, password: str) -> str | None:
    """A hash with today's parameters for a password just verified, or None when it has them already."""
    if not HASHER.check_needs_rehash(password_hash):
        return None
    with _slot():
        return HASHER.hash(_same_spelling(password))
