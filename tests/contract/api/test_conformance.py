"""The application answers what its description says, whatever it is sent (Schemathesis, over a real database)."""

from collections.abc import Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask, Response
from schemathesis.core.failures import FailureGroup

from backend.commands.openapi import CONTRACT
from backend.errors import Conflict
from backend.http import PUBLIC, Blueprint
from backend.http.factory import make_app
from backend.http.openapi import document
from backend.http.paging import page_schema
from backend.rectification.schemas import LabelSchema
from tests.contract.api.described import Described

CONFIG: dict[str, Any] = {
    "seed": 1,
    "generation": {"deterministic": True, "no-shrink": True, "max-examples": 3, "database": "none"},
    "phases": {"stateful": {"enabled": False}},
    "checks": {
        # Proven for every route by the walk over the URL map (tests/architecture).
        "ignored_auth": {"enabled": False},
        "negative_data_rejection": {
            "expected-statuses": [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 426, 428, 429]
        },
        "missing_required_header": {"expected-statuses": [428]},
        # A schema cannot say what a place of that kind may stand under; `names_a_reason` looks at these refusals.
        "positive_data_acceptance": {"expected-statuses": ["2xx", 400, 401, 403, 404, 409, 412, 422, 426, 428, 429]},
    },
    "operations": [
        # A record that breaks the schema is quarantined alone, and the push it came in is answered with 200.
        {"include-path": "/sync/v1/push", "checks": {"negative_data_rejection": {"enabled": False}}},
    ],
}
#: Codes that say a request has not the described form.
OF_FORM = {"bad_request", "invalid_input", "envelope_invalid"}
#: JSON Schema has no bounds for days.
EXCUSED = {"/period_start", "/inspected_on", "/reported_on"}


class Stage:
    """Schemathesis wants its tests' application when they are collected; the database is there only when they run."""

    app: Flask | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert self.app is not None
        return self.app(environ, start_response)


def on(stage: Stage, config: dict[str, Any]) -> Any:
    """The committed description, to be tried on ``stage``."""
    schema = schemathesis.openapi.from_path(CONTRACT, config=schemathesis.Config.from_dict(config))
    schema.app = stage
    return schema


stage = Stage()
schema = on(stage, CONFIG)
more = on(
    stage,
    {**CONFIG, "seed": 2, "generation": {**CONFIG["generation"], "max-examples": 100, "allow-extra-parameters": False}},
)


@pytest.fixture(scope="module", autouse=True)
def on_stage(app: Flask) -> None:
    stage.app = app


def names_a_reason(_: Any, response: Any, case: Any) -> None:
    """A request that has the described form may be refused for what it means, not for its form."""
    if not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    problem = response.json()
    wrong = [
        error["pointer"] for error in problem["errors"] if error["code"] in ("invalid_value", "invalid", "required")
    ]
    if problem["code"] in OF_FORM and (wrong or not problem["errors"]) and not set(wrong) <= EXCUSED:
        raise AssertionError(f"the description allows what is refused: {response.text}")


def check(case: Any, described: Described) -> None:
    described.steer(case)
    case.call_and_validate(
        headers={"Authorization": described.headers["Authorization"]}, additional_checks=[names_a_reason]
    )


@schema.parametrize()
def test_answers_as_described(case: Any, described: Described) -> None:
    check(case, described)


@pytest.mark.long
@more.parametrize()
def test_answers_as_described_at_length(case: Any, described: Described) -> None:
    check(case, described)


def broken_routes() -> Blueprint:
    """Routes that do not do what they say."""
    blueprint = Blueprint("broken", __name__, url_prefix="/api/v1")

    @blueprint.get("/wrong-shape", guard=PUBLIC)
    @blueprint.response(200, page_schema(LabelSchema))
    def answer_wrong_shape(_: Any) -> Any:
        return Response('{"items": "none"}', mimetype="application/json")

    @blueprint.get("/wrong-status", guard=PUBLIC)
    @blueprint.response(200, LabelSchema)
    def answer_wrong_status(_: Any) -> Any:
        return Response('{"zh": "", "en": ""}', 202, mimetype="application/json")

    @blueprint.get("/wrong-type", guard=PUBLIC)
    @blueprint.response(200, LabelSchema)
    def answer_wrong_type(_: Any) -> Any:
        return Response("fine", mimetype="text/plain")

    @blueprint.get("/undeclared-error", guard=PUBLIC)
    @blueprint.response(200, LabelSchema)
    def raise_undeclared(_: Any) -> Any:
        raise Conflict

    @blueprint.get("/crash", guard=PUBLIC)
    @blueprint.response(200, LabelSchema)
    def crash(_: Any) -> Any:
        raise RuntimeError("seeded")

    return blueprint


@pytest.mark.parametrize("path", ["wrong-shape", "wrong-status", "wrong-type", "undeclared-error", "crash"])
def test_answers_as_described_catches_a_broken_route(app: Flask, path: str) -> None:
    broken = make_app(app.extensions["saolou"], [broken_routes()])
    described_broken = schemathesis.openapi.from_dict(document(broken), config=schemathesis.Config.from_dict(CONFIG))
    described_broken.app = broken
    with pytest.raises(FailureGroup):
        described_broken[f"/api/v1/{path}"]["GET"].Case().call_and_validate()
