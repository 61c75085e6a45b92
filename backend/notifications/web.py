"""Posting to a robot's address and nowhere else: https, hosts that the installation names, public addresses only.

The name is looked up once and the connection made to the very address that was judged, so that a name that changes its
mind leads nowhere. Redirects are not followed.
"""

import ipaddress
import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import orjson

from backend.errors import DomainError
from backend.http.messages import add_messages
from backend.settings import Settings

TIMEOUT_S: Final = 10.0
LONGEST_ANSWER: Final = 64 * 1024
LOOPBACK: Final = "127.0.0.1"
UNICAST: Final = ipaddress.IPv6Network("2000::/3")


class WebhookRefused(DomainError):
    """The address is none that messages may be sent to."""

    status = 422


class SendFailed(Exception):
    """Nothing was sent, or nobody said that it was. ``why`` is a short code without personal data."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


add_messages(
    {
        "webhook_refused": (
            "地址不可用：只能是 https，且主机须为 {hosts} 之一。",
            "This address cannot be used: https only, and its host must be one of {hosts}.",
        ),
    }
)


def check_address(url: str, settings: Settings) -> SplitResult:
    """The parts of an address that may be posted to; WebhookRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused(settings) from error
    plain = url.isascii() and url.isprintable() and " " not in url
    if not plain or parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused(settings)
    if settings.webhook_loopback and parts.scheme == "http" and parts.hostname == LOOPBACK:
        return parts
    if parts.scheme != "https" or parts.hostname not in settings.webhook_hosts or port not in (None, 443):
        raise _refused(settings)
    return parts


def post_json(url: str, body: Any, settings: Settings) -> dict[str, Any]:
    """The JSON object that the robot answers with 200; SendFailed."""
    try:
        parts = check_address(url, settings)
        connection = _connection(parts, settings)
    except WebhookRefused as error:
        raise SendFailed("address_refused") from error
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path or "/", orjson.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        raw = answer.read(LONGEST_ANSWER)
    except (OSError, HTTPException) as error:
        raise SendFailed(type(error).__name__) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise SendFailed(f"http_{answer.status}")
    try:
        said = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise SendFailed("answer_unreadable") from error
    if not isinstance(said, dict):
        raise SendFailed("answer_unreadable")
    return said


def _connection(parts: SplitResult, settings: Settings) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(LOOPBACK, parts.port or 80, timeout=TIMEOUT_S)
    return PinnedConnection(host, public_address(host, settings))


def public_address(host: str, settings: Settings) -> str:
    """An address of ``host``; WebhookRefused when any of them is not of the public internet. SendFailed: unknown."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise SendFailed("host_unknown") from error
    if not all(is_public(ipaddress.ip_address(address)) for address in found):
        raise _refused(settings)
    return sorted(found, key=lambda address: (":" in address, address))[0]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """One machine of the public internet, and no other address in an IPv6 one's clothes (6to4, NAT64)."""
    if not address.is_global or address.is_multicast:
        return False
    return isinstance(address, ipaddress.IPv4Address) or (address in UNICAST and address.sixtofour is None)


def _refused(settings: Settings) -> WebhookRefused:
    return WebhookRefused(hosts="、".join(settings.webhook_hosts))


class PinnedConnection(HTTPSConnection):
    """Speaks to one address, and wants the certificate of the name."""

    def __init__(self, host: str, address: str) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, 443, timeout=TIMEOUT_S, context=self._tls)
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), TIMEOUT_S)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
