"""A server's log: appended to, turned over once when it is big, and its end shown when a start fails."""

from dataclasses import dataclass
from pathlib import Path
from typing import IO

#: Bytes after which the log is turned over at the next start.
TURN_OVER = 10_000_000


@dataclass
class LogFile:
    """`open` for a new start; `tail` is what was written since the last mark in the file."""

    path: Path

    def open(self) -> IO[bytes]:
        if self.path.exists() and self.path.stat().st_size > TURN_OVER:
            self.path.replace(self.path.with_suffix(".1.log"))
        handle = self.path.open("ab")
        handle.write(b"--- start ---\n")
        handle.flush()
        return handle

    def tail(self, lines: int = 12) -> str:
        """The last lines since the last start."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as handle:
            handle.seek(max(0, self.path.stat().st_size - 20_000))
            text = handle.read().decode("utf-8", "replace")
        return "\n".join(text.rpartition("--- start ---\n")[2].splitlines()[-lines:])
