"""Health and metrics, for the machines that watch this one. Nothing personal, no sign-in."""

from ipaddress import ip_address, ip_network
from typing import Any

from flask import Response, request

from backend.errors import NotFound
from backend.http import PUBLIC, Blueprint, RequestContext
from backend.operations import metrics
from backend.operations.health import check_readiness, status_of

blueprint = Blueprint("operations", __name__)
blueprint.after_app_request(metrics.observe_request)


@blueprint.get("/healthz", guard=PUBLIC)
def live(_ctx: RequestContext) -> Any:
    """The process answers."""
    return {"status": "alive"}


@blueprint.get("/readyz", guard=PUBLIC)
def ready(ctx: RequestContext) -> Any:
    """200 while requests can be served (also degraded), 503 otherwise; each finding is a sentence."""
    findings = check_readiness(ctx.runtime.db, ctx.settings)
    status = status_of(findings)
    checks = [{"name": f.name, "ok": f.ok, "detail": f.detail} for f in findings]
    return {"status": status, "checks": checks}, 503 if status == "not_ready" else 200


@blueprint.get("/metrics", guard=PUBLIC)
def scrape(ctx: RequestContext) -> Response:
    """Prometheus' text format; only for the networks of ``SAOLOU_METRICS_FROM`` (default: this machine)."""
    caller = ip_address(request.remote_addr or "0.0.0.0")
    if not any(caller in ip_network(network.strip()) for network in ctx.settings.metrics_from):
        raise NotFound
    return Response(metrics.render(ctx.runtime), mimetype="text/plain; version=0.0.4; charset=utf-8")
