"""The blueprint of all features: OpenAPI by flask-smorest, a mandatory guard, and one transaction a request.

The frame's order is fixed: read the body, check the rate limit, open the transaction, admit the caller, run the
view, commit, run what waits for the commit, and only then answer.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import flask
import flask_smorest
from flask import g, request

from backend.errors import DomainError
from backend.http.body import MAX_BYTES, BodyTooLarge, BodyUnreadable, read_body
from backend.http.context import RequestContext, runtime
from backend.http.guards import PUBLIC, Guard
from backend.http.limits import TooManyRequests

View = Callable[..., Any]


def framed(view: View, guard: Guard, keep_broken_body: bool, limit: Callable[[], None] | None, max_bytes: int) -> View:
    """``view`` inside the request frame. It is called as ``view(ctx, *parsed_arguments, **url_values)``."""

    @wraps(view)
    def endpoint(*args: Any, **url_values: Any) -> Any:
        load_body(keep_broken_body, max_bytes)
        if limit is not None:
            limit()
        wiring = runtime()
        with wiring.db.transaction() as session:
            actor = guard.admit(session, wiring)
            g.actor = actor
            answer = view(RequestContext(session, wiring, actor), *args, **url_values)
        return answer  # noqa: RET504  (after the commit)

    vars(endpoint)["guard"] = guard
    return endpoint


def load_body(keep_broken: bool, max_bytes: int = MAX_BYTES) -> None:
    """Read the body into Flask's own cache; a route that keeps broken bodies finds the error in ``g.body_error``."""
    g.body_error = None
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    try:
        body = read_body(max_bytes)
    except (BodyUnreadable, BodyTooLarge) as error:
        if not keep_broken or isinstance(error, BodyTooLarge):
            raise
        g.body_error, body = error, error.raw
    # webargs and Flask read the body through this cache; there is no public way to replace a compressed body.
    request._cached_data = body


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """flask-smorest's blueprint whose routes must name a guard.

    ``raises`` are the route's own errors, for its description; what every route may answer is added by
    ``backend.http.openapi``.
    """

    def route(
        self,
        rule: str,
        *,
        guard: Guard | None = None,
        keep_broken_body: bool = False,
        limit: Callable[[], None] | None = None,
        max_bytes: int = MAX_BYTES,
        raises: Iterable[type[DomainError]] = (),
        parameters: list[Any] | None = None,
        tags: list[str] | None = None,
        **options: Any,
    ) -> Callable[[View], View]:
        if guard is None:
            raise TypeError(f"{self.name}: {rule} names no guard; say PUBLIC if anybody may call it")
        register = super().route(rule, parameters=parameters, tags=tags, **options)

        def decorator(view: View) -> View:
            framed_view = framed(view, guard, keep_broken_body, limit, max_bytes)
            vars(framed_view)["raises"] = (*raises, *((TooManyRequests,) if limit else ()))
            register(framed_view)
            return framed_view

        return decorator

    def files(self, rule: str, view: View) -> None:
        """Serve ready-made files to anybody, outside the frame: no transaction, and no part of the described API."""
        if not hasattr(view, "guard"):
            vars(view)["guard"] = PUBLIC
        flask.Blueprint.add_url_rule(self, rule, view_func=view, methods=["GET"])

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().arguments(schema, location=location, **options)
        return decorator

    def response(
        self, status_code: int, schema: Any = None, *, description: str | None = None, **options: Any
    ) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().response(status_code, schema, description=description, **options)
        return decorator

    def doc(self, **fragment: Any) -> Callable[[View], View]:
        decorator: Callable[[View], View] = super().doc(**fragment)
        return decorator

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["GET"], **options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["POST"], **options)

    def put(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["PUT"], **options)

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route(rule, methods=["DELETE"], **options)
