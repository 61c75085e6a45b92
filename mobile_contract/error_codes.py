"""Every error code a phone may meet. A code is never reused and never changes its meaning.

`CODES` maps code → `ErrorCode`. `where` says where the code appears:

- `http`: `code` of an `application/problem+json` body, with that HTTP status;
- `record`: in `errors` of one push result (or of a `record_status`), the record is quarantined;
- `answer`: the same, about one answer of a form or of the visit's header;
- `fold`: the record, or one block of it, is stored but takes no effect; shown to a supervisor with this reason.

Texts are templates for `str.format_map`; a missing value must not raise, so use `message()`.
The `answer` codes, and `required`, are produced by the forms package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Where = Literal["http", "record", "answer", "fold"]
Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code: where it appears, its HTTP status (only for `http`), and its texts."""

    code: str
    where: Where
    status: int | None
    zh: str
    en: str


_HTTP: Final = (
    ("body_unreadable", 400, "请求内容无法读取", "The body could not be decompressed or read"),
    ("envelope_invalid", 422, "请求外层字段不正确", "The envelope's own fields are wrong"),
    ("community_required", 422, "请指明社区", "Name the community"),
    ("body_too_large", 413, "请求过大", "The body holds too many records or bytes"),
    ("login_failed", 401, "账号或密码不正确", "Unknown user name or wrong password"),
    ("not_signed_in", 401, "请先登录", "No bearer token"),
    ("token_unknown", 401, "登录凭证无效", "The token is not known"),
    ("token_expired", 401, "登录已过期，请刷新", "The access token has expired; refresh it"),
    ("refresh_reused", 401, "登录凭证已被使用，请重新登录", "A spent refresh token came back; log in again"),
    ("device_revoked", 401, "本设备已被停用", "This device was revoked; it may only push"),
    ("permission_denied", 403, "没有权限", "Not allowed (never on push)"),
    ("protocol_too_old", 426, "请升级应用后再拉取", "Update the app to pull; pushing still works"),
    ("too_many_requests", 429, "请求过于频繁，请稍后再试", "Too many requests; wait for Retry-After"),
    ("internal_error", 500, "系统出错，请稍后重试", "Something failed; send the same body later"),
    ("not_found", 404, "没有这个地址", "There is no such route"),
    ("method_not_allowed", 405, "不支持此方法", "The route does not know this method"),
    ("unavailable", 503, "服务暂不可用，请稍后再试", "Try again after Retry-After"),
    ("tus_version_unknown", 412, "须带 Tus-Resumable: 1.0.0", "Send Tus-Resumable: 1.0.0"),
    ("chunk_type_unknown", 415, "须以 application/offset+octet-stream 发送", "Send application/offset+octet-stream"),
    ("upload_invalid", 422, "上传的请求头不正确", "A header of the upload is wrong"),
    ("upload_unknown", 404, "没有这个上传", "There is no such upload: announce it (again)"),
    ("upload_expired", 410, "上传已过期，请重新开始", "Left unfinished for too long: announce it again"),
    ("upload_locked", 423, "该文件正在上传，请稍后再试", "Another request is writing to this upload: a moment later"),
    ("upload_finished", 409, "文件已完整保存，不能撤销", "The whole file is here and cannot be terminated"),
    ("offset_mismatch", 409, "续传位置不符，请先查询", "The server stands at another offset: HEAD, then go on"),
    ("checksum_mismatch", 460, "分块校验不符，请重发", "The chunk was damaged on its way: send it again"),
    ("file_begins_anew", 409, "文件校验不符，已从头开始", "The whole file has another SHA-256: it begins anew at 0"),
    ("file_hash_mismatch", 422, "文件校验多次不符，已拒收", "The whole file has another SHA-256, three times: refused"),
    ("file_too_large", 413, "文件过大", "The file is larger than `Tus-Max-Size`, or than announced"),
    (
        "attachment_kind_unknown",
        422,
        "只能上传 JPEG、PNG 图片或 PDF",
        "Not JPEG, PNG or PDF, or not what was said",
    ),
    ("image_too_large", 422, "图片像素过多", "More pixels than any camera takes"),
    ("declared_otherwise", 422, "与记录所申报的不符", "The record declares another hash, size or type for this id"),
    ("attachment_id_reused", 422, "同一编号已用于另一文件", "Another file was announced under this id"),
    ("upload_quota", 429, "未完成的上传过多", "Too many unfinished uploads of this installation"),
    ("storage_full", 503, "服务器空间不足，照片请稍后再传", "No room for files now; records are still taken in"),
)

