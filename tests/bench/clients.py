"""Client processes: each holds one connection and does what it is given, when all of them have it in hand.

The same number of processes pushes over HTTP and writes the floor's rows, so that neither side is held up by one
Python interpreter. Everything is prepared before the clock starts, answers are looked at after it stopped; garbage
collection stands still meanwhile, which favours the floor most.
"""

import gc
import http.client
import multiprocessing
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Protocol, Self

import psycopg

from tests.bench.phones import push_headers


class Work(Protocol):
    """What one client does."""

    def prepare(self) -> None: ...

    def run(self) -> "Outcome": ...


@dataclass(slots=True)
class Outcome:
    """When a client began and ended (the machine's monotonic clock), its requests' seconds, and their answers."""

    started: float
    ended: float
    seconds: list[float] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    cpu_s: float = 0.0


@dataclass(slots=True)
class Pushing:
    """Pushes ready bodies over one kept connection, one after the other."""

    host: str
    port: int
    token: str
    bodies: list[bytes]
    connection: http.client.HTTPConnection | None = None

    def prepare(self) -> None:
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=120)

    def run(self) -> Outcome:
        assert self.connection is not None
        headers = push_headers(self.token)
        seconds, answers = [], []
        started = last = time.monotonic()
        for body in self.bodies:
            self.connection.request("POST", "/sync/v1/push", body, headers)
            response = self.connection.getresponse()
            answers.append((response.status, response.read()))
            now = time.monotonic()
            seconds.append(now - last)
            last = now
        self.connection.close()
        return Outcome(started, last, seconds, answers)


@dataclass(slots=True)
class Inserting:
    """Writes ready rows with ``executemany``, one transaction a batch; ``batches`` hold rows by statement."""

    conninfo: str
    community: str
    statements: list[str]
    batches: list[list[list[Sequence[Any]]]]
    connection: psycopg.Connection[Any] | None = None

    def prepare(self) -> None:
        self.connection = psycopg.connect(self.conninfo)
        self.connection.execute("SELECT set_config('app.communities', %s, false)", ["{" + self.community + "}"])
        self.connection.commit()

    def run(self) -> Outcome:
        assert self.connection is not None
        seconds = []
        started = last = time.monotonic()
        for batch in self.batches:
            with self.connection.cursor() as cursor:
                for statement, rows in zip(self.statements, batch, strict=True):
                    cursor.executemany(statement, rows)
            self.connection.commit()
            now = time.monotonic()
            seconds.append(now - last)
            last = now
        self.connection.close()
        return Outcome(started, last, seconds)


class Clients:
    """A fixed number of client processes, kept between rounds."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in range(count)]
        self._pipes = [ours for ours, _ in pipes]
        self._processes = [context.Process(target=_serve, args=(theirs,), daemon=True) for _, theirs in pipes]
        for process in self._processes:
            process.start()

    def run(self, works: Sequence[Work]) -> list[Outcome]:
        """Give each client its work, start all at once, return when all are done."""
        pipes = self._pipes[: len(works)]
        for pipe, work in zip(pipes, works, strict=True):
            pipe.send(work)
        for pipe in pipes:
            _received(pipe)
        for pipe in pipes:
            pipe.send("go")
        return [_received(pipe) for pipe in pipes]

    def start(self, works: Sequence[Work]) -> None:
        """As ``run``, without waiting; fetch the outcomes with ``join``."""
        for pipe, work in zip(self._pipes, works, strict=False):
            pipe.send(work)
            _received(pipe)
            pipe.send("go")

    def join(self, count: int) -> list[Outcome]:
        return [_received(pipe) for pipe in self._pipes[:count]]

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes if process.pid is not None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(5)
            if process.is_alive():
                process.kill()


def _received(pipe: Connection) -> Any:
    answer = pipe.recv()
    if isinstance(answer, Exception):
        raise RuntimeError("a client process failed") from answer
    return answer


def _serve(pipe: Connection) -> None:
    """A client's life: work, "ready", "go", outcome, again; until the pipe closes."""
    while True:
        try:
            work: Work = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            work.prepare()
            gc.collect()
            gc.disable()
            pipe.send("ready")
            pipe.recv()
            before = resource.getrusage(resource.RUSAGE_SELF)
            outcome = work.run()
            after = resource.getrusage(resource.RUSAGE_SELF)
            gc.enable()
            outcome.cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            pipe.send(outcome)
        except Exception as error:
            pipe.send(error)
