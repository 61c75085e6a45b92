"""Messages as the robots of 企业微信 and 钉钉 groups take them, and what their answers mean.

Both take at most twenty messages a minute. A 钉钉 robot with 加签 wants the time and an HMAC of it in the address.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus

from backend.notifications.web import SendFailed, post_json
from backend.settings import Settings

#: The longest text of a 企业微信 robot, in bytes; the other takes more.
LONGEST: Final = 2048
ELLIPSIS: Final = "…"


def text_message(text: str) -> dict[str, Any]:
    """A plain text message; both robots take the same shape. Cut by whole characters."""
    return {"msgtype": "text", "text": {"content": cut(text, LONGEST)}}


def cut(text: str, longest: int) -> str:
    """``text``, or as much of it as fits into ``longest`` bytes of UTF-8 with an ellipsis."""
    raw = text.encode()
    if len(raw) <= longest:
        return text
    return raw[: longest - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def signed(url: str, secret: str, now_ms: int) -> str:
    """The address of a 钉钉 robot with 加签: HMAC-SHA256 of "time newline secret" under the secret."""
    digest = hmac.digest(secret.encode(), f"{now_ms}\n{secret}".encode(), hashlib.sha256)
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}timestamp={now_ms}&sign={quote_plus(base64.b64encode(digest))}"


def send_to_robot(kind: str, config: Mapping[str, Any], text: str, settings: Settings, now_ms: int) -> None:
    """Post ``text``; SendFailed unless the robot says that it took it."""
    url, secret = str(config["url"]), config.get("secret")
    if kind == "dingtalk" and secret:
        url = signed(url, str(secret), now_ms)
    answer = post_json(url, text_message(text), settings)
    if answer.get("errcode") != 0:
        code = answer.get("errcode")
        raise SendFailed(f"errcode_{code}" if isinstance(code, int) else "errcode_missing")
