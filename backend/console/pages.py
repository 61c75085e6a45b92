"""The pages a browser opens: sign in, then the papers. Reading only; everything else is the API's."""

from typing import Any
from uuid import UUID, uuid4

from flask import Response, redirect, request
from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Response as AnyResponse

from backend.errors import DomainError
from backend.http import PUBLIC, Blueprint, RequestContext, requires
from backend.http.errors import on_domain_error
from backend.http.guards import COOKIE, NotSignedIn
from backend.http.limits import limit_page_log_in
from backend.identity import tokens
from backend.identity.models import Community
from backend.meetings import queries
from backend.meetings.periods import period_from

blueprint = Blueprint("pages", __name__, url_prefix="")
templates = Environment(
    loader=PackageLoader("backend.console", "templates"), autoescape=True, undefined=StrictUndefined
)
PAPERS_SHOWN = 20


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page; its one form may be sent to this server only."""
    response = Response(templates.get_template(template).render(values), status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return response


@blueprint.get("/", guard=PUBLIC)
@blueprint.doc(responses={"303": {"description": "To the papers, or to sign in"}})
def enter(_: RequestContext) -> AnyResponse:
    """Where a browser arrives."""
    return redirect("/papers" if request.cookies.get(COOKIE) else "/login", 303)


@blueprint.get("/login", guard=PUBLIC)
@blueprint.doc(responses={"200": {"description": "A page", "content": {"text/html": {}}}})
def show_log_in(_: RequestContext) -> Response:
    """The sign-in page."""
    return page("login.html", failed=False)


@blueprint.post("/login", guard=PUBLIC, limit=limit_page_log_in)
@blueprint.doc(
    requestBody={
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {"username": {"type": "string"}, "password": {"type": "string"}},
                }
            }
        }
    },
    responses={
        "303": {"description": "Signed in: to the papers"},
        "401": {"description": "The page again", "content": {"text/html": {}}},
    },
)
def log_in(ctx: RequestContext) -> AnyResponse:
    """Sign in with a name and a password; the session is a cookie that no script can read."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        signed_in = tokens.log_in(ctx.session, username, password, uuid4(), "browser")
    except tokens.LoginFailed:
        return page("login.html", 401, failed=True)
    response = redirect("/papers", 303)
    response.set_cookie(
        COOKIE,
        signed_in.access_token,
        max_age=tokens.ACCESS_MS // 1000,
        httponly=True,
        secure=request.is_secure,
        samesite="Strict",
    )
    return response


@blueprint.get("/papers", guard=requires("paper.read"))
@blueprint.doc(responses={"200": {"description": "A page", "content": {"text/html": {}}}})
def show_papers(ctx: RequestContext) -> Response:
    """The community's papers, newest first."""
    found = queries.list_papers(
        ctx.session,
        ctx.community_id,
        kind=None,
        issued_only=bool(ctx.actor.scope_paths),
        after=None,
        limit=PAPERS_SHOWN,
    )
    rows = [_row(paper.id, paper.kind, paper.period_start_ms, paper.state) for paper in found[:PAPERS_SHOWN]]
    community = ctx.session.get_one(Community, ctx.community_id)
    return page("papers.html", community=community.name, name=ctx.actor.name, papers=rows)


def _row(paper_id: UUID, kind: str, start_ms: int, state: str) -> dict[str, str]:
    period = period_from(kind, start_ms)
    return {
        "href": f"/api/v1/papers/{paper_id}",
        "number": period.number,
        "days": f"{period.first.isoformat()} 至 {period.last.isoformat()}",
        "state": {"issued": "已印发", "draft": "草稿"}.get(state, "生成中"),
    }


def on_not_signed_in(error: DomainError) -> AnyResponse:
    """A browser that opened a page without a session is sent to sign in; a program gets its problem document."""
    asked = request.accept_mimetypes.best_match(["application/json", "text/html"])
    if request.method == "GET" and asked == "text/html":
        return redirect("/login", 303)
    return on_domain_error(error)


def _register_error_handlers(state: Any) -> None:
    for error in (NotSignedIn, tokens.TokenUnknown, tokens.TokenExpired):
        state.app.register_error_handler(error, on_not_signed_in)


blueprint.record_once(_register_error_handlers)
