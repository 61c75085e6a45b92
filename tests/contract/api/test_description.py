"""The committed description is the application's own, and says what every route needs."""

import json
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from backend.commands.openapi import CONTRACT, described
from backend.http import PUBLIC, Blueprint
from backend.http.factory import make_app
from backend.http.openapi import METHODS, document
from mobile_contract.error_codes import CODES

COMMITTED = json.loads(CONTRACT.read_text(encoding="utf-8"))
OPERATIONS = {
    f"{method.upper()} {path}": item[method]
    for path, item in COMMITTED["paths"].items()
    for method in METHODS
    if method in item
}
PUBLIC_PATHS = {
    *(f"POST /sync/v1/auth/{deed}" for deed in ("login", "refresh", "logout")),
    "POST /api/v1/password-code",
}


def test_committed_description_is_the_applications_own() -> None:
    assert CONTRACT.read_text(encoding="utf-8") == described(), "run: python -m backend.commands.openapi"


def test_served_description_is_the_committed_one(app: Flask) -> None:
    answer = app.test_client().get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json == COMMITTED


def test_every_operation_says_who_may_call() -> None:
    public = {name for name, operation in OPERATIONS.items() if not operation["security"]}
    assert public == PUBLIC_PATHS
    assert all({"bearer": []} in operation["security"] for name, operation in OPERATIONS.items() if name not in public)


def test_every_operation_has_a_name_a_summary_and_a_problem_for_every_refusal() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(names) == len(set(names))
    for name, operation in OPERATIONS.items():
        assert operation["summary"], name
        assert any(status.startswith("2") for status in operation["responses"]), name
        for status, answer in operation["responses"].items():
            if status[0] == "4":
                assert list(answer["content"]) == ["application/problem+json"], f"{name} {status}"


def test_statuses_of_phone_codes_are_those_of_the_contract() -> None:
    for name, operation in OPERATIONS.items():
        if "/sync/v1/" not in name:
            continue
        for status, answer in operation["responses"].items():
            for code in CODES.keys() & set(answer.get("description", "").split("`")):
                assert CODES[code].status == int(status), f"{name}: {code}"


def test_all_schemas_are_json_schemas() -> None:
    for name, schema in COMMITTED["components"]["schemas"].items():
        jsonschema_rs.validator_for({**schema, "components": COMMITTED["components"]}), name


def test_two_operations_of_one_name_are_refused(app: Flask) -> None:
    def twice(name: str) -> Blueprint:
        blueprint = Blueprint(name, __name__, url_prefix=f"/api/{name}")

        @blueprint.get("", guard=PUBLIC)
        @blueprint.response(204)
        def look(_: Any) -> None:
            return None

        return blueprint

    with pytest.raises(ValueError, match="named look"):
        document(make_app(app.extensions["saolou"], [twice("a"), twice("b")]))


def test_method_that_is_not_offered_answers_405_with_allow(app: Flask) -> None:
    answer = app.test_client().put("/sync/v1/push")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.json["code"] == "method_not_allowed"
