"""Makes the Flask application out of a runtime and blueprints: JSON, OpenAPI, errors, request ids, headers."""

import re
import time
from collections.abc import Iterable
from uuid import uuid4

import structlog
from flask import Flask, Response, abort, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.http.blueprint import Blueprint
from backend.http.context import Runtime
from backend.http.errors import register_error_handlers
from backend.http.json_provider import OrjsonProvider
from backend.http.limits import register_limits
from backend.http.openapi import Api, openapi_of
from mobile_contract.version import PROTOCOL

OPENAPI = {
    "API_TITLE": "Saolou 扫楼",
    "API_VERSION": f"v{PROTOCOL}",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/api",
    "OPENAPI_JSON_PATH": "openapi.json",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def make_app(runtime: Runtime, blueprints: Iterable[Blueprint]) -> Flask:
    """A Flask application that serves ``blueprints`` with ``runtime``."""
    app = Flask("saolou", static_folder=None)
    app.json = OrjsonProvider(app)
    app.config.update(OPENAPI)
    app.extensions["saolou"] = runtime
    api = Api(app)
    openapi_of(api)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    register_error_handlers(app)
    register_limits(app, runtime.settings.redis_url)
    app.before_request(start_request)
    app.after_request(finish_request)
    hops = runtime.settings.trusted_proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def start_request() -> None:
    """Name the request: the proxy's id when it has the form of one, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
    g.started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if "\0" in request.path:
        # No name of ours holds it, and PostgreSQL cannot even be asked.
        abort(404)


def finish_request(response: Response) -> Response:
    """Log the request by its rule (never its values) and send the security headers."""
    response.headers["X-Request-Id"] = g.get("request_id", "")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    structlog.get_logger().info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
    )
    return response
