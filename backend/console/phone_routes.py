"""Serves the phone's app at ``/m/``: files that were built beforehand, without a session and without the database."""

from functools import partial
from pathlib import Path

from flask import Response, redirect, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from backend.http import Blueprint
from backend.phone_build import INDEX, find_built
from backend.settings import PROJECT

blueprint = Blueprint("phone-app", __name__, url_prefix="/m")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
#: Names under here carry the hash of their content.
IMMUTABLE = "assets/"
YEAR_S = 365 * 24 * 3600
TYPES = {".webmanifest": "application/manifest+json", ".js": "text/javascript", ".svg": "image/svg+xml"}
NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>扫楼</title>
<h1>手机应用还没有构建</h1>
<p>服务器照常工作，只是缺少手机应用的构建结果。请在能访问软件包源的机器上重新运行
<code>python3 -m backend serve</code>，或在 <code>mobile_contract/client</code> 中运行
<code>npm ci</code>、<code>npm run types</code>、<code>npm run build</code>。</p>
<h2 lang="en">The phone's app is not built</h2>
<p lang="en">The server works; only the app's files are missing. Run <code>python3 -m backend serve</code> again where
packages can be fetched, or the three npm commands above in <code>mobile_contract/client</code>.</p></html>
"""


def show_app(name: str = INDEX) -> AnyResponse:
    """A file of the app."""
    folder = find_built(PROJECT)
    if folder is None:
        return _page(Response(NOT_BUILT, 503, mimetype="text/html"))
    if name == INDEX and request.path.endswith(INDEX):
        # One address for the page: what a service worker keeps may not have been redirected.
        return redirect("/m/", 301)
    return _file(folder, name)


def _file(folder: Path, name: str) -> AnyResponse:
    if name.startswith("built-from") or ".." in name.split("/"):
        raise NotFound
    send = partial(send_from_directory, folder, name, mimetype=TYPES.get(Path(name).suffix))
    if name.startswith(IMMUTABLE):
        response = send(max_age=YEAR_S)
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    else:
        response = send()
        response.headers["Cache-Control"] = "no-cache"
    return _page(response)


def _page(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Permissions-Policy"] = "camera=(self), geolocation=(self), microphone=()"
    return response


blueprint.files("/", show_app)
blueprint.files("/<path:name>", show_app)
