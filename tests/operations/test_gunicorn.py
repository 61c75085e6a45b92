"""The API as it is served: the command of ``serve`` and of the containers, with real processes."""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.commands.serving import API_COMMAND, module_argv
from backend.settings import PROJECT, Settings
from tests.worker.probing import eventually, family, is_running


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Api:
    """A served API, and what it logged."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.port, self.log, self.tmp = free_port(), log, log.parent / "tmp"
        (self.tmp / "saolou-metrics-999999999-killed").mkdir(parents=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SAOLOU_")} | {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SAOLOU_SECRET_KEY": b64encode(settings.secret_key).decode(),
            "SAOLOU_DATA_DIR": str(settings.data_dir),
            "SAOLOU_PORT": str(self.port),
            "TMPDIR": str(self.tmp),
        }
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                module_argv(API_COMMAND), cwd=PROJECT, env=environment, stdout=output, stderr=output
            )
        eventually(lambda: self.get("/readyz") == 200)

    def read(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def get(self, path: str) -> int:
        return self.read(path)[0]


@pytest.fixture(scope="module")
def api(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    served = Api(settings, tmp_path_factory.mktemp("api") / "api.log")
    yield served
    served.process.terminate()
    assert served.process.wait(40) == 0
    assert list(served.tmp.iterdir()) == [], "the metrics' folder is removed"


def counted(api: Api) -> float:
    sample = r'saolou_http_request_seconds_count\{method="GET",route="/healthz",status="2xx"\} (\S+)'
    found = re.search(sample, api.read("/metrics")[1])
    return float(found[1]) if found else 0


def test_scrape_adds_up_what_all_processes_served(api: Api) -> None:
    before = counted(api)
    assert [api.get("/healthz") for _ in range(40)] == [200] * 40
    eventually(lambda: counted(api) == before + 40)


def test_kill_api_process_another_takes_its_place_and_counts_remain(api: Api) -> None:
    before = counted(api)
    victims = family(api.process.pid)[1:]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(is_running(pid) for pid in victims))
    eventually(lambda: api.get("/healthz") == 200)
    assert counted(api) >= before


def test_slow_bodies_do_not_hold_up_others(api: Api) -> None:
    """Forty phones in stairwells, each sending a byte now and then."""
    phones = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(40)]
    head = b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    for phone in phones:
        phone.sendall(head)
    time.sleep(0.5)
    assert api.get("/readyz") == 200
    for phone in phones:
        phone.close()


def test_logs_are_json_lines(api: Api) -> None:
    lines = api.log.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not (line.startswith("{") and line.endswith("}"))] == []
