"""The container files, checked without an engine: their schema, their sense, and that CI runs the same commands."""

import copy
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest
import yaml
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from backend.commands.serving import API_COMMAND
from backend.operations.server import let_app_in
from backend.settings import PROJECT, Settings
from tests.operations.compose_rules import broken_rules

Compose = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Compose:
    return dict(yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8")))


def test_compose_file_fits_the_compose_specification(compose: Compose) -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    validator = jsonschema_rs.validator_for(json.loads(schema.read_text(encoding="utf-8")))
    assert [f"{list(e.instance_path)}: {e.message}" for e in validator.iter_errors(compose)] == []
    compose = copy.deepcopy(compose)
    compose["services"]["api"]["volume"] = []
    assert not validator.is_valid(compose)


def test_compose_file_makes_sense(compose: Compose) -> None:
    assert broken_rules(compose, PROJECT) == []


def without(service: str, key: str) -> Callable[[Compose], None]:
    return lambda compose: compose["services"][service].pop(key)


def with_value(service: str, key: str, value: Any) -> Callable[[Compose], None]:
    return lambda compose: compose["services"][service].__setitem__(key, value)


@pytest.mark.parametrize(
    "damage",
    [
        without("postgres", "healthcheck"),
        without("worker", "healthcheck"),
        without("worker", "read_only"),
        without("migrate", "restart"),
        with_value("api", "command", ["python", "-m", "flask", "run"]),
        with_value("api", "ports", ["8000:8000"]),
        with_value("nginx", "depends_on", {"app": {"condition": "service_started"}}),
        with_value("nginx", "depends_on", {"api": {"condition": "service_healthy"}}),
        with_value("worker", "environment", {"SAOLOU_SECRET_KEY": "c2VjcmV0"}),
        with_value("worker", "environment", {"SAOLOU_SECRET_KEY": "${SAOLOU_SECRET_KEY:-c2VjcmV0}"}),
        with_value("worker", "environment", {"SAOLOU_WROKERS": "2"}),
        with_value("nginx", "volumes", ["./nowhere.conf:/etc/nginx/conf.d/default.conf:ro"]),
        with_value("valkey", "image", "valkey/valkey:latest"),
    ],
)
def test_compose_file_with_a_fault_is_caught(compose: Compose, damage: Callable[[Compose], None]) -> None:
    compose = copy.deepcopy(compose)
    damage(compose)
    assert broken_rules(compose, PROJECT) != []


def instructions() -> list[tuple[str, str]]:
    source = re.sub(r"\\\n", " ", (PROJECT / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in source.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def test_dockerfile_ends_as_an_ordinary_user_with_the_command_that_ci_runs() -> None:
    found = instructions()
    assert [rest for word, rest in found if word == "USER"][-1] == "10001:10001"
    assert json.loads(found[-1][1]) == ["python", "-m", *API_COMMAND]
    assert sum(word == "FROM" for word, _ in found) == 3


def test_dockerfile_copies_what_exists_and_is_not_ignored() -> None:
    ignore = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [shlex.split(rest)[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    for source in (name for names in copied for name in names):
        assert (PROJECT / source).exists(), source
        assert f"!{source.split('/')[0]}" in ignore, source


def test_nginx_buffers_bodies_and_believes_no_client() -> None:
    conf = (PROJECT / "backend/operations/compose/nginx.conf").read_text(encoding="utf-8")
    assert conf.count("{") - conf.count("${") == conf.count("}") - conf.count("${")
    for line in ("proxy_request_buffering on;", "X-Forwarded-For $remote_addr;", "X-Forwarded-Host $host;"):
        assert line in conf
    assert "$request_uri" not in conf, "addresses may hold what somebody searched for"


def test_let_app_in_sets_the_password_that_the_settings_name(settings: Settings) -> None:
    """As in the containers, where the migration finds the role without a log-in."""
    engine = create_engine(settings.database_owner_url or "", isolation_level="AUTOCOMMIT")
    url = make_url(settings.database_url).set(username="saolou_test_login", password="p%/'x")
    ours = replace(settings, database_url=url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        connection.execute(text("DROP ROLE IF EXISTS saolou_test_login"))
        connection.execute(text("CREATE ROLE saolou_test_login NOLOGIN"))
        assert let_app_in(ours)
        app = create_engine(ours.database_url)
        app.connect().close()
        app.dispose()
        stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'saolou_test_login'"
        assert str(connection.scalar(text(stored))).startswith("SCRAM-SHA-256$")
        assert not let_app_in(ours)
        connection.execute(text("ALTER ROLE saolou_test_login NOLOGIN"))
        with pytest.raises(OperationalError):
            create_engine(ours.database_url).connect()
        connection.execute(text("DROP ROLE saolou_test_login"))
    engine.dispose()
