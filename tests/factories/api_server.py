"""The API as it is served: gunicorn in processes of its own, over a test's database."""

import os
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from backend.settings import PROJECT, VARIABLES, Settings
from tests.journeys.serving import free_port

PATIENCE_S = 60.0


@contextmanager
def api_server(settings: Settings, *, bug: str = "", app: str = "tests.factories.seeded_app:app") -> Iterator[str]:
    """Its base URL while it runs. ``bug`` names what the served application does wrong on purpose (or slowly)."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment |= {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SAOLOU_SECRET_KEY": b64encode(settings.secret_key).decode(),
        "SAOLOU_DATA_DIR": str(settings.data_dir),
        "SAOLOU_PORT": str(port),
        "SAOLOU_LOG_LEVEL": "ERROR",
        "SEEDED_BUG": bug,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "python:backend.operations.gunicorn_conf", app]
    log = Path(settings.data_dir) / f"api-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output, stderr=output)
    try:
        _wait(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):
                return
        except (URLError, OSError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
