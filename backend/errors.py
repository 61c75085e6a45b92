"""The tree of errors that the domain may raise.

An error says a fact (``TaskClosed`` → ``task_closed``) and carries an HTTP status so that one renderer
(``backend.http.errors``) can answer it as ``application/problem+json`` (RFC 9457). Sentences for people live in
``backend.http.messages``, in Chinese and English, keyed by ``code``.
"""

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong at one place: a JSON pointer, a stable code, and values for the sentence."""

    pointer: str
    code: str
    details: dict[str, Any] = field(default_factory=dict)


class DomainError(Exception):
    """Something the caller can understand and act upon.

    ``code`` is derived from the class name and never reused; ``status`` is the HTTP status.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "domain_error"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, *, errors: list[FieldError] | None = None, **details: Any) -> None:
        super().__init__(self.code, details)
        self.details = details
        self.errors = errors or []


class NotFound(DomainError):
    status = 404


class Conflict(DomainError):
    status = 409


class Forbidden(DomainError):
    status = 403


class Unauthenticated(DomainError):
    status = 401


class InvalidInput(DomainError):
    """The request does not have the form it must have; ``errors`` points at each field."""

    status = 422


class ConfigurationError(Exception):
    """The installation cannot start as it is configured; the message says what to do."""
