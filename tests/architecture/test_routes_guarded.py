"""P6, the routes: each names a guard, and nobody unknown passes one that is not public."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from backend.app import create_app
from backend.db import Database
from backend.http import PUBLIC, Blueprint, Guard, RequestContext
from backend.http.context import Actor, Runtime
from backend.settings import Settings

#: All that anybody may call. A route that is public by mistake is not in this list.
PUBLIC_RULES = {
    "/sync/v1/auth/login",
    "/sync/v1/auth/refresh",
    "/sync/v1/auth/logout",
    "/api/v1/password-code",
    "/",
    "/login",
    "/healthz",
    "/readyz",
    "/metrics",
}
#: Served by flask-smorest itself: the description of the API.
OPENAPI = "/api/openapi.json"
SAMPLES = {"UUIDConverter": lambda: str(uuid4()), "IntegerConverter": lambda: "1", "FloatConverter": lambda: "1.0"}


@pytest.fixture
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings, db)


def rules(app: Flask) -> Iterator[tuple[Rule, Guard | None]]:
    for rule in app.url_map.iter_rules():
        if rule.rule != OPENAPI:
            yield rule, getattr(app.view_functions[rule.endpoint], "guard", None)


def unguarded(app: Flask) -> set[str]:
    """Rules without a guard, and public ones that nobody listed."""
    return {
        rule.rule for rule, guard in rules(app) if guard is None or (guard.public and rule.rule not in PUBLIC_RULES)
    }


def path_of(rule: Rule) -> str:
    path = rule.rule
    for name, converter in rule._converters.items():
        sample = SAMPLES.get(type(converter).__name__, lambda: "x")()
        _, _, rest = path.partition("<")
        spelled = "<" + rest.partition(">")[0] + ">"
        assert name in spelled
        path = path.replace(spelled, sample, 1)
    return path


def open_to_strangers(app: Flask) -> set[str]:
    """Non-public rules that answer anything but 401 to a call without a token, or with a made-up one."""
    client: FlaskClient = app.test_client()
    opened = set()
    for rule, guard in rules(app):
        if guard is not None and guard.public:
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}):
                answer = client.open(path_of(rule), method=method, json={}, headers=headers)
                problem = answer.get_json(silent=True) or {}
                if answer.status_code != 401 or problem.get("code") not in ("not_signed_in", "token_unknown"):
                    opened.add(f"{method} {rule.rule}")
    return opened


def test_every_route_has_a_guard(app: Flask) -> None:
    assert unguarded(app) == set()


def test_every_guarded_route_refuses_strangers(app: Flask) -> None:
    assert open_to_strangers(app) == set()
    assert sum(1 for _, guard in rules(app) if guard and not guard.public) >= 12


def test_declare_route_without_guard_raises() -> None:
    blueprint = Blueprint("leak", __name__)
    for declare in (blueprint.get, blueprint.post, blueprint.put, blueprint.delete, blueprint.patch, blueprint.route):
        with pytest.raises(TypeError, match="names no guard"):
            declare("/leak")(lambda ctx: None)


def test_walk_finds_a_plain_flask_view(app: Flask) -> None:
    app.add_url_rule("/leak", view_func=lambda: "everything", endpoint="leak")
    assert "/leak" in unguarded(app)
    assert open_to_strangers(app) == {"GET /leak"}


def test_walk_finds_a_route_public_by_mistake(app: Flask) -> None:
    blueprint = Blueprint("leak", __name__)

    @blueprint.get("/leak", guard=PUBLIC)
    def leak(ctx: RequestContext) -> str:
        return "everything"

    app.register_blueprint(blueprint)
    assert "/leak" in unguarded(app)


def test_walk_finds_a_guard_that_admits_strangers(app: Flask) -> None:
    class Careless(Guard):
        def admit(self, session: Session, runtime: Runtime) -> Actor | None:
            return None

    blueprint = Blueprint("leak", __name__)

    @blueprint.get("/leak/<uuid:thing>", guard=Careless())
    def leak(ctx: RequestContext, thing: object) -> str:
        return "everything"

    app.register_blueprint(blueprint)
    assert "/leak/<uuid:thing>" not in unguarded(app)
    assert open_to_strangers(app) == {"GET /leak/<uuid:thing>"}
