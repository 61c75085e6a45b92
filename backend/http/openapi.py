"""The description of the API (OpenAPI 3.1), made out of the routes themselves.

flask-smorest describes arguments and answers; added here is what every route shares because the frame does it:
who may call, the headers, and the problem documents with the statuses that the guard, the body, the arguments and the
route's own ``raises`` can give. The same text is served at ``/api/openapi.json`` and committed in the contract.
"""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import flask_smorest
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask, Response, current_app
from flask_smorest.spec.plugins import FlaskPlugin
from marshmallow import Schema, fields

from backend.errors import DomainError, InvalidInput, NotFound
from backend.http.body import BodyTooLarge, BodyUnreadable
from backend.http.guards import COOKIE, CommunityRequired, DeviceRevoked, Guard, NotSignedIn, PermissionDenied
from backend.http.openapi_parts import ABOUT, HEADERS, PARAMETERS, PROBLEM, SERVER_ERROR, STATUSES
from backend.http.paging import BadCursor
from mobile_contract.sync.clock import MAX_INTEGER
from mobile_contract.sync.fields import WireInt
from mobile_contract.version import PROTOCOL

Document = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch", "head")
#: Pages for a browser are no part of the contract.
PREFIXES = ("/api/", "/sync/")
#: Refused by ``authenticate``, of which this layer knows no more than the contract's codes.
TOKEN_CODES = ("token_unknown", "token_expired")


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's registry; serves the finished description."""

    def _openapi_json(self) -> Response:
        return Response(render(current_app), mimetype="application/json")


def openapi_of(api: flask_smorest.Api) -> None:
    """Teach ``api`` what its converter says wrongly or not at all. Before any blueprint is registered."""
    api.ma_plugin.converter.add_attribute_function(_number_attributes)


