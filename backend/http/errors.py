"""The one renderer of errors: ``application/problem+json`` (RFC 9457), in Chinese unless English is asked for."""

import re
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, current_app, g, request
from marshmallow import fields
from werkzeug.exceptions import HTTPException

from backend.errors import DomainError, FieldError
from backend.http.messages import sentence

#: Codes of errors that the web framework raises by itself.
HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_input",
    429: "too_many_requests",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
#: What the phone contract calls the same things.
PHONE_CODES = {400: "body_unreadable", 422: "envelope_invalid"}


def language() -> str:
    """``zh`` or ``en``, by the request's Accept-Language; Chinese when nothing is said."""
    return request.accept_languages.best_match(["zh", "zh-CN", "en"], default="zh")[:2]


def problem(
    code: str, status: int, *, details: dict[str, Any] | None = None, errors: list[FieldError] | None = None
) -> Response:
    """A problem document. ``details`` become members of it; each of ``errors`` gets a pointer and a sentence."""
    details, tongue = details or {}, language()
    body: dict[str, Any] = {
        "type": f"urn:saolou:error:{code}",
        "title": code,
        "status": status,
        "code": code,
        "detail": sentence(code, tongue, details),
        "errors": [
            {"pointer": e.pointer, "code": e.code, "detail": sentence(e.code, tongue, e.details)} for e in errors or []
        ],
        "request_id": g.get("request_id") or str(uuid4()),
    }
    for key, value in details.items():
        body.setdefault(key, value)
    return Response(current_app.json.dumps(body), status, mimetype="application/problem+json")


def webargs_errors(messages: Any, pointer: str = "") -> list[FieldError]:
    """marshmallow's nested messages as a flat list with JSON pointers (the location level is dropped)."""
    if isinstance(messages, dict):
        flat: list[FieldError] = []
        for key, value in messages.items():
            is_location = not pointer and key in ("json", "query", "headers", "json_or_form")
            at = pointer if is_location else f"{pointer}/{shown_key(key)}"
            flat += webargs_errors(value, at)
        return flat
    return [_field_error(pointer, str(message)) for message in messages]


def shown_key(key: object) -> str:
    """A key of a body as an error names it: whatever cannot be a field's name is not repeated, it may be somebody's."""
    return str(key) if isinstance(key, int) or _NAME.fullmatch(str(key)) else "?"


def _field_error(pointer: str, why: str) -> FieldError:
    """Phones are told the codes of their contract; at the office marshmallow's own words follow."""
    if request.path.startswith("/sync/"):
        return FieldError(pointer, "required" if why == fields.Field.default_error_messages["required"] else "invalid")
    return FieldError(pointer, "invalid_value", {"why": why})


def on_domain_error(error: DomainError) -> Response:
    response = problem(error.code, error.status, details=error.details, errors=error.errors)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_s" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after_s"])
    return response


def on_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    errors = webargs_errors(getattr(error, "data", {}).get("messages", {}))
    codes = {**HTTP_CODES, **PHONE_CODES} if request.path.startswith("/sync/") else HTTP_CODES
    response = problem(codes.get(status, "http_error"), status, errors=errors)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def on_unexpected_error(error: Exception) -> Response:
    structlog.get_logger().exception("unexpected_error", path=request.path)
    return problem("internal_error", 500)


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(DomainError, on_domain_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_unexpected_error)