_RECORD: Final = (
    ("record_unreadable", "记录无法解析", "These bytes are no JSON record"),
    ("record_invalid", "记录格式不正确", "The record's envelope is wrong"),
    ("id_invalid", "记录编号不是 UUID", "The record has no UUID as id"),
    ("id_reused", "同一编号已用于另一条记录", "The same id already names other bytes"),
    ("hash_mismatch", "内容与校验值不符", "The payload's SHA-256 differs from sha256"),
    ("type_unknown", "未知的记录类型", "This record type is not known yet"),
    ("schema_version_unknown", "未知的版本", "This schema version is not known yet"),
    ("payload_not_json", "内容不是 JSON", "The payload is no JSON object"),
    ("nul_character", "内容含有空字符", "Text contains U+0000"),
    ("lone_surrogate", "内容含有残缺的字符", "Text contains half of a surrogate pair"),
    ("integer_out_of_range", "整数超出范围", "An integer lies beyond ±(2^53−1)"),
    ("number_not_finite", "数字不是有限值", "A number is NaN, infinite or too large"),
    ("nesting_too_deep", "嵌套过深", "Nested deeper than 64 levels"),
    ("required", "必填项未填", "A required field or answer is missing"),
    ("invalid", "字段不正确", "A field has the wrong type or an unknown value"),
    ("body_missing", "缺少记录主体", "The record has no body of its type"),
    ("body_unexpected", "记录主体多余", "The record has a body its type does not allow"),
    ("amends_and_voids", "更正与作废不能同时填写", "A record cannot both amend and void"),
    ("community_mismatch", "账号不属于该社区", "The account does not belong to the named community"),
    ("community_unnamed", "未指明社区", "The account has several communities; the push named none"),
    ("install_mismatch", "设备编号与登录不符", "The envelope's install_id is not the token's"),
    (
        "author_unknown",
        "填报人未在本机登录过，或在本社区没有外业角色；请以填报人身份在本机登录，再请社区重新入库",
        "Its author never signed in on this phone, or has no field role here: sign in as that author, then requeue",
    ),
    ("device_is_revoked", "本设备已被停用", "Pushed with a revoked device's token"),
    ("quarantine_full", "隔离区已满", "This device's quarantine is full; status `retry`, kept on the phone"),
)

_ANSWER: Final = (
    ("bad_type", "类型不符", "The answer has another type"),
    ("bad_choice", "不是可选的选项", "Not one of the choices"),
    ("out_of_range", "超出允许范围", "Too small or too large"),
    ("too_long", "文字过长", "The text is too long"),
    ("too_many", "数量过多", "Too many items"),
    ("duplicate", "重复", "An item is there twice"),
    ("bad_text", "含有不能保存的字符", "Text with characters that cannot be kept"),
    ("bad_format", "格式不正确", "Not in the form it must have"),
)

_FOLD: Final = (
    ("not_root", "更正或作废的不是原始记录", "amends/voids must name a root record"),
    ("not_author", "只有填报人或主管可以更正", "Only the author or a supervisor may correct"),
    ("reason_missing", "主管更正须说明理由", "A supervisor's correction needs a reason"),
    ("type_differs", "更正的记录类型不同", "The correction has another record type"),
    ("place_kind_invalid", "该表单不适用于此类对象", "The form cannot be filled for this kind of place"),
)


def _build() -> dict[str, ErrorCode]:
    codes = {code: ErrorCode(code, "http", status, zh, en) for code, status, zh, en in _HTTP}
    groups: tuple[tuple[Where, tuple[tuple[str, str, str], ...]], ...] = (
        ("record", _RECORD),
        ("answer", _ANSWER),
        ("fold", _FOLD),
    )
    for where, rows in groups:
        for code, zh, en in rows:
            if code in codes:
                raise ValueError(f"error code used twice: {code}")
            codes[code] = ErrorCode(code, where, None, zh, en)
    return codes


CODES: Final[Mapping[str, ErrorCode]] = _build()


def message(code: str, language: Language = "zh") -> str:
    """Text of a code in `zh` or `en`; an unknown code is its own text."""
    known = CODES.get(code)
    if known is None:
        return code
    return known.en if language == "en" else known.zh
