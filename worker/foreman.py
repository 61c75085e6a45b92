"""Keeps one Celery worker at work: starts it, sweeps beside it, starts it anew when it died or went deaf.

Celery workers are known to stop consuming without a word after trouble with their broker (celery/celery#10205).
The ledger shows it: work has been ready for a minute and nobody holds a lease.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from backend.logs import log
from worker.sweeper import INTERVAL_S, Sweeper

CONSUMER = (sys.executable, "-m", "worker.consume")
DEAF_SECONDS = 60.0
#: A warm shutdown may finish the running batches; after this they are killed and the ledger gives them to others.
STOP_SECONDS = 45.0


class Foreman:
    """``run`` until ``stop`` is called (from a signal handler)."""

    def __init__(
        self, sweeper: Sweeper, consumer: Sequence[str] = CONSUMER, deaf_seconds: float = DEAF_SECONDS
    ) -> None:
        self._sweeper, self._command, self._deaf_seconds = sweeper, consumer, deaf_seconds
        self._stopping = threading.Event()

    def stop(self, *_: object) -> None:
        self._stopping.set()

    def run(self) -> None:
        consumer, started, patience = self._start(), time.monotonic(), self._deaf_seconds
        while not self._stopping.wait(INTERVAL_S):
            unworked = self._sweeper.try_sweep() or 0.0
            if unworked == 0:
                patience = self._deaf_seconds
            deaf = min(unworked, time.monotonic() - started) > patience
            if deaf or consumer.poll() is not None:
                log.error("consumer_restarted", exit_code=consumer.poll(), unworked_s=round(unworked))
                self._end(consumer, 5.0)
                # Twice as patient each time: on a busy machine a start may take long by itself.
                consumer, started, patience = self._start(), time.monotonic(), patience * 2
        self._end(consumer, STOP_SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: a Ctrl-C in the terminal must not cut off what SIGTERM lets finish. The pipe to its
        # standard input closes with us, however we end.
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)

    def _end(self, consumer: subprocess.Popen[bytes], patience: float) -> None:
        consumer.terminate()
        with suppress(subprocess.TimeoutExpired):
            consumer.wait(patience)
        # Also after a clean end: pool processes of a killed one must not go on.
        with suppress(ProcessLookupError):
            os.killpg(consumer.pid, signal.SIGKILL)
        consumer.wait()
        if consumer.stdin:
            consumer.stdin.close()
