"""Progress of long work on a terminal; a line every few seconds where there is none."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Count = Callable[[str, int, int], None]
"""(what, done, of how many)."""
LINE_EVERY_S = 5.0


@contextmanager
def counting() -> Iterator[Count]:
    """A progress bar a step on a terminal, plain lines elsewhere; always on stderr."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        shown = {}

        def count(what: str, done: int, total: int) -> None:
            if what not in shown:
                shown[what] = bars.add_task(what, total=total)
            bars.update(shown[what], completed=done, total=total)

        yield count


def _lines() -> Count:
    last: dict[str, float] = {}

    def count(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - last.get(what, 0.0) > LINE_EVERY_S:
            last[what] = now
            print(f"· {what}: {done}/{total}", file=sys.stderr, flush=True)

    return count
