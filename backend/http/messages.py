"""Sentences for people, by error code, in Chinese and English. Each says what to do.

A feature adds its own with :func:`add_messages` beside its errors; codes are never reused.
"""

from typing import Any

from mobile_contract.error_codes import CODES

#: code → (zh, en). Values in braces come from the error's details.
MESSAGES: dict[str, tuple[str, str]] = {
    "bad_request": ("请求无法识别，请检查格式。", "The request cannot be read; check its form."),
    "not_found": ("没有找到，或无权查看。", "Not found, or not yours to see."),
    "method_not_allowed": ("此地址不支持该操作。", "This address does not offer that method."),
    "not_acceptable": ("无法提供所要求的格式。", "The format asked for is not offered."),
    "unsupported_media_type": ("请以 application/json 发送。", "Send application/json."),
    "body_too_large": (
        "内容过大：最多 {max_bytes} 字节，请减半后重发。",
        "Too large: at most {max_bytes} bytes. Halve it and resend.",
    ),
    "body_unreadable": (
        "压缩内容损坏或格式未知，请不压缩重发。",
        "The body's compression is broken or unknown; resend it uncompressed.",
    ),
    "invalid_input": ("输入有误，请按提示逐项修改。", "The input is not right; mend each field named."),
    "invalid_value": ("此项有误：{why}", "Not valid: {why}"),
    "too_many_requests": ("操作过于频繁，请稍后再试。", "Too many requests; try again later."),
    "internal_error": (
        "系统出错，已记录，请稍后重试或联系管理员并提供编号。",
        "Something failed and was logged; retry later or give the administrator the request id.",
    ),
    "http_error": ("请求未完成，请稍后再试。", "The request did not complete; try again later."),
    "not_signed_in": ("请先登录。", "Sign in first."),
    "permission_denied": ("您的角色无权进行此操作。", "Your role may not do this."),
    "community_required": (
        "您服务于多个社区，请先选择社区（X-Community）。",
        "You serve several communities; name one in X-Community.",
    ),
    "bad_cursor": ("翻页位置无效，请从头开始。", "The page cursor is not valid; start from the first page."),
}


def add_messages(messages: dict[str, tuple[str, str]]) -> None:
    """Add a feature's sentences; a code that exists with another text is a programming error."""
    for code, texts in messages.items():
        if MESSAGES.setdefault(code, texts) != texts:
            raise ValueError(f"message code {code!r} is taken")


def sentence(code: str, tongue: str, details: dict[str, Any]) -> str:
    """The sentence for ``code`` in ``zh`` or ``en``: the office's, else the phone contract's, else the code itself."""
    texts = MESSAGES.get(code)
    if texts is None and code in CODES:
        texts = (CODES[code].zh, CODES[code].en)
    if texts is None:
        return code
    try:
        return texts[1 if tongue == "en" else 0].format(**details)
    except KeyError:
        return texts[1 if tongue == "en" else 0]
