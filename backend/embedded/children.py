"""Child processes that never outlive this one, however it ends.

Linux sends the child a signal when the *thread* that made it ends, so one thread that lives as long as the process
makes them all. Elsewhere, and for programs that have children, a watching process holds a pipe to us.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from backend.embedded.account import Account

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
Output = int | IO[bytes] | None
_Answer = subprocess.Popen[bytes] | BaseException


@dataclass(frozen=True)
class Program:
    """What to run, as whom and where.

    `death_signal` reaches it when this process ends; `account` None keeps the user; `kept` are file descriptors
    that it holds open, such as a lock.
    """

    argv: Sequence[str]
    folder: Path
    death_signal: int
    account: Account | None = None
    env: Mapping[str, str] | None = None
    output: Output = None
    kept: Sequence[int] = field(default_factory=tuple)


def spawn(program: Program, *, use_watcher: bool = sys.platform != "linux") -> subprocess.Popen[bytes]:
    """Start a child in a session of its own (a Ctrl-C in the terminal reaches only us).

    With `use_watcher`, its own children end too when this process does.
    """
    return _maker().make(program, use_watcher)


def end(process: subprocess.Popen[bytes], steps: Sequence[tuple[int, float]], *, group: bool = False) -> None:
    """Send each signal in turn, waiting its seconds for the end; the last resort is SIGKILL.

    With `group`, whatever the process started in its session is killed after it.
    """
    for number, seconds in (*steps, (signal.SIGKILL, 10.0)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    if group:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _spawn(program: Program, use_watcher: bool) -> subprocess.Popen[bytes]:
    uid, gid = (program.account.uid, program.account.gid) if program.account else (-1, -1)
    numbers = (os.getpid(), int(program.death_signal), uid, gid)
    launch = [
        sys.executable,
        "-I",
        "-S",
        _LAUNCHER,
        "become",
        *map(str, numbers),
        str(program.folder),
        *program.argv,
    ]
    process = subprocess.Popen(
        launch,
        env=None if program.env is None else dict(program.env),
        stdin=subprocess.DEVNULL,
        stdout=program.output,
        stderr=program.output,
        pass_fds=tuple(program.kept),
        start_new_session=True,
        cwd="/",
    )
    if use_watcher:
        _watch(process.pid, program.death_signal)
    return process


def _watch(pid: int, death_signal: int) -> None:
    # The writing end closes when this process ends, or when the watcher is no longer needed.
    reading, writing = os.pipe()
    command = [sys.executable, "-I", "-S", _LAUNCHER, "watch", str(reading), str(pid), str(int(death_signal))]
    watcher = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(reading,), start_new_session=True)
    os.close(reading)

    def reap() -> None:
        watcher.wait()
        os.close(writing)

    threading.Thread(target=reap, daemon=True).start()


class _Maker:
    """The thread that makes all children. Daemon: it is there until the process is not."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._asked: queue.SimpleQueue[tuple[Program, bool, queue.SimpleQueue[_Answer]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="child-maker", daemon=True).start()

    def make(self, program: Program, use_watcher: bool) -> subprocess.Popen[bytes]:
        answer: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._asked.put((program, use_watcher, answer))
        made = answer.get()
        if isinstance(made, BaseException):
            raise made
        return made

    def _work(self) -> None:
        while True:
            program, use_watcher, answer = self._asked.get()
            try:
                answer.put(_spawn(program, use_watcher))
            except BaseException as error:
                answer.put(error)


_current: list[_Maker] = []
_guard = threading.Lock()


def _maker() -> _Maker:
    with _guard:
        # A forked copy of this process has the list, but not the thread.
        if not _current or _current[0].pid != os.getpid():
            _current[:] = [_Maker()]
        return _current[0]