def render(app: Flask) -> str:
    """The description as it is committed: sorted keys, two spaces, one newline at the end."""
    return json.dumps(document(app), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def document(app: Flask) -> Document:
    """The description of ``app``. Needs no database. ValueError when two operations have one name."""
    api = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    found: Document = api.spec.to_dict()
    found["info"] = {"title": app.config["API_TITLE"], "version": f"{PROTOCOL}", "description": ABOUT}
    found["paths"] = {path: item for path, item in found["paths"].items() if path.startswith(PREFIXES)}
    views = dict(_views(app))
    seen = set[str]()
    for path, item in found["paths"].items():
        for parameter in item.get("parameters", []):
            _finish_parameter(parameter)
        for method in METHODS:
            if method in item:
                name, view = views[path, method]
                if name in seen:
                    raise ValueError(f"two operations are named {name}")
                seen.add(name)
                _finish_operation(item[method], name, view, path, item.get("parameters", []))
    found["tags"] = [tag for tag in found["tags"] if tag["name"] in _tags(found)]
    _finish_components(found, api.ma_plugin.converter)
    return found


def _views(app: Flask) -> Iterator[tuple[tuple[str, str], tuple[str, Any]]]:
    """(path template, method) → (operation's name, view)."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        methods = set(rule.methods or ())
        # The web framework answers HEAD by itself where there is a GET.
        methods -= {"HEAD"} if "GET" in methods else set()
        for method in methods:
            yield (FlaskPlugin.flaskpath2openapi(rule.rule), method.lower()), (view.__name__, view)


def _tags(found: Document) -> set[str]:
    return {tag for item in found["paths"].values() for m in METHODS if m in item for tag in item[m]["tags"]}


def _finish_operation(operation: Document, name: str, view: Any, path: str, path_parameters: list[Document]) -> None:
    guard: Guard = view.guard
    operation["operationId"] = name
    _finish_texts(operation)
    answers = {status: answer for status, answer in operation["responses"].items() if status[0] in "123"}
    as_page = any("text/html" in answer.get("content", {}) for answer in answers.values())
    operation["security"] = [] if guard.public else [{"bearer": []}, *([{"session": []}] if as_page else [])]
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        _finish_parameter(parameter)
    codes = _codes(view, path, operation, bool(path_parameters))
    wanted = [] if guard.public else ["X-Community"]
    wanted += ["X-Protocol"] if path.startswith("/sync/") else []
    wanted += ["Content-Encoding"] if "requestBody" in operation else []
    parameters += [{"$ref": f"#/components/parameters/{header}"} for header in wanted]
    operation["responses"] = {
        **answers,
        **{str(status): _problem_answer(status, sorted(named)) for status, named in codes.items()},
        "5XX": {"$ref": "#/components/responses/ServerError"},
    }


def _codes(view: Any, path: str, operation: Document, has_path_parameters: bool) -> dict[int, set[str]]:
    """Status → codes of the problems that the route may answer."""
    guard: Guard = view.guard
    errors: list[type[DomainError]] = list(view.raises)
    phone = path.startswith("/sync/")
    codes: dict[int, set[str]] = {}
    if not guard.public:
        errors.append(NotSignedIn)
        errors += [] if guard.revoked_device else [DeviceRevoked]
        codes[401] = set(TOKEN_CODES)
    if guard.needs_community:
        errors += [PermissionDenied, CommunityRequired]
    if operation.get("requestBody"):
        errors += [BodyUnreadable, BodyTooLarge]
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        codes[422] = {"envelope_invalid"} if phone else {InvalidInput.code}
        codes[400] = set() if phone else {"bad_request"}
    if any(parameter["in"] == "query" for parameter in operation["parameters"]):
        codes.setdefault(422, set()).add(InvalidInput.code)
    if any(parameter["name"] == "cursor" for parameter in operation["parameters"]):
        errors.append(BadCursor)
    if has_path_parameters:
        errors.append(NotFound)
    for error in errors:
        codes.setdefault(error.status, set()).add("not_found" if error is NotFound else error.code)
    return codes


def _problem_answer(status: int, codes: list[str]) -> Document:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS if status in HEADERS[name][0]}
    return {
        "description": f"{STATUSES[status]}: " + ", ".join(f"`{code}`" for code in codes),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        **({"headers": headers} if headers else {}),
    }


def _finish_texts(operation: Document) -> None:
    """The docstring's first sentence is the summary, the rest the description."""
    text = _plain(f"{operation.get('summary', '')}\n{operation.pop('description', '')}")
    first, stop, rest = text.partition(". ")
    operation["summary"] = first.removesuffix(".")
    if stop:
        operation["description"] = rest


def _plain(text: str) -> str:
    """A docstring as one line of Markdown."""
    return re.sub(r"\s+", " ", text).strip().replace("``", "`")


def _finish_parameter(parameter: Document) -> None:
    """A query cannot hold null: it is left out instead."""
    schema = parameter.get("schema", {})
    if isinstance(schema.get("type"), list):
        schema["type"] = next(kind for kind in schema["type"] if kind != "null")
    if schema.get("default", ...) is None:
        del schema["default"]


def _number_attributes(_: OpenAPIConverter, field: fields.Field[Any], ret: Document, **__: Any) -> Document:
    """Bounds of the wire's integers; a decimal that is written as text is a string."""
    if isinstance(field, fields.Decimal) and field.as_string:
        return {"type": ["string", "null"] if field.allow_none else "string", "format": "decimal"}
    if not isinstance(field, WireInt):
        return {}
    return {"minimum": ret.get("minimum", -MAX_INTEGER), "maximum": ret.get("maximum", MAX_INTEGER)}


def _finish_components(found: Document, converter: OpenAPIConverter) -> None:
    schemas: Document = found["components"]["schemas"]
    for (schema, *_), name in converter.refs.items():
        described = inspect.cleandoc(vars(schema).get("__doc__") or "")
        if name in schemas and described and issubclass(schema, Schema):
            schemas[name]["description"] = _plain(described)
    schemas["ProblemDocument"] = PROBLEM
    asked, answered = _used(found, schemas)
    for name in list(schemas):
        if name not in asked | answered:
            del schemas[name]
        elif name in answered:
            # Fields are added to answers: readers ignore what they do not know.
            schemas[name].pop("additionalProperties", None)
    found["components"] = {
        "schemas": schemas,
        "parameters": PARAMETERS,
        "headers": {name: header for name, (_, header) in HEADERS.items()},
        "responses": {"ServerError": SERVER_ERROR},
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "The access token of a log-in."},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A browser's; reading only."},
        },
    }


def _used(found: Document, schemas: Document) -> tuple[set[str], set[str]]:
    """Names of the schemas that requests and that answers are made of."""
    operations = [item[m] for item in found["paths"].values() for m in METHODS if m in item]
    asked = _reached([operation.get("requestBody") for operation in operations], schemas)
    answered = _reached([[operation["responses"] for operation in operations], SERVER_ERROR], schemas)
    return asked, answered


def _reached(part: Any, schemas: Document) -> set[str]:
    reached, open_parts = set[str](), [part]
    while open_parts:
        node = open_parts.pop()
        if isinstance(node, list):
            open_parts += node
        elif isinstance(node, dict):
            open_parts += node.values()
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in schemas and name not in reached:
                reached.add(name)
                open_parts.append(schemas[name])
    return reached
