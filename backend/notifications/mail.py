"""Sending e-mail through the server that the installation names."""

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from backend import clock
from backend.notifications.web import SendFailed
from backend.settings import Settings

TIMEOUT_S: Final = 20.0


def send_mail(settings: Settings, addresses: Sequence[str], subject: str, text: str, message_id: UUID) -> None:
    """One message to all ``addresses``, none of which sees the others; SendFailed.

    The same ``message_id`` again is the same message again: a mailbox can tell.
    """
    if settings.smtp_url is None or settings.mail_from is None:
        raise SendFailed("no_mail_server")
    message = EmailMessage()
    message["From"], message["Subject"] = settings.mail_from, subject
    message["To"] = "undisclosed-recipients:;"
    message["Date"] = format_datetime(clock.utc(clock.now_ms()))
    message["Message-ID"] = f"<{message_id}@saolou.invalid>"
    message.set_content(text)
    try:
        with _server(settings.smtp_url) as server:
            refused = server.send_message(message, settings.mail_from, list(addresses))
    except smtplib.SMTPResponseException as error:
        raise SendFailed(f"smtp_{error.smtp_code}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise SendFailed(type(error).__name__) from error
    if refused:
        raise SendFailed("some_refused")


def _server(url: str) -> smtplib.SMTP:
    """A connection, encrypted whenever it can be; nobody's password is sent in the clear."""
    parts = urlsplit(url)
    host, context = parts.hostname or "", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_S)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif parts.username:
            server.close()
            raise SendFailed("smtp_without_tls")
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server
