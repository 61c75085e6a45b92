"""The processes that serve, as the command lines that both ``serve`` and the containers use."""

import http.client
import sys
from collections.abc import Sequence
from pathlib import Path

from backend.commands.installation import Installation
from backend.embedded import Service
from backend.settings import PROJECT, Settings

API_COMMAND = ("gunicorn", "-c", "python:backend.operations.gunicorn_conf", "backend.wsgi:app")
WORKER_COMMAND = ("worker",)
MIGRATE_COMMAND = ("backend", "migrate")


def module_argv(command: Sequence[str]) -> list[str]:
    """A command as ``python -m …`` with this interpreter."""
    return [sys.executable, "-m", *command]


def services(installation: Installation, logs: Path | None) -> list[Service]:
    """API and worker as supervised processes, with their logs in ``logs`` (None: on our own output)."""
    settings = installation.settings
    return [
        Service(
            "api",
            module_argv(API_COMMAND),
            PROJECT,
            ready=lambda: answers(settings, "/readyz"),
            log=logs / "api.log" if logs else None,
        ),
        Service(
            "worker",
            module_argv(WORKER_COMMAND),
            PROJECT,
            log=logs / "worker.log" if logs else None,
        ),
    ]


def answers(settings: Settings, path: str) -> bool:
    """Whether the API answers 200 on ``path``."""
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def base_url(settings: Settings) -> str:
    """Where the API is."""
    return f"http://{settings.host}:{settings.port}"
