"""The API as a process that can be killed, and a wire that can be cut, for phones that are real programs."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from backend.settings import PROJECT, Settings
from tests.journeys.serving import clean_environment, free_port, wait_until

CHUNK = 65536


class ApiServer:
    """gunicorn on a port of its own, over the database of the test module."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.settings, self.log, self.port = settings, log, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, on the same port as before."""
        environment = clean_environment(
            DATABASE_URL=self.settings.database_url,
            REDIS_URL=self.settings.redis_url,
            SAOLOU_SECRET_KEY=b64encode(self.settings.secret_key).decode(),
            SAOLOU_DATA_DIR=str(self.settings.data_dir),
        )
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--workers", "1"]
        command += ["--worker-class", "gthread", "--threads", "6", "backend.wsgi:app"]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until(self.answers, "the API answers", 60)

    def answers(self) -> bool:
        """Whether it is there."""
        with suppress(OSError):
            return bool(urllib.request.urlopen(f"{self.base_url}/healthz", timeout=5).status == 200)
        return False

    def kill(self) -> None:
        """kill -9 of all its processes, in the middle of whatever they do."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Wire:
    """A TCP proxy before the API. ``plan`` says what becomes of a connection that carries a push."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, free_port()
        self.on_push: Callable[[], str] = lambda: "pass"
        self.pushes = 0
        #: What becomes of bytes on their way to the phone, and to the server; lengths stay.
        self.rewrite: Callable[[bytes], bytes] = lambda data: data
        self.rewrite_request: Callable[[bytes], bytes] = lambda data: data
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """No more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                phone, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(phone,), daemon=True).start()

    def _carry(self, phone: socket.socket) -> None:
        with phone:
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=30)
            except OSError:
                return
            with server:
                lost = threading.Event()
                back = threading.Thread(target=self._back, args=(server, phone, lost), daemon=True)
                back.start()
                self._forth(phone, server, lost)
                with suppress(OSError):
                    server.shutdown(socket.SHUT_WR)
                back.join(30)

    def _forth(self, phone: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while data := phone.recv(CHUNK):
                if b"POST /sync/v1/push" in data:
                    self.pushes += 1
                    fate = self.on_push()
                    if fate == "cut":
                        server.sendall(data[: len(data) // 2])
                        return phone.shutdown(socket.SHUT_RDWR)
                    if fate == "swallow":
                        lost.set()
                server.sendall(self.rewrite_request(data))
        return None

    def _back(self, server: socket.socket, phone: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(CHUNK):
                if lost.is_set():
                    # The server has done its work; the phone never hears of it.
                    time.sleep(0.05)
                    phone.shutdown(socket.SHUT_RDWR)
                    return
                phone.sendall(self.rewrite(data))
        with suppress(OSError):
            phone.shutdown(socket.SHUT_WR)
