"""Texts and shared pieces of the API's description."""

from typing import Any, Final

from mobile_contract.version import PROTOCOL

ABOUT: Final = (
    "扫楼：入户安全排查、隐患整改与例会简报。"
    "Door-to-door safety sweeps, rectification tasks, and the meeting's papers.\n\n"
    "`/sync/v1` 供手机应用使用，含义见 PROTOCOL.md；`/api/v1` 供办公端使用。"
    "`/sync/v1` is the phones' (its meaning is in PROTOCOL.md), `/api/v1` the office's.\n\n"
    "错误为 `application/problem+json`，`detail` 默认中文，`Accept-Language: en` 时为英文。"
    "Errors are problem documents, in Chinese unless `Accept-Language` asks for English. "
    "Every answer carries `X-Request-Id`. Readers ignore fields and values they do not know. "
    "Names ending in `_ms` are milliseconds since 1970."
)

#: What a status means, in Chinese and English.
STATUSES: Final = {
    400: "请求无法读取 · Cannot be read",
    401: "未登录或登录失效 · Not signed in",
    403: "无权操作 · Not allowed",
    404: "不存在或无权查看 · Not found, or not yours to see",
    409: "与现状冲突 · In conflict with what is there",
    410: "已不存在 · Gone",
    412: "已被他人更改 · Changed meanwhile",
    413: "内容过大 · Too large",
    415: "内容类型不对 · Wrong type of content",
    422: "内容不正确 · Not valid",
    423: "正被占用 · Locked",
    426: "须升级应用 · Update the app",
    428: "须带 If-Match · If-Match is needed",
    429: "过于频繁 · Too often",
    460: "校验不符 · Checksum differs",
    503: "暂不可用 · Not available for now",
}

#: Header → (statuses of problems that carry it, its description).
HEADERS: Final[dict[str, tuple[tuple[int, ...], dict[str, Any]]]] = {
    "Retry-After": (
        (429, 503),
        {"description": "多少秒后再试 · Seconds to wait", "schema": {"type": "integer", "minimum": 1}},
    ),
    "WWW-Authenticate": ((401,), {"description": "Bearer", "schema": {"type": "string"}}),
}

PARAMETERS: Final[dict[str, Any]] = {
    "X-Community": {
        "in": "header",
        "name": "X-Community",
        "description": "当前社区；服务于多个社区时必填 · The active community; needed by accounts of several",
        "schema": {"type": "string"},
    },
    "X-Protocol": {
        "in": "header",
        "name": "X-Protocol",
        "description": "手机协议版本 · The phone protocol spoken",
        "schema": {"type": "string", "default": str(PROTOCOL)},
    },
    "Content-Encoding": {
        "in": "header",
        "name": "Content-Encoding",
        "description": "请求体的压缩方式；大小按解压后计 · Limits count decompressed bytes",
        "schema": {"type": "string", "enum": ["identity", "gzip", "zstd"], "default": "identity"},
    },
}

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). Further members, by `code`, may be there.",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "description": "Stable; never reused"},
        "detail": {"type": "string", "description": "For people, in the caller's language"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the request"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string"},
        "dead_id": {"type": "string", "format": "uuid", "description": "Of a push: under which its bytes are kept"},
        "max_records": {"type": "integer", "description": "With 413"},
        "max_bytes": {"type": "integer", "description": "With 413"},
        "retry_after_s": {"type": "integer", "description": "With 429 and 503"},
    },
}

SERVER_ERROR: Final[dict[str, Any]] = {
    "description": "系统出错或暂不可用，请稍后重试同一请求 · Failed or not available; send the same later",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}
