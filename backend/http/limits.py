"""Rate limits of the sign-in routes: only failures count, per address and per account.

An account is soon closed to the address that guesses at it, and late to all others: else anybody who knows a log-in
name could keep its owner out.

Counted in Redis over a sliding window; while Redis is down each process counts in its own memory. Many phones behind
one carrier's address sign in freely, somebody who guesses passwords does not.
"""

import hashlib
import ipaddress
import time
import unicodedata
from collections.abc import Callable

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter, RateLimitExceeded

from backend.errors import DomainError
from backend.http.errors import on_domain_error
from backend.settings import redis_py_url

FAILURES_PER_ADDRESS = "60 per minute; 600 per hour"
FAILURES_PER_ACCOUNT_AND_ADDRESS = "10 per 10 minutes"
FAILURES_PER_ACCOUNT = "100 per hour"
#: A token's holder guessing at its account's password harms nobody but the token.
FAILURES_PER_TOKEN = "10 per 10 minutes; 50 per day"
EXTENSION = "saolou-limits"
Check = Callable[[], None]


class TooManyRequests(DomainError):
    """Come back after ``retry_after_s`` seconds."""

    status = 429


def client_address() -> str:
    """The caller's address (as ProxyFix found it); of IPv6 the /64, since a subscriber has all of it."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _digest(text: str) -> str:
    """Redis holds no log-in names and no tokens."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def _named_account() -> str:
    body = request.get_json(silent=True)
    name = body.get("username") if isinstance(body, dict) else None
    if not isinstance(name, str):
        return "nobody"
    # As accounts are looked up, so that another spelling of a name is not another count.
    return _digest(unicodedata.normalize("NFKC", name).strip().casefold())


def _typed_account() -> str:
    name = request.form.get("username")
    return _digest(unicodedata.normalize("NFKC", name).strip().casefold()) if name else "nobody"


def _calling_token() -> str:
    return _digest(request.headers.get("Authorization", ""))


def _failed(response: Response) -> bool:
    return response.status_code in (401, 403)


def register_limits(app: Flask, redis_url: str) -> None:
    """Give ``app`` its limiter and the checks that routes name (``limit=limit_log_in``)."""
    limiter = Limiter(
        client_address,
        app=app,
        storage_uri=redis_py_url(redis_url).replace("unix://", "redis+unix://"),
        storage_options={"socket_connect_timeout": 1, "socket_timeout": 1},
        strategy="sliding-window-counter",
        in_memory_fallback_enabled=True,
        key_prefix="saolou",
    )

    def check(name: str, scope: str, *per_account: tuple[str, str, Callable[[], str]]) -> Check:
        def passed() -> None:
            return None

        # Limits are told apart by the decorated function's name.
        passed.__qualname__ = passed.__name__ = name
        checked: Check = passed
        for limit, suffix, key in per_account:
            checked = limiter.shared_limit(limit, scope=f"{scope}-{suffix}", key_func=key, deduct_when=_failed)(checked)
        per_address = limiter.shared_limit(FAILURES_PER_ADDRESS, scope=scope, deduct_when=_failed)
        everything: Check = per_address(checked)
        return everything

    def log_in(name: str, account: Callable[[], str]) -> Check:
        return check(
            name,
            "log-in",
            (FAILURES_PER_ACCOUNT, "account", account),
            (FAILURES_PER_ACCOUNT_AND_ADDRESS, "account-address", lambda: f"{account()} {client_address()}"),
        )

    app.extensions[EXTENSION] = {
        "log_in": log_in("log_in", _named_account),
        "page_log_in": log_in("page_log_in", _typed_account),
        "password": check("password", "password", (FAILURES_PER_TOKEN, "token", _calling_token)),
    }

    def on_limit(_: RateLimitExceeded) -> Response:
        at = limiter.current_limit.reset_at if limiter.current_limit else 0
        return on_domain_error(TooManyRequests(retry_after_s=max(1, at - int(time.time()))))

    app.register_error_handler(RateLimitExceeded, on_limit)


def limit_log_in() -> None:
    """Refuse (429) an address, or an account from an address or from anywhere, after too many failed log-ins."""
    current_app.extensions[EXTENSION]["log_in"]()


def limit_page_log_in() -> None:
    """The same for the sign-in page, with the same counts."""
    current_app.extensions[EXTENSION]["page_log_in"]()


def limit_password() -> None:
    """Refuse (429) a signed-in caller after too many wrong current passwords."""
    current_app.extensions[EXTENSION]["password"]()
