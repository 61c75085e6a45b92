"""The blueprint of all features: OpenAPI by flask-smorest, a mandatory guard, and one transaction a request.

The frame's order is fixed: read the body, check the rate limit, open the transaction, admit the caller, run the
view, note in the audit trail what it was called to change, commit, run what waits for the commit, and only then answer.
"""

from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any

import flask_smorest
from flask import g, request

from backend.errors import DomainError
from backend.http.body import MAX_BYTES, BodyTooLarge, BodyUnreadable, read_body, read_what_comes
from backend.http.context import RequestContext, runtime
from backend.http.guards import Guard
from backend.http.limits import TooManyRequests

View = Callable[..., Any]
READING = ("GET", "HEAD", "OPTIONS")


def framed(view: View, guard: Guard, read: Callable[[], None], limit: Callable[[], None] | None, notes: bool) -> View:
    """``view`` inside the request frame, after ``read`` has read the body.

    It is called as ``view(ctx, *parsed_arguments, **url_values)``.
    """

    @wraps(view)
    def endpoint(*args: Any, **url_values: Any) -> Any:
        read()
        if limit is not None:
            limit()
        wiring = runtime()
        with wiring.db.transaction() as session:
            actor = guard.admit(session, wiring)
            g.actor = actor
            ctx = RequestContext(session, wiring, actor)
            answer = view(ctx, *args, **url_values)
            if notes and request.method not in READING and actor is not None and actor.community_id is not None:
                wiring.note_write(ctx, guard.permission, f"{request.method} {request.url_rule}", url_values)
        return answer

    vars(endpoint)["guard"] = guard
    return endpoint


def load_body(keep_broken: bool, max_bytes: int = MAX_BYTES) -> None:
    """Read the body into Flask's own cache; a route that keeps broken bodies finds the error in ``g.body_error``."""
    g.body_error = None
    if request.method in READING:
        return
    try:
        body = read_body(max_bytes)
    except (BodyUnreadable, BodyTooLarge) as error:
        if not keep_broken or isinstance(error, BodyTooLarge):
            raise
        g.body_error, body = error, error.raw
    # webargs and Flask read the body through this cache; there is no public way to replace a compressed body.
    request._cached_data = body


def load_what_comes(max_bytes: int) -> None:
    """Read the body as far as it comes: a phone that is cut off has still sent what arrived."""
    if request.method not in READING:
        request._cached_data = read_what_comes(max_bytes)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """flask-smorest's blueprint whose routes must name a guard.

    ``raises`` are the route's own errors, for its description; what every route may answer is added by
    ``backend.http.openapi``. Whatever is called to change something is noted in the audit trail, unless ``notes`` is
    False: for a call that only reads, or whose feature notes what it changed by itself.
    """

    def route(
        self,
        rule: str,
        *,
        guard: Guard | None = None,
        keep_broken_body: bool = False,
        keep_cut_body: bool = False,
        limit: Callable[[], None] | None = None,
        max_bytes: int = MAX_BYTES,
        notes: bool = True,
        raises: Iterable[type[DomainError]] = (),
        parameters: list[Any] | None = None,
        tags: list[str] | None = None,
        **options: Any,
    ) -> Callable[[View], View]:
        if guard is None:
            raise TypeError(f"{self.name}: {rule} names no guard; say PUBLIC if anybody may call it")
        read = partial(load_what_comes, max_bytes) if keep_cut_body else partial(load_body, keep_broken_body, max_bytes)
        register = super().route(rule, parameters=parameters, tags=tags, **options)

        def decorator(view: View) -> View:
            framed_view = framed(view, guard, read, limit, notes)
            vars(framed_view)["notes"] = notes
            vars(framed_view)["raises"] = (*raises, *((TooManyRequests,) if limit else ()))
            register(framed_view)
            return framed_view

        return decorator

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
