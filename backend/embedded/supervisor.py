"""Starts what serves in order, starts again what dies, stops it all in reverse.

    with Supervisor([*servers.units, api, worker], progress=print) as supervisor:
        supervisor.start()   # returns when every unit is ready; raises `ServiceFailed` and the like
        ...                  # units that die meanwhile are started again, by a thread
        supervisor.wait()    # until Ctrl-C, SIGTERM or SIGHUP

Leaving the block stops everything. A signal inside the block raises `StopRequested`, which the block swallows;
`supervisor.stopped_by` is then its number, else None. Children die with this process, even when it is killed.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from backend.embedded.children import Program, end, spawn
from backend.embedded.errors import EmbeddedError, ServiceFailed
from backend.embedded.logfile import LogFile

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Seconds before a unit that died is started again: doubled each time, forgotten after a minute of health.
FIRST_BACKOFF, LONGEST_BACKOFF, HEALTHY_AFTER = 0.2, 30.0, 60.0


class StopRequested(KeyboardInterrupt):
    """Somebody asked this process to stop. Like Ctrl-C, no `except Exception` catches it."""


class Unit(Protocol):
    """What can be supervised: a `Service`, or one of the embedded servers."""

    @property
    def name(self) -> str: ...

    def start(self) -> None:
        """Start and return when ready, or raise an `EmbeddedError` with nothing left running."""

    def alive(self) -> bool: ...

    def stop(self) -> None: ...


@dataclass
class Service:
    """A child process such as gunicorn or a Celery worker.

    `ready` is polled after the start until it is true (None: ready at once). `log` None lets the output through to
    ours. `stop_signal` is given `stop_seconds` before SIGKILL; what the process left in its session dies with it.
    """

    name: str
    argv: Sequence[str]
    folder: Path
    env: Mapping[str, str] | None = None
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0
    log: Path | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 20.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self._clear_session()
        log = LogFile(self.log) if self.log else None
        with log.open() if log else contextlib.nullcontext() as output:
            handle = output.fileno() if output else None
            program = Program(self.argv, self.folder, self.stop_signal, env=self.env, output=handle)
            self.process = spawn(program, use_watcher=True)
        try:
            self._wait(self.process, log)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.process is not None:
            end(self.process, [(self.stop_signal, self.stop_seconds)], group=True)

    def _wait(self, process: subprocess.Popen[bytes], log: LogFile | None) -> None:
        deadline = time.monotonic() + self.ready_seconds
        while self.ready is not None and not self.ready():
            code = process.poll()
            if code is not None:
                raise ServiceFailed(self.name, f"ended with {code} while starting", log.tail() if log else "")
            if time.monotonic() > deadline:
                reason = f"was not ready after {self.ready_seconds:.0f} s"
                raise ServiceFailed(self.name, reason, log.tail() if log else "")
            time.sleep(0.05)

    def _clear_session(self) -> None:
        """Children of a killed predecessor would go on working beside the new one."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """See the module. Enter it in the main thread, which is where signals arrive."""

    def __init__(self, units: Sequence[Unit], progress: Callable[[str], None] | None = None) -> None:
        self.units = list(units)
        self.restarts = {unit.name: 0 for unit in units}
        self.stopped_by: int | None = None
        self._say = progress or (lambda _text: None)
        self._stopping = threading.Event()
        self._started: list[Unit] = []
        self._watchers: list[threading.Thread] = []
        self._before: dict[int, Any] = {}

    def start(self) -> None:
        """Start the units in order (those that run already are only watched) and begin to watch them."""
        for unit in self.units:
            self._started.append(unit)
            if not unit.alive():
                self._say(f"starting {unit.name}")
                unit.start()
        # A thread each: an API that is not ready because its database died must not keep the database from coming back.
        for unit in self.units:
            self._watchers.append(threading.Thread(target=self._watch, args=(unit,), name=unit.name, daemon=True))
            self._watchers[-1].start()

    def wait(self) -> None:
        """Return when a stop was asked for: by a signal, or by `stop` in another thread."""
        with contextlib.suppress(StopRequested):
            while not self._stopping.wait(1.0):
                pass

    def stop(self) -> None:
        """Stop everything in reverse order. Calling it twice does no harm."""
        self._stopping.set()
        for unit in reversed(self._started):
            unit.stop()
        for watcher in self._watchers:
            if watcher is not threading.current_thread():
                watcher.join()
        # A unit that was being started again just then has been stopped above, or is now.
        for unit in reversed(self._started):
            if unit.alive():
                unit.stop()

    def __enter__(self) -> Self:
        for number in STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._stopping.set()
        try:
            self.stop()
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
        return isinstance(error, StopRequested)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Only the first interrupts: an impatient second Ctrl-C must not cut the stopping short.
        if not self._stopping.is_set():
            self.stopped_by = number
            self._stopping.set()
            self._say("stopping")
            raise StopRequested

    def _watch(self, unit: Unit) -> None:
        backoff, due = FIRST_BACKOFF, 0.0
        while not self._stopping.wait(0.1):
            now = time.monotonic()
            if unit.alive() or self._stopping.is_set():
                continue
            if due and now - due > HEALTHY_AFTER:
                due, backoff = 0.0, FIRST_BACKOFF
            if not due:
                due = now + backoff
            if now >= due:
                self._start_again(unit)
                backoff = min(backoff * 2, LONGEST_BACKOFF)
                due = time.monotonic() + backoff

    def _start_again(self, unit: Unit) -> None:
        self._say(f"{unit.name} died; starting it again")
        self.restarts[unit.name] += 1
        try:
            unit.start()
        except EmbeddedError as error:
            if not self._stopping.is_set():
                self._say(str(error))
